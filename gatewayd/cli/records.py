"""`gatewayd records`: look at committed facts and prove that none was changed or lost."""

import json
from contextlib import suppress
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from gatewayd.cli import record_screen
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
from gatewayd.cli.known import translated
from gatewayd.cli.salvage import salvage
from gatewayd.settings.site import load_site
from gatewayd.store.behind import lacks_its_log
from gatewayd.store.gaps import Gap
from gatewayd.store.model import Record
from gatewayd.store.reads import Reader
from gatewayd.store.rebirth import SEQUENCES_SKIPPED
from gatewayd.store.verifying import Verified
from gatewayd.store.verifying import verify as verify_chain
from gatewayd.texts import Language, text

LIST_DEFAULT = 50
LIST_MAX = 100_000


store_option = click.option(
    "--store",
    "store_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A store or a copy of one; then no configuration is needed.",
)


def _open(store_file: Path | None) -> Reader:
    return Reader.open(store_file or load_site(directory()).store_path)


@click.group()
@config_option
def records() -> None:
    """Query records and verify their hash chain.

    \b
    gatewayd records list --kind fill
    """  # noqa: D301 - click wants the backspace character itself


records.add_command(salvage)


@records.command("list")
@click.option("--kind", metavar="KIND", help="Only fill, refusal, alarm, ...")
@click.option("--rig", metavar="RIG", help="Only records of this rig.")
@click.option(
    "--since-seq",
    type=click.IntRange(min=1),
    help="From this sequence on; without it, the newest records.",
)
@click.option("--limit", type=click.IntRange(1, LIST_MAX), default=LIST_DEFAULT, show_default=True)
@lang_option
@store_option
@config_option
@json_option
@reports_errors
def list_(
    kind: str | None,
    rig: str | None,
    since_seq: int | None,
    *,
    limit: int,
    lang: Language | None,
    store_file: Path | None,
    as_json: bool,
) -> None:
    """List records, oldest first.

    \b
    gatewayd records list --kind fill --rig rig-1
    gatewayd records list --since-seq 120 --json
    """  # noqa: D301 - click wants the backspace character itself
    with _open(store_file) as store:
        found = (
            store.newest_records(limit=limit, kind=kind, rig=rig)
            if since_seq is None
            else store.records(after_sequence=since_seq - 1, limit=limit, kind=kind, rig=rig)
        )
        last = store.last_sequence()
    if as_json:
        print_json({"last_sequence": last, "records": [json.loads(r.body) for r in found]})
        return
    for record in found:
        click.echo(_line(record))
    click.echo(text("records.shown", language(lang), count=len(found), last=last), err=True)


def _line(record: Record) -> str:
    envelope = json.loads(record.body)
    time = envelope["time"]
    return f"{record.sequence:>8}  {time}  {record.rig_id:<12} {record.kind:<8} {_gist(envelope)}"


def _gist(envelope: dict[str, Any]) -> str:
    """The few values that a person looks for first."""
    data = envelope["data"]
    code = (data.get("cylinder") or {}).get("code")
    findings = (data.get("verdict") or {}).get("findings") or []
    if data.get("action"):
        return _alarm(data)
    parts = [
        str(code or _who(data) or "-"),
        str(data.get("outcome") or data.get("code") or ""),
        f"{data['net_g']} g" if isinstance(data.get("net_g"), int) else "",
        " ".join(finding["code"] for finding in findings),
        *((data["form"], data["result"], *data["failed"]) if "result" in data else ()),
    ]
    return "  ".join(part for part in parts if part)


def _alarm(data: dict[str, Any]) -> str:
    """An alarm: what, of whom, what became of it, and who answered for it."""
    answer = data.get("acknowledged") or {}
    parts = (data.get("subject"), data.get("code"), data.get("action"), answer.get("by"))
    return "  ".join(str(part) for part in parts if part)


def _who(data: dict[str, Any]) -> str:
    """Of a record about no cylinder: what happened, to whom or which batch."""
    operator = data.get("operator") or {}
    parts = (data.get("event"), operator.get("name") or operator.get("id"), data.get("batch"))
    return "  ".join(str(part) for part in parts if part)


@records.command()
@click.argument("id_or_seq")
@click.option("--why", is_flag=True, help="Only the verdict and what it rests on, for a person.")
@lang_option
@store_option
@config_option
@json_option
@reports_errors
def show(
    id_or_seq: str,
    *,
    why: bool,
    lang: Language | None,
    store_file: Path | None,
    as_json: bool,
) -> None:
    """Show one record by its id or its sequence: the verdict as it was, then the record whole.

    Only the store is read, so that a copy of it (--store) tells the same years later, without the
    rule packs and the archive of that day.

    \b
    gatewayd records show 17
    gatewayd records show 17 --why --lang zh
    gatewayd records show 17 --store /media/usb/gatewayd.db
    """  # noqa: D301 - click wants the backspace character itself
    with _open(store_file) as store:
        record = store.record(int(id_or_seq) if id_or_seq.isdecimal() else id_or_seq)
    if record is None:
        stop(NO, text("records.none", language(lang), given=id_or_seq))
    envelope = json.loads(record.body)
    if as_json:
        print_json(envelope)
        return
    record_screen.show(envelope, language(lang))
    if not why:
        click.echo(json.dumps(envelope, ensure_ascii=False, indent=2))


@records.command()
@lang_option
@store_option
@config_option
@json_option
@reports_errors
def verify(*, lang: Language | None, store_file: Path | None, as_json: bool) -> None:
    """Check every record against its hash, its predecessor and the gap-free sequence.

    Exit 1 at the first break, which is named, and when records were lost with a damaged store.
    Records that were deleted for their age leave a mark that the rest must fit.

    \b
    gatewayd records verify
    """  # noqa: D301 - click wants the backspace character itself
    lacks_log = store_file is not None and lacks_its_log(store_file)
    with _open(store_file) as store:
        found = verify_chain(store)
        zone = _zone(store, at_home=store_file is None) if found.lost else None
    if as_json:
        print_json({**_verified(found), "lacks_log": lacks_log})
    else:
        _tell(found, zone, language(lang))
    if lacks_log:
        click.echo(text("salvage.lacks_log", language(lang), file=store_file), err=True)
    if found.problem is not None:
        problem = translated(found.problem, language(lang))
        stop(NO, text("verify.broken", language(lang), records=found.records, problem=problem))
    if found.lost:
        stop(NO, text("verify.numbers_missing", language(lang)))


def _verified(found: Verified) -> dict[str, Any]:
    return {
        "ok": found.ok,
        "records": found.records,
        "last_hash": found.head.hash,
        "problem": found.problem,
        "last_sequence": found.head.sequence,
        "pruned_through": found.pruned.head.sequence,
        "lost": [
            {
                "from": gap.from_sequence,
                "to": gap.sequence,
                "noted_at": gap.noted_at,
                "file": gap.file or None,
            }
            for gap in found.lost
        ],
    }


def _zone(store: Reader, *, at_home: bool) -> tzinfo | None:
    """The station's; of a copy that of its newest record, None when it has none."""
    if at_home:
        return ZoneInfo(load_site(directory()).station.timezone)
    for newest in store.newest_records(limit=1):
        with suppress(
            ValueError, KeyError, TypeError
        ):  # It may be the very record that was changed.
            return datetime.fromisoformat(json.loads(newest.body)["time"]).tzinfo
    return None


def _noted(at: str, zone: tzinfo | None) -> str:
    """When a gap was noted, in that zone; what is no time as it is."""
    try:
        noted = datetime.fromisoformat(at)
    except ValueError:
        return at
    return noted.astimezone(zone or noted.tzinfo).isoformat(timespec="seconds")


def _missing(gap: Gap, zone: tzinfo | None, lang: Language) -> str:
    """Which numbers are not here, and why."""
    unsure = gap.records >= SEQUENCES_SKIPPED
    how = ("lost_unsure" if unsure else "lost") if gap.file else "left_out"
    first, last = gap.from_sequence, gap.sequence
    which = str(first) if first == last else text("verify.through", lang, first=first, last=last)
    at = _noted(gap.noted_at, zone)
    return text(f"verify.{how}", lang, which=which, file=gap.file, at=at)


def _tell(found: Verified, zone: tzinfo | None, lang: Language) -> None:
    if found.pruned.head.sequence:
        click.echo(text("verify.pruned", lang, last=found.pruned.head.sequence))
    for gap in found.lost:
        click.echo(_missing(gap, zone, lang))
    if found.ok:
        click.echo(text("verify.ok", lang, records=found.records, last=found.head.hash))
