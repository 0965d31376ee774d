"""What an upstream says of itself: `upstreams/{name}/status` on the board, and the log."""

from typing import Any

from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.upstreams.contract import UpstreamContext, stamp

log = logger("upstreams")


class State:
    """Posts `{"state", "since", "error", "dead_letters"}`, retained, and logs it once a change.

    `state` is `connecting`, `up`, `refused` (the platform is there but does not take the oldest
    waiting record, which is kept and offered again) or `down`.
    """

    def __init__(self, name: str, context: UpstreamContext) -> None:
        self._name = name
        self._context = context
        self._last: dict[str, Any] = {}
        self._post("connecting", "")

    def say(self, state: str, error: str = "") -> None:
        """Post a state, and log it when it is another."""
        last = self._last
        if state == "up" and last.get("state") in {"connecting", "down"}:
            self._context.flows.of(self._name).connections += 1
        if (last.get("state"), last.get("error")) != (state, error):
            level = log.info if state in {"connecting", "up"} else log.warning
            level(f"upstream.{state}", upstream=self._name, error=error or None)
        self._post(state, error)

    def _post(self, state: str, error: str) -> None:
        last = self._last
        since = last["since"] if last.get("state") == state else stamp(self._context.clock)
        dead = self._dead_letters()
        self._last = {"state": state, "since": since, "error": error, "dead_letters": dead}
        self._context.board.post(f"upstreams/{self._name}/status", self._last)

    def records(self, kept: str) -> None:
        """Why records wait; empty when they flow."""
        self.say("refused" if kept else "up", kept)

    def _dead_letters(self) -> int | None:
        """How many records the platform refused for good; None when the store cannot tell."""
        try:
            store = self._context.store
            return sum(store.dead_count(self._name, retrying=again) for again in (False, True))
        except StoreError:
            return None
