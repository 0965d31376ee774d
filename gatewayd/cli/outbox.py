"""`gatewayd outbox`: what still has to reach each upstream, and what an upstream refused."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import click

from gatewayd.cli.common import (
    config_option,
    directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
)
from gatewayd.clock import SECOND, SystemClock
from gatewayd.settings.load import load
from gatewayd.settings.mapped import MappedSettings
from gatewayd.settings.model import Settings
from gatewayd.store import beside
from gatewayd.store.chain import parse
from gatewayd.store.model import DeadLetter
from gatewayd.store.reads import Reader
from gatewayd.texts import Language, text

DEAD_DEFAULT = 100
DEAD_MAX = 100_000
OVER_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class _Backlog:
    """One upstream's part of the outbox. Times are RFC 3339; None: never, or nothing waits.

    `oldest_waiting_s` is how old the oldest waiting record is now, in seconds. `rate_s` is how many
    records a second the upstream takes just now, None where nothing waits or nobody looked;
    `drained_in_s` how long that takes for the backlog, None while nothing is taken. `mapping` names what
    it speaks, `records` the kinds that are for it: every other kind counts as settled.
    """

    upstream: str
    configured: bool
    acknowledged: int
    backlog: int
    last_ack: datetime | None
    oldest_waiting: str | None
    oldest_waiting_s: int | None
    dead: int
    retrying: int
    mapping: str | None = None
    records: tuple[str, ...] | None = None
    rate_s: float | None = None

    @property
    def drained_in_s(self) -> int | None:
        """How long the backlog takes at this rate."""
        return round(self.backlog / self.rate_s) if self.rate_s else None

    def as_json(self) -> dict[str, Any]:
        """One row of `outbox status --json`."""
        return {
            "upstream": self.upstream,
            "configured": self.configured,
            "acknowledged": self.acknowledged,
            "backlog": self.backlog,
            "last_ack": self.last_ack.isoformat() if self.last_ack else None,
            "oldest_waiting": self.oldest_waiting,
            "oldest_waiting_s": self.oldest_waiting_s,
            "rate_s": self.rate_s,
            "drained_in_s": self.drained_in_s,
            "dead": self.dead,
            "retrying": self.retrying,
            **self._spoken(),
        }

    def _spoken(self) -> dict[str, Any]:
        if self.records is None:
            return {}
        return {"mapping": self.mapping, "records": list(self.records)}

    def line(self, lang: Language, zone: ZoneInfo) -> str:
        """One row for a person, in the station's time."""
        last_ack = _local(self.last_ack, zone) if self.last_ack else ""
        words = {
            "backlog": f"{self.backlog:>7}",
            "last_ack": last_ack or text("outbox.never", lang),
            "oldest": self._oldest(lang),
            "pace": self._pace(lang),
            "dead": self.dead,
            "retrying": self.retrying,
        }
        return f"{self.upstream:<16} {text('outbox.line', lang, **words)}{self._note(lang)}"

    def _note(self, lang: Language) -> str:
        if self.records is not None:
            kinds = ", ".join(self.records)
            return text("outbox.mapped", lang, mapping=self.mapping, records=kinds)
        return "" if self.configured else text("outbox.stranger", lang)

    def _pace(self, lang: Language) -> str:
        if self.rate_s is None:
            return ""
        done = self.drained_in_s
        rate = text("outbox.rate", lang, rate=f"{self.rate_s:g}")
        return rate + (
            "" if done is None else text("outbox.done_in", lang, left=timedelta(seconds=done))
        )

    def _oldest(self, lang: Language) -> str:
        if self.oldest_waiting is None or self.oldest_waiting_s is None:
            return "-"
        age = timedelta(seconds=self.oldest_waiting_s)
        return text("outbox.oldest", lang, time=self.oldest_waiting, age=age)


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


@click.group()
@config_option
def outbox() -> None:
    """Backlog of every upstream, and its dead letters.

    \b
    gatewayd outbox status
    """  # noqa: D301 - click wants the backspace character itself


@outbox.command()
@click.option(
    "--over",
    "over_s",
    metavar="SECONDS",
    type=click.FloatRange(0, OVER_S_MAX),
    default=1.0,
    show_default=True,
    help="How long the rate is looked at while records wait; 0: not at all.",
)
@lang_option
@config_option
@json_option
@reports_errors
def status(*, over_s: float, lang: Language | None, as_json: bool) -> None:
    """Records that wait for each upstream, the oldest and its age, and how fast they go out now.

    \b
    gatewayd outbox status --json
    """  # noqa: D301 - click wants the backspace character itself
    settings = load(directory())
    with Reader.open(settings.store_path) as store:
        rates = _rates(store, settings, over_s)
        last = store.last_sequence()
        rows = [replace(row, rate_s=rates.get(row.upstream)) for row in _backlogs(store, settings)]
    if as_json:
        print_json({"last_sequence": last, "upstreams": [row.as_json() for row in rows]})
        return
    for row in rows:
        click.echo(row.line(language(lang), ZoneInfo(settings.station.timezone)))
    click.echo(text("outbox.last", language(lang), sequence=last), err=True)


def _rates(store: Reader, settings: Settings, over_s: float) -> dict[str, float]:
    """Records a second that those take for which some wait; looked at for `over_s` seconds."""
    last = store.last_sequence()
    through = dict.fromkeys(settings.upstreams, 0) | _through(store)
    waiting = [name for name, sequence in through.items() if sequence < last]
    if not waiting or not over_s:
        return {}
    clock = SystemClock()
    began_ns = clock.monotonic_ns()
    Event().wait(over_s)
    after, took_s = _through(store), (clock.monotonic_ns() - began_ns) / SECOND
    return {name: round((after.get(name, 0) - through[name]) / took_s, 1) for name in waiting}


def _through(store: Reader) -> dict[str, int]:
    return {cursor.upstream: cursor.sequence for cursor in store.cursors()}


def _backlogs(store: Reader, settings: Settings) -> list[_Backlog]:
    cursors = {cursor.upstream: cursor for cursor in store.cursors()}
    now = SystemClock().wall()
    rows = []
    for name in sorted({*cursors, *settings.upstreams}):
        cursor = cursors.get(name)
        through = cursor.sequence if cursor else 0
        waiting = store.records(after_sequence=through, limit=1)
        oldest = str(parse(waiting[0].body)["time"]) if waiting else None
        rows.append(
            _Backlog(
                upstream=name,
                configured=name in settings.upstreams,
                acknowledged=through,
                backlog=store.waiting(through),
                last_ack=cursor.acknowledged_at if cursor else None,
                oldest_waiting=oldest,
                oldest_waiting_s=None if oldest is None else _age_s(oldest, now),
                dead=store.dead_count(name, retrying=False),
                retrying=store.dead_count(name, retrying=True),
                **_spoken(settings, name),
            )
        )
    return rows


def _spoken(settings: Settings, name: str) -> dict[str, Any]:
    """What an upstream with a mapping takes; nothing for one that takes records as they are."""
    upstream = settings.upstreams.get(name)
    made = upstream.settings if upstream else None
    tongue = made.tongue if isinstance(made, MappedSettings) else None
    if tongue is None:
        return {}
    return {"mapping": tongue.mapping.id, "records": tuple(sorted(tongue.mapping.kinds))}


def _age_s(time: str, now: datetime) -> int:
    """How old a record is, in seconds; one from the future (the clock went back) is 0 old."""
    return max(0, int((now - datetime.fromisoformat(time)).total_seconds()))


@outbox.command()
@click.option("--upstream", metavar="NAME", help="Only this upstream.")
@click.option("--limit", type=click.IntRange(1, DEAD_MAX), default=DEAD_DEFAULT, show_default=True)
@lang_option
@config_option
@json_option
@reports_errors
def dead(upstream: str | None, *, limit: int, lang: Language | None, as_json: bool) -> None:
    """Records that an upstream refused for good, with its reason. None of them is lost.

    \b
    gatewayd outbox dead --upstream platform
    """  # noqa: D301 - click wants the backspace character itself
    settings = load(directory())
    with Reader.open(settings.store_path) as store:
        letters = store.dead_letters(upstream, limit=limit)
        total = sum(store.dead_count(upstream, retrying=retrying) for retrying in (False, True))
    if as_json:
        print_json({"total": total, "dead": [_letter(letter) for letter in letters]})
        return
    zone = ZoneInfo(settings.station.timezone)
    for letter in letters:
        state = text("outbox.retrying" if letter.retrying else "outbox.dead", language(lang))
        click.echo(
            f"{letter.upstream:<16} {letter.sequence:>8}  {letter.kind:<8} {state:<8} "
            f"{_local(letter.refused_at, zone)}  {letter.reason}"
        )
    click.echo(text("outbox.dead_count", language(lang), shown=len(letters), total=total), err=True)


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return {
        "upstream": letter.upstream,
        "sequence": letter.sequence,
        "id": letter.record_id,
        "kind": letter.kind,
        "reason": letter.reason,
        "refused_at": letter.refused_at.isoformat(),
        "retrying": letter.retrying,
    }


@outbox.command()
@click.option("--upstream", metavar="NAME", help="Only this upstream.")
@click.option(
    "--seq", "sequences", type=click.IntRange(min=1), multiple=True, help="Only this record."
)
@lang_option
@config_option
@json_option
@reports_errors
def retry(
    upstream: str | None, sequences: tuple[int, ...], *, lang: Language | None, as_json: bool
) -> None:
    """Have dead letters sent again: all, those of one upstream, or single records.

    The running daemon takes them up by itself, with the same ids; what is refused again is dead
    again. Records that merely wait need no retry.

    \b
    gatewayd outbox retry
    gatewayd outbox retry --upstream platform --seq 17
    """  # noqa: D301 - click wants the backspace character itself
    settings = load(directory())
    asked = beside.retry_dead(
        settings.store_path,
        station_id=settings.station.id,
        upstream=upstream,
        sequences=sequences,
        quota_mb=settings.store.quota_mb,
    )
    if as_json:
        print_json({"retrying": asked})
        return
    click.echo(text("outbox.again", language(lang), count=asked))
