"""`gatewayd verdict`: what would be decided for a cylinder at a rig, and why."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

import click

from gatewayd.cli import verdict_masses
from gatewayd.cli.common import (
    NO,
    OK,
    config_option,
    directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.cli.usage import misused
from gatewayd.cli.verdict_masses import of_last_fill
from gatewayd.cli.verdict_screen import show
from gatewayd.clock import SystemClock
from gatewayd.house import suppliers
from gatewayd.rigs.assess import Bench, assess, denied, gather
from gatewayd.rigs.clock_facts import ClockTrust, GivenTime
from gatewayd.rigs.findings import advise, reason_at_rig
from gatewayd.rigs.identity import by_code, by_uid, hint_on_code, hint_on_tag, plain_uid
from gatewayd.rigs.model import Clash, Hint, Identity, Plan
from gatewayd.rigs.sources import FactSource
from gatewayd.settings.load import load
from gatewayd.settings.model import Settings
from gatewayd.store.model import Cylinder
from gatewayd.store.reads import Reader, Reads
from gatewayd.texts import Language
from gatewayd.timekeeping.keeper import Timekeeper
from rules_engine import facts
from rules_engine.engine import judge
from rules_engine.verdict import Stage, Verdict


@click.command()
@config_option
@click.option("--rig", "rig_id", required=True, help="The rig it would be filled at.")
@click.option("--code", help="The cylinder's code, or what a scanner read.")
@click.option("--uid", help="The tag's uid or EPC in hex.")
@click.option("--set", "overrides", multiple=True, metavar="FACT=VALUE", help="Change one fact.")
@click.option("--at", "at", metavar="TIME", help="Decide as of this date or RFC 3339 time.")
@click.option(
    "--stage",
    type=click.Choice(get_args(Stage)),
    default="permit",
    help="Where it is: receive, prefill, permit (usual), fill, postfill, dispatch.",
)
@lang_option
@json_option
@reports_errors
def verdict(
    *,
    rig_id: str,
    code: str | None,
    uid: str | None,
    overrides: tuple[str, ...],
    at: str | None,
    stage: Stage,
    lang: Language | None,
    as_json: bool,
) -> None:
    """What would be decided and why; exit 0 allow, 1 deny.

    Before the fill --set scale.tare_g=GRAMS, the cylinder on the scale, shows target and limit. The
    stages behind it are judged by what the last fill put in, or by scale.net_g.

    \b
    gatewayd verdict --rig rig-1 --code 3701000110100001 --set scale.tare_g=16600
    gatewayd verdict --rig rig-1 --code 3701000110100001
    gatewayd verdict --rig rig-1 --uid E280689400005005B2210861 --at 2027-01-01
    gatewayd verdict --rig rig-1 --code X --set cylinder.next_inspection_on=2020-01
    """  # noqa: D301 - click wants the backspace character itself
    if not code and not uid:
        raise misused("name_cylinder")
    settings = load(directory())
    spoken = language(lang)
    base_changes = _overrides(overrides)
    wall = _when(at, settings)
    with Reader.open(settings.store_path) as store:
        clock: FactSource = GivenTime() if at else _own_clock(settings, store)
        bench = _bench(settings, rig_id, store, clock)
        who = _identify(store, settings, code, uid, both=_asks_for_both(bench))
        found = gather(bench, who, None, wall)
        entry = who.cylinder
        weighed = {} if entry is None else of_last_fill(store, bench, entry.code, stage)
    plan: Plan | None = None
    facts: dict[str, Any] = {}
    if who.status == "many":
        decided = denied(bench.packs, reason_at_rig(who.objection, who, None))
    else:
        base = found | weighed | base_changes
        facts = {name: value for name, value in base.items() if value is not None}
        judged, plan = _judged(bench, facts, stage)
        decided = advise(judged, who)
    _say(decided, stage, verdict_masses.as_json(stage, plan, facts), spoken, as_json=as_json)
    stop(OK if decided.allowed else NO)


def _judged(bench: Bench, facts: Mapping[str, Any], stage: Stage) -> tuple[Verdict, Plan | None]:
    return assess(bench, facts) if stage == "permit" else (judge(bench.packs, facts, stage), None)


def _say(
    decided: Verdict,
    stage: Stage,
    masses: Mapping[str, int | None] | None,
    spoken: Language,
    *,
    as_json: bool,
) -> None:
    if as_json:
        print_json({**decided.as_json(), "masses": masses})
        return
    show(decided, spoken, stage=stage)
    if told := verdict_masses.line(stage, masses, spoken, allowed=decided.allowed):
        click.echo(told)


def _own_clock(settings: Settings, reads: Reads) -> ClockTrust:
    """What the clock of this machine is worth right now."""
    return ClockTrust(Timekeeper(SystemClock(), settings.clock, reads))


def _bench(settings: Settings, rig_id: str, reads: Reads, clock: FactSource) -> Bench:
    rig = settings.rigs.get(rig_id)
    if rig is None:
        known = ", ".join(settings.rigs)
        raise misused("no_rig", rig=rig_id, known=known)
    packs = tuple(settings.packs[pack] for pack in rig.rules)
    return Bench(rig_id, rig, settings.station, packs, suppliers(settings, reads, clock))


def _overrides(given: Iterable[str]) -> dict[str, Any]:
    """`--set name=value` as facts; an empty value makes the fact unknown."""
    changes: dict[str, Any] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals:
            raise misused("set", item=item)
        try:
            changes[name.strip()] = facts.parse(name.strip(), value)
        except ValueError as exc:
            raise click.UsageError(f"--set {item}: {exc}") from exc
    return changes


def _when(at: str | None, settings: Settings) -> datetime:
    """The moment to judge at; without an offset it is the station's own time."""
    if at is None:
        return SystemClock().wall()
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as exc:
        raise misused("at", at=at) from exc
    zone = ZoneInfo(settings.station.timezone)
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment


def _asks_for_both(bench: Bench) -> bool:
    """Whether the rig waits for two devices: then tag and printed code must agree."""
    return len({item.device for item in bench.rig.identify if item.require}) > 1


def _identify(
    store: Reader, settings: Settings, code: str | None, uid: str | None, *, both: bool
) -> Identity:
    """What the archive knows under these; two different cylinders are one too many."""
    region = settings.station.region
    codes = _entries(code, by_code(store, code, region)) if code else {}
    tags = _entries(uid, by_uid(store, plain_uid(uid))) if uid else {}
    found = codes | tags
    hint = _hint(store, found, code, uid)
    if len(found) > 1 and any(found.values()):
        clash = None
        if both and code and uid and len(codes) == len(tags) == 1:
            clash = Clash(plain_uid(uid), code, _name(tags), _name(codes))
        return Identity("many", shown=tuple(found), hint=hint, clash=clash)
    cylinder = next(iter(found.values()))
    agrees = cylinder is not None and bool(code) and bool(uid)
    return Identity("one", cylinder, uid=uid, code=code, hint=hint, agrees=agrees)


def _name(entries: Mapping[str, Cylinder | None]) -> str | None:
    """The code of the one cylinder, None for one that the archive does not know."""
    (cylinder,) = entries.values()
    return None if cylinder is None else cylinder.code


def _hint(
    store: Reader, found: Mapping[str, Cylinder | None], code: str | None, uid: str | None
) -> Hint | None:
    """What to change when the tag or the code is unknown but nearly known."""
    if uid and f"?{uid}" in found and (hint := hint_on_tag(store, plain_uid(uid))):
        return hint
    return hint_on_code(store, code) if code and f"?{code}" in found else None


def _entries(given: str, cylinders: Iterable[Cylinder]) -> dict[str, Cylinder | None]:
    known: dict[str, Cylinder | None] = {c.code: c for c in cylinders}
    return known or {f"?{given}": None}
