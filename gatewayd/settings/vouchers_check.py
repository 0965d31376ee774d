"""What a rig asks of a platform before a fill, checked against the upstreams that there are."""

from collections.abc import Iterable, Mapping

from gatewayd.mapping.fields import fields
from gatewayd.settings.mapped import MappedSettings
from gatewayd.settings.report import Report
from gatewayd.settings.sections import Entry
from gatewayd.settings.vouchers import VoucherSettings
from protocols.documents import nearest_hint

NUMBER = "voucher.number"


def check_vouchers(
    rigs: Iterable[tuple[Entry, VoucherSettings | None]],
    upstreams: Mapping[str, object],
    report: Report,
) -> None:
    """An upstream that exists and can be asked; what a site loosened is a warning at every check."""
    for entry, asked in rigs:
        _warn_of_fills(entry, asked, upstreams, report)
        if asked is None:
            continue
        mark = entry.mark("voucher", "upstream")
        settings = upstreams.get(asked.upstream)
        if settings is None:
            what = f"{entry.name}: upstream {asked.upstream!r} does not exist, or is wrong"
            known = f"known: {', '.join(sorted(upstreams)) or 'none'}"
            report.problem(mark, what, known, nearest_hint(asked.upstream, upstreams))
        elif not _can_be_asked(settings):
            what = f"{entry.name}: upstream {asked.upstream!r} cannot be asked for a voucher"
            report.problem(mark, what, "driver: http with a mapping that has voucher:")
        if not isinstance(asked.offline, str):
            how = asked.offline
            what = (
                f"{entry.name}: fills without a voucher while {asked.upstream!r} does not answer, "
                f"through {how.allow_until}: {how.reason}; approved by {how.approved_by}"
            )
            report.warn(entry.mark("voucher", "offline"), what)


def _warn_of_fills(
    entry: Entry,
    asked: VoucherSettings | None,
    upstreams: Mapping[str, object],
    report: Report,
) -> None:
    """A rig whose fills a platform can never take, since they carry no voucher of it."""
    for name, settings in upstreams.items():
        if (asked is not None and asked.upstream == name) or not _needs_number(settings):
            continue
        what = (
            f"{entry.name}: asks {name!r} for no voucher, and no fill can be said there without "
            "its number: every fill of this rig becomes a dead letter"
        )
        report.warn(entry.mark("voucher"), what)


def _needs_number(settings: object) -> bool:
    """Whether a platform takes fills with the number of its voucher only."""
    if not isinstance(settings, MappedSettings) or settings.mapping is None:
        return False
    requests = settings.tongue.mapping.requests if settings.tongue else ()
    taking = (request.node for request in requests if "fill" in request.records)
    return any(each.needs(NUMBER) for node in taking for each in fields(node))


def _can_be_asked(settings: object) -> bool:
    if not isinstance(settings, MappedSettings) or settings.mapping is None:
        return False
    return settings.tongue is not None and settings.tongue.mapping.voucher is not None
