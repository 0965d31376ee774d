"""`gatewayd hold`, `release`, `holds`, `lock`, `unlock`: stop a cylinder or a rig, with who and why.

Works with or without a running daemon; a running one sees it within a tick.
"""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import click

from gatewayd.cli.common import (
    NO,
    config_option,
    directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.cli.ordering import by_option, carried_out, given
from gatewayd.errors import RejectedError
from gatewayd.rigs.evidence import stamp
from gatewayd.settings.site import Site, load_site
from gatewayd.store import orders
from gatewayd.store.model import Hold, RigLock
from gatewayd.store.orders import CarryOut, Done
from gatewayd.store.reads import Reader
from gatewayd.texts import Language, text

LISTED_MAX = 10_000
"""Holds listed at once."""

reason_option = click.option("--reason", required=True, help="Why; shown where it is refused.")


def _carry_out(work: CarryOut, subject: str, reason: str, by: str, spoken: Language) -> Done:
    settings = load_site(directory())
    ordered = given(subject, by, reason, spoken)
    if work is orders.lock and settings.rigs is not None and subject not in settings.rigs:
        known = ", ".join(settings.rigs)
        raise RejectedError(text("desk.no_rig", spoken, rig=subject, known=known))
    return carried_out(work, ordered, settings)


def _answer(key: str, subject: str, done: Done, spoken: Language, *, as_json: bool) -> None:
    if as_json:
        known = {} if key in {"lock", "unlock"} else {"known": done.known}
        print_json({"subject": subject, "changed": done.changed, **known})
        return
    told = f"order.{key}" if done.changed else f"order.{key}.already"
    click.echo(text(told, spoken, subject=subject))
    if not done.known:
        click.echo(text("order.unknown", spoken, subject=subject), err=True)


@click.command()
@click.argument("code")
@reason_option
@by_option
@lang_option
@config_option
@json_option
@reports_errors
def hold(code: str, reason: str, by: str, *, lang: Language | None, as_json: bool) -> None:
    """Hold cylinder CODE: it is refused (REGULATOR_LOCK) until it is released.

    An import does not end a hold. A code that the archive does not know is held once it is known.

    \b
    gatewayd hold 3701000110100001 --reason "recall" --by "market supervision"
    """  # noqa: D301 - click wants the backspace character itself
    done = _carry_out(orders.hold, code, reason, by, language(lang))
    _answer("hold", code, done, language(lang), as_json=as_json)


@click.command()
@click.argument("code")
@reason_option
@by_option
@lang_option
@config_option
@json_option
@reports_errors
def release(code: str, reason: str, by: str, *, lang: Language | None, as_json: bool) -> None:
    """Release cylinder CODE, whoever held it; exit 1 when nothing did.

    \b
    gatewayd release 3701000110100001 --reason "inspected, found good" --by "Li Si"
    """  # noqa: D301 - click wants the backspace character itself
    done = _carry_out(orders.release, code, reason, by, language(lang))
    _answer("release", code, done, language(lang), as_json=as_json)
    if not done.changed:
        stop(NO)


@click.command()
@click.argument("rig")
@reason_option
@by_option
@lang_option
@config_option
@json_option
@reports_errors
def lock(rig: str, reason: str, by: str, *, lang: Language | None, as_json: bool) -> None:
    """Lock RIG: its gate closes at once, also during a fill, and stays closed until `unlock`.

    \b
    gatewayd lock rig-1 --reason "scale out of order" --by "Zhang San"
    """  # noqa: D301 - click wants the backspace character itself
    done = _carry_out(orders.lock, rig, reason, by, language(lang))
    _answer("lock", rig, done, language(lang), as_json=as_json)


@click.command()
@click.argument("rig")
@reason_option
@by_option
@lang_option
@config_option
@json_option
@reports_errors
def unlock(rig: str, reason: str, by: str, *, lang: Language | None, as_json: bool) -> None:
    """Unlock RIG, whoever locked it; exit 1 when nothing did.

    A cylinder that stood there when it was locked must leave before it is judged again.

    \b
    gatewayd unlock rig-1 --reason "repaired" --by "Zhang San"
    """  # noqa: D301 - click wants the backspace character itself
    done = _carry_out(orders.unlock, rig, reason, by, language(lang))
    _answer("unlock", rig, done, language(lang), as_json=as_json)
    if not done.changed:
        stop(NO)


@click.command()
@click.argument("code", required=False)
@lang_option
@config_option
@json_option
@reports_errors
def holds(code: str | None, *, lang: Language | None, as_json: bool) -> None:
    """List the cylinders that are held and the rigs that are locked; with CODE, all its holds.

    \b
    gatewayd holds
    gatewayd holds 3701000110100001
    """  # noqa: D301 - click wants the backspace character itself
    settings = load_site(directory())
    with Reader.open(settings.store_path) as store:
        if code is None:
            found, locks = store.open_holds(limit=LISTED_MAX), store.rig_locks()
            came = store.holds_of_the_archive(limit=LISTED_MAX)
        else:
            found, locks = store.holds(code, limit=LISTED_MAX), ()
            entry = store.cylinder(code)
            open_ = any(each.released_at is None for each in found)
            came = ((code, entry.hold),) if entry and entry.hold and not open_ else ()
    shown = _Shown(settings)
    if as_json:
        print_json(
            {
                "holds": [*map(shown.hold, found), *(shown.came(*each) for each in came)],
                "locks": [*map(shown.lock, locks)],
            }
        )
        return
    for line in (
        *(_line(shown.lock(each), "rig", language(lang)) for each in locks),
        *(_line(shown.hold(each), "code", language(lang)) for each in found),
        *(_line(shown.came(*each), "code", language(lang)) for each in came),
    ):
        click.echo(line)
    count = len(found) + len(came)
    click.echo(text("order.listed", language(lang), holds=count, locks=len(locks)), err=True)


class _Shown:
    """Holds and locks as JSON, times in the station's zone."""

    def __init__(self, settings: Site) -> None:
        self._stamp: Callable[[Any], str] = lambda at: stamp(
            at, ZoneInfo(settings.station.timezone)
        )

    def hold(self, one: Hold) -> dict[str, Any]:
        return {
            "code": one.code,
            "reason": one.reason,
            "by": one.held_by,
            "since": self._stamp(one.held_at),
            "ended": None if one.released_at is None else self._stamp(one.released_at),
            "ended_by": one.released_by,
            "ended_why": one.release_reason,
        }

    def came(self, code: str, reason: str) -> dict[str, Any]:
        """A hold that came with the archive entry: nobody said when."""
        unknown = dict.fromkeys(("since", "ended", "ended_by", "ended_why"))
        return {"code": code, "reason": reason, "by": "import", **unknown}

    def lock(self, one: RigLock) -> dict[str, Any]:
        return {
            "rig": one.rig_id,
            "reason": one.reason,
            "by": one.locked_by,
            "since": self._stamp(one.locked_at),
            "ended": None,
        }


def _line(one: dict[str, Any], key: str, spoken: Language) -> str:
    """One hold or lock; what came with the archive has no time."""
    what, by = text(f"holds.{key}", spoken), one["by"]
    by = by if one["since"] else text("holds.import", spoken)
    ended = f"  → {one['ended']} {one['ended_by']}: {one['ended_why']}" if one["ended"] else ""
    return f"{what} {one[key]}  {one['since'] or '-'}  {by}: {one['reason']}{ended}"
