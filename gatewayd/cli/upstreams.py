"""`gatewayd upstreams`: the mappings there are, what they make of records, and what they may read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table

from gatewayd.cli.common import (
    NO,
    config_option,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.cli.profile_test import site_directory
from gatewayd.cli.upstreams_screen import print_mapping
from gatewayd.mapping.examples import HOME, Outcome, run
from gatewayd.mapping.functions import USES
from gatewayd.mapping.load import load
from gatewayd.mapping.mapping import PlatformMapping
from gatewayd.mapping.words import WORDS
from gatewayd.settings.files import read_text
from gatewayd.settings.mappings import Mappings, Source, read
from gatewayd.settings.messages_check import drivers
from gatewayd.settings.report import Report
from gatewayd.texts import Language
from protocols.documents import DocumentError, nearest_hint

HEADS = ("", "driver", "records", "voucher", "verified")


@dataclass(frozen=True, slots=True)
class Tested:
    """One mapping and its examples; `problems` when it cannot be loaded."""

    id: str
    file: str
    mapping: PlatformMapping | None
    outcomes: tuple[Outcome, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it loads and every example comes out as written."""
        return self.mapping is not None and all(outcome.ok for outcome in self.outcomes)


@click.group()
@config_option
def upstreams() -> None:
    """Mappings: how records are said in the words of another platform.

    \b
    gatewayd upstreams list
    gatewayd upstreams test my-platform.yaml
    """  # noqa: D301 - click wants the backspace character itself


@upstreams.command("list")
@lang_option
@config_option
@json_option
@reports_errors
def list_mappings(*, lang: Language | None, as_json: bool) -> None:
    """Every mapping: its id, what it is for, the kinds of records it takes, whether it was tried.

    \b
    gatewayd upstreams list --json
    """  # noqa: D301 - click wants the backspace character itself
    tested = [_tested(source) for _, source in sorted(_found().sources.items())]
    if as_json:
        print_json({"mappings": [_row(each) for each in tested]})
        return
    table = Table(Column("mapping", no_wrap=True), *HEADS, box=None)
    for each in tested:
        table.add_row(each.id, *_cells(each, language(lang)))
    Console(highlight=False).print(table)


@upstreams.command("show")
@click.argument("name", metavar="ID")
@lang_option
@config_option
@json_option
@reports_errors
def show_mapping(name: str, *, lang: Language | None, as_json: bool) -> None:
    """One mapping: source, caveats, what it asks the station for, and every request it makes.

    \b
    gatewayd upstreams show thingsboard
    """  # noqa: D301 - click wants the backspace character itself
    each = _tested(_named(name, _found()))
    if as_json:
        print_json(_row(each))
    elif each.mapping is not None:
        print_mapping(each.mapping, language(lang))
    if each.mapping is None:
        stop(NO, "\n".join(each.problems))


@upstreams.command("words")
@config_option
@json_option
@reports_errors
def list_words(*, as_json: bool) -> None:
    """Everything that a mapping may read of a record, and what it may call.

    \b
    gatewayd upstreams words
    """  # noqa: D301 - click wants the backspace character itself
    if as_json:
        rows = [
            {"name": name, "type": word.type, "kinds": list(word.kinds), "meaning": word.doc}
            for name, word in WORDS.items()
        ]
        print_json({"words": rows, "functions": list(USES.values())})
        return
    table = Table("name", "type", "meaning", "records", box=None)
    for name, word in WORDS.items():
        kinds = "all" if word.kinds == WORDS["record.id"].kinds else " ".join(word.kinds)
        table.add_row(name, word.type, word.doc, kinds)
    console = Console(highlight=False)
    console.print(table)
    for use in USES.values():
        console.print(use, markup=False)


@upstreams.command("test")
@click.argument("what", nargs=-1, metavar="[FILE|ID]...")
@config_option
@json_option
@reports_errors
def test_mappings(what: Sequence[str], *, as_json: bool) -> None:
    """Run the examples inside mappings; exit 1 when one comes out otherwise.

    Nothing is sent. Without FILE or ID: every mapping there is.

    \b
    gatewayd upstreams test
    gatewayd upstreams test my-platform.yaml
    """  # noqa: D301 - click wants the backspace character itself
    tested = [_tested(source) for source in _chosen(what)]
    ok = all(each.ok for each in tested)
    if as_json:
        print_json({"ok": ok, "mappings": [_tested_row(each) for each in tested]})
    else:
        _print_tests(tested)
    if not ok:
        stop(NO, "\n".join(line for each in tested for line in _complaints(each)))


def _found() -> Mappings:
    report = Report()
    found = read(site_directory(), report)
    if report.problems:
        stop(NO, "\n".join(str(problem) for problem in report.problems))
    return found


def _named(name: str, found: Mappings) -> Source:
    if name not in found.sources:
        known = ", ".join(sorted(found.sources))
        hint = nearest_hint(name, found.sources)
        raise click.UsageError(f"no mapping {name!r}; known: {known}; {hint}".rstrip("; "))
    return found.sources[name]


def _chosen(what: Sequence[str]) -> Iterator[Source]:
    found = _found() if not what or any(not _is_file(word) for word in what) else Mappings()
    for word in what or sorted(found.sources):
        if not _is_file(word):
            yield _named(word, found)
            continue
        report = Report()
        text = read_text(Path(word), report)
        if text is None:
            stop(NO, "\n".join(str(problem) for problem in report.problems))
        yield Source.of_text(Path(word), text, shipped=False)


def _is_file(word: str) -> bool:
    return Path(word).suffix in {".yaml", ".yml"} or Path(word).is_file()


def _tested(source: Source) -> Tested:
    try:
        mapping = load(source.text, str(source.path), HOME)
    except DocumentError as exc:
        problems = tuple(str(problem) for problem in exc.problems)
        return Tested(source.id, str(source.path), None, problems=problems)
    outcomes = tuple(run(mapping, source.text))
    return Tested(mapping.id, str(source.path), mapping, outcomes)


def _complaints(tested: Tested) -> Iterator[str]:
    yield from tested.problems
    for outcome in tested.outcomes:
        if not outcome.ok:
            yield f"{tested.file}: example {outcome.number + 1} {outcome.title}: {outcome.said}"


def _row(tested: Tested) -> dict[str, Any]:
    mapping = tested.mapping
    if mapping is None:
        return {"id": tested.id, "file": tested.file, "problems": list(tested.problems)}
    file = mapping.file
    return {
        "id": mapping.id,
        "file": tested.file,
        "title": {"zh": file.title.zh, "en": file.title.en},
        "source": file.source,
        "verified": file.verified,
        "caveats": list(file.caveats),
        "timezone": file.timezone,
        "drivers": list(drivers(mapping)),
        "records": sorted(mapping.kinds),
        "voucher": mapping.voucher is not None,
        "values": {
            name: {"type": value.type, "secret": value.secret, "doc": value.doc}
            for name, value in file.values.items()
        },
        "tables": {name: dict(table) for name, table in file.tables.items()},
        "station_tables": {
            name: {"doc": table.doc, "example": dict(table.example)}
            for name, table in file.station_tables.items()
        },
        "requests": [
            {"records": list(r.records), "when": r.when, "method": r.method, "path": r.path}
            for r in file.requests
        ],
        "messages": [
            {"records": list(m.records), "when": m.when, "to": m.to} for m in file.messages
        ],
        "problems": [],
    }


def _tested_row(tested: Tested) -> dict[str, Any]:
    return {
        "id": tested.id,
        "file": tested.file,
        "ok": tested.ok,
        "problems": list(tested.problems),
        "examples": [
            {"number": o.number + 1, "title": o.title, "ok": o.ok, "said": o.said}
            for o in tested.outcomes
        ],
    }


def _cells(tested: Tested, lang: Language) -> tuple[str, str, str, str, str]:
    mapping = tested.mapping
    if mapping is None:
        return "wrong: see gatewayd upstreams test", "", "", "", ""
    title = mapping.file.title.zh if lang == "zh" else mapping.file.title.en
    marks = ("yes" if mapping.voucher else "", "yes" if mapping.file.verified else "no")
    return title, ", ".join(drivers(mapping)), ", ".join(sorted(mapping.kinds)), *marks


def _print_tests(tested: Sequence[Tested]) -> None:
    table = Table("mapping", "file", "examples", "failed", box=None)
    for each in tested:
        failed = sum(not outcome.ok for outcome in each.outcomes)
        count = str(len(each.outcomes)) if each.mapping else "wrong"
        style = "green" if each.ok else "red"
        table.add_row(each.id, each.file, count, str(failed), style=style)
    Console(highlight=False).print(table)
