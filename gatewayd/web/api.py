"""The table of the API: which path, who may, what answers. README.md beside this explains it."""

from gatewayd.web.actions import Actions
from gatewayd.web.looks import Looks
from gatewayd.web.terms import Route

PREFIX = "/api/v1"


def routes(looks: Looks, actions: Actions) -> tuple[Route, ...]:
    """Every route but the events and the files of the page."""
    return (
        Route("GET", "/texts", None, looks.texts),
        Route("POST", "/login", None, actions.log_in),
        Route("POST", "/logout", "viewer", actions.log_out),
        Route("GET", "/me", "viewer", actions.me),
        Route("GET", "/station", "viewer", looks.station),
        Route("GET", "/state", "viewer", looks.state),
        Route("GET", "/records", "viewer", looks.records),
        Route("GET", "/records/{record}", "viewer", looks.record),
        Route("GET", "/cylinders/{code}", "viewer", looks.cylinder),
        Route("POST", "/rigs/{rig}/login", "operator", actions.rig_log_in),
        Route("POST", "/rigs/{rig}/logout", "operator", actions.rig_log_out),
        Route("POST", "/rigs/{rig}/check", "operator", actions.check),
        Route("POST", "/rigs/{rig}/acknowledge", "operator", actions.acknowledge),
        Route("POST", "/rigs/{rig}/batch/open", "operator", actions.open_batch),
        Route("POST", "/rigs/{rig}/batch/close", "operator", actions.close_batch),
        Route("POST", "/rigs/{rig}/lock", "supervisor", actions.lock),
        Route("POST", "/rigs/{rig}/unlock", "supervisor", actions.unlock),
        Route("POST", "/cylinders/{code}/hold", "supervisor", actions.hold),
        Route("POST", "/cylinders/{code}/release", "supervisor", actions.release),
        Route("POST", "/alarms/acknowledge", "supervisor", actions.answer_for),
    )
