"""`gatewayd rules replay`: what other rules would have decided about the scans on record."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table

from gatewayd import replay
from gatewayd.cli.common import (
    config_option,
    directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
)
from gatewayd.cli.usage import misused
from gatewayd.cli.waiting import Report as Progress
from gatewayd.cli.waiting import shown
from gatewayd.clock import SystemClock
from gatewayd.errors import ConfigError
from gatewayd.replay import Again, Scan
from gatewayd.rigs.assess import Bench
from gatewayd.settings.library import load_packs
from gatewayd.settings.load import load
from gatewayd.settings.model import Settings
from gatewayd.settings.report import ConfigProblemsError, Report
from gatewayd.store.model import Record
from gatewayd.store.reads import Reader
from gatewayd.texts import TEXTS, Language, text
from rules_engine.pack import Pack

DAYS_MAX = 36_500
CHANGES_SHOWN_MAX = 200
_SPAN = re.compile(r"([0-9]{1,5})([dh])")


@dataclass(slots=True)
class Tally:
    """What came out; `changes` are the scans whose decision or reasons are others now."""

    records: int = 0
    judged: int = 0
    same: int = 0
    not_by_rules: int = 0
    rig_gone: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    undecided: Counter[str] = field(default_factory=Counter)
    changes: list[tuple[Scan, Again]] = field(default_factory=list)

    def add(self, seen: Scan, now: Again) -> None:
        """One scan judged again."""
        self.judged += 1
        self.undecided.update(now.undecided)
        reasons = replay.codes(seen.findings), replay.codes(now.findings)
        if now.decision != "unknown" and now.decision == seen.decision and reasons[0] == reasons[1]:
            self.same += 1
            return
        if now.decision == "unknown":
            self.decisions["unknown"] += 1
            return
        changed = now.decision != seen.decision
        key = f"{seen.decision} -> {now.decision}" if changed else "other reasons"
        self.decisions[key] += 1
        self.changes.append((seen, now))


@click.command("replay")
@config_option
@click.option("--since", default="30d", metavar="SPAN", help="30d, 12h, or a date (30d).")
@click.option(
    "--with",
    "other",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Rule packs to try: a config directory, or a folder of packs.",
)
@lang_option
@json_option
@reports_errors
def replay_rules(*, since: str, other: Path | None, lang: Language | None, as_json: bool) -> None:
    """Judge the fills and refusals on record again, and show every verdict that changes.

    \b
    gatewayd rules replay
    gatewayd rules replay --since 90d --with new-rules
    """  # noqa: D301 - click wants the backspace character itself
    settings = load(directory())
    start = _start(since, settings)
    packs, unused = _trial(settings, other)
    current = load_packs(settings.directory, Report()).values
    known = replay.by_hash([*current.values(), *packs.values()])
    trial, tally = Trial(settings, packs, known, start), Tally()
    with Reader.open(settings.store_path) as store, shown({"records": "records"}) as progress:
        for record in _records(store, progress):
            trial.add(record, tally)
    for name in unused:
        click.echo(f"{name}: no rig names this pack and it extends none that a rig names", err=True)
    if as_json:
        print_json(_json(tally, trial))
    else:
        _show(tally, start, language(lang))


def _start(since: str, settings: Settings) -> datetime:
    """The moment from which records count; without an offset in the station's own time."""
    zone = ZoneInfo(settings.station.timezone)
    if found := _SPAN.fullmatch(since):
        amount = min(int(found[1]), DAYS_MAX)
        span = timedelta(days=amount) if found[2] == "d" else timedelta(hours=amount)
        return (SystemClock().wall() - span).astimezone(zone)
    try:
        moment = datetime.fromisoformat(since)
    except ValueError as exc:
        raise misused("since", since=since) from exc
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment


def _trial(settings: Settings, other: Path | None) -> tuple[dict[str, Pack], list[str]]:
    """The packs that judge now, by id, and those in the folder that nobody would use."""
    if other is None:
        return dict(settings.packs), []
    report = Report()
    folder = other / "rules" if (other / "rules").is_dir() else other
    found = load_packs(folder.parent, report, kind=folder.name).values
    if report.problems:
        raise ConfigProblemsError(report.problems)
    named = {name for rig in settings.rigs.values() for name in rig.rules}
    lost = sorted(name for name in named if name not in found)
    if lost:
        known = ", ".join(sorted(found))
        raise ConfigError(f"{folder}:0:0: no rule pack {lost[0]!r}; expected one of {known}")
    used = {p.id for name in named for p in replay.on_trial([name], found)}
    ours = (p.id for p in found.values() if Path(p.origin).parent == folder)
    return found, sorted(set(ours) - used)


def _records(store: Reader, progress: Progress) -> Iterator[Record]:
    last, after = store.last_sequence(), 0
    while page := store.records(after_sequence=after):
        yield from page
        after = page[-1].sequence
        progress("records", after, last)


@dataclass(frozen=True, slots=True)
class Trial:
    """What every record is judged with: `packs` by id, `known` by hash, from `start` on."""

    settings: Settings
    packs: Mapping[str, Pack]
    known: Mapping[str, Pack]
    start: datetime

    def add(self, record: Record, tally: Tally) -> None:
        """Judge what one record tells again, if it tells of a judgement."""
        if record.kind not in replay.KINDS or replay.time_of(record) < self.start:
            return
        tally.records += 1
        rig = self.settings.rigs.get(record.rig_id)
        if rig is None:
            tally.rig_gone += 1
            return
        now = replay.on_trial(rig.rules, self.packs)
        seen = replay.scan(record, Bench(record.rig_id, rig, self.settings.station, now))
        if seen is None:
            tally.not_by_rules += 1
        else:
            tally.add(seen, replay.again(seen, now, self.known))

    @property
    def used(self) -> tuple[Pack, ...]:
        """The packs that judge some rig."""
        named = sorted({name for rig in self.settings.rigs.values() for name in rig.rules})
        used = {p.id: p for name in named for p in replay.on_trial([name], self.packs)}
        return tuple(used.values())


def _json(tally: Tally, trial: Trial) -> dict[str, Any]:
    return {
        "since": trial.start.isoformat(timespec="seconds"),
        "packs": [pack.ref.as_json() for pack in trial.used],
        "records": tally.records,
        "judged": tally.judged,
        "same": tally.same,
        "changed": sum(seen.decision != now.decision for seen, now in tally.changes),
        "unknown": tally.decisions["unknown"],
        "counts": dict(sorted(tally.decisions.items())),
        "not_by_rules": tally.not_by_rules,
        "rig_gone": tally.rig_gone,
        "unknown_facts": dict(tally.undecided.most_common()),
        "changes": [_change(seen, now) for seen, now in tally.changes],
    }


def _change(seen: Scan, now: Again) -> dict[str, Any]:
    return {
        "sequence": seen.record.sequence,
        "id": seen.record.id,
        "time": seen.time.isoformat(),
        "rig": seen.record.rig_id,
        "cylinder": seen.code,
        "before": {"decision": seen.decision, "codes": replay.codes(seen.findings)},
        "after": {
            "decision": now.decision,
            "codes": replay.codes(now.findings),
            "findings": list(now.findings),
        },
    }


def _show(tally: Tally, start: datetime, lang: Language) -> None:
    for key, count in _counts(tally, lang):
        click.echo(f"{key}: {count}")
    for fact, count in tally.undecided.most_common():
        click.echo(f"  {text('replay.unknown_fact', lang, fact=fact)}: {count}")
    click.echo(text("replay.since", lang, since=start.isoformat(timespec="minutes")))
    if tally.changes:
        Console(highlight=False).print(_table(tally.changes[:CHANGES_SHOWN_MAX], lang))
    if len(tally.changes) > CHANGES_SHOWN_MAX:
        click.echo(text("replay.more", lang, count=len(tally.changes) - CHANGES_SHOWN_MAX))


def _counts(tally: Tally, lang: Language) -> Iterator[tuple[str, int]]:
    yield text("replay.records", lang), tally.records
    yield text("replay.judged", lang), tally.judged
    yield text("replay.same", lang), tally.same
    for name, count in sorted(tally.decisions.items()):
        yield _outcome(name, lang), count
    yield text("replay.not_by_rules", lang), tally.not_by_rules
    yield text("replay.rig_gone", lang), tally.rig_gone


def _outcome(name: str, lang: Language) -> str:
    """`deny -> allow`, or why nothing else can be said, in words."""
    before, arrow, after = name.partition(" -> ")
    if arrow:
        return f"{text(f'verdict.{before}', lang)} -> {text(f'verdict.{after}', lang)}"
    return text(f"replay.{name.replace(' ', '_')}", lang)


def _table(changes: Sequence[tuple[Scan, Again]], lang: Language) -> Table:
    """Every verdict that changes; what does not fit goes on below, nothing is cut."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    for name in ("record", "time", "rig", "cylinder", "before", "after"):
        table.add_column(text(f"replay.{name}", lang), overflow="fold")
    for seen, now in changes:
        table.add_row(
            str(seen.record.sequence),
            f"{seen.time:%Y-%m-%d %H:%M}",
            seen.record.rig_id,
            seen.code,
            _told(seen.decision, seen.findings, lang),
            _told(now.decision, now.findings, lang),
        )
    return table


def _told(decision: str, findings: Sequence[Mapping[str, Any]], lang: Language) -> str:
    said = text(f"verdict.{decision}", lang) if f"verdict.{decision}" in TEXTS else decision
    return " ".join([said, *replay.codes(findings)])
