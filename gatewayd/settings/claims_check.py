"""What two upstreams cannot both have, such as one client id at one broker."""

from collections.abc import Iterable, Mapping

from gatewayd.settings.kinds import PacedSettings
from gatewayd.settings.model import UpstreamSettings
from gatewayd.settings.report import Report
from gatewayd.settings.sections import Entry


def check_claims(
    upstreams: Mapping[str, UpstreamSettings],
    entries: Iterable[Entry],
    station_id: str,
    report: Report,
) -> None:
    """Tell an upstream that claims what an earlier one has."""
    claimed: dict[str, str] = {}
    for entry in entries:
        upstream = upstreams.get(entry.name)
        settings = upstream.settings if upstream else None
        if not isinstance(settings, PacedSettings):
            continue
        for claim in sorted(settings.claims(station_id, entry.name)):
            other = claimed.setdefault(claim, entry.name)
            if other != entry.name:
                what = f"{entry.name}: {claim}, as {other!r}; they would throw each other out"
                report.problem(entry.mark("client_id"), what, "", "client_id: another one")
                break
