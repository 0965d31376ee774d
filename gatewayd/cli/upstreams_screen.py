"""How `gatewayd upstreams show` prints one mapping, and how it is put into gateway.yaml."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from gatewayd.mapping.examples import run
from gatewayd.mapping.file import MappingFile, ValueFile
from gatewayd.mapping.json_text import dumps
from gatewayd.mapping.mapping import PlatformMapping
from gatewayd.settings.messages_check import drivers
from gatewayd.texts import Language


def print_mapping(mapping: PlatformMapping, lang: Language) -> None:
    """Source, caveats, what it asks for, every request or message, every example."""
    console, file = Console(highlight=False), mapping.file
    title = file.title.zh if lang == "zh" else file.title.en
    console.print(Text.assemble((mapping.id, "bold"), f"  {title}  {mapping.origin}"))
    console.print(f"source: {file.source}", markup=False, soft_wrap=True)
    console.print(f"tried against the platform: {'yes' if file.verified else 'no'}")
    for caveat in file.caveats:
        console.print(Text(f"! {caveat}", "yellow"), soft_wrap=True)
    for line in asked(file, drivers(mapping)):
        console.print(line, markup=False, soft_wrap=True)
    for request in file.requests:
        kinds, when = ", ".join(request.records), f" when {request.when}" if request.when else ""
        console.print(f"{kinds}{when}: {request.method} {request.path or '/'}", markup=False)
    for message in file.messages:
        kinds, when = ", ".join(message.records), f" when {message.when}" if message.when else ""
        where = message.to or "where the upstream puts records"
        console.print(f"{kinds}{when}: message to {where}", markup=False)
    for skip in file.skip:
        console.print(f"{', '.join(skip.records)}: not sent: {skip.because}", markup=False)
    for outcome in run(mapping, Path(mapping.origin).read_text(encoding="utf-8")):
        console.print(f"example {outcome.number + 1} {outcome.title}", markup=False)
        console.print(f"    {dumps(outcome.got)}", markup=False, soft_wrap=True)


def asked(file: MappingFile, speakers: Sequence[str]) -> Iterator[str]:
    """What the station gives below its upstream, and a piece of gateway.yaml to begin with."""
    for name, value in file.values.items():
        more = ", !secret" if value.secret else ""
        more += "" if value.default is None else f", default {dumps(value.default)}"
        yield f"values.{name} ({value.type}{more}): {value.doc}"
    for name, table in file.station_tables.items():
        yield f"tables.{name}: {table.doc}"
    for name in file.tables:
        yield f"tables.{name} (one of yours takes its place)"
    yield "in gateway.yaml, below upstreams:"
    yield "  NAME:"
    yield f"    driver: {speakers[0]}" + (
        f"    # or {', '.join(speakers[1:])}" if speakers[1:] else ""
    )
    yield f"    mapping: {file.id}    # beside url and what else the driver needs"
    needed = {name: value for name, value in file.values.items() if value.default is None}
    if values := [f"{name}: {_written(name, value)}" for name, value in needed.items()]:
        yield f"    values: {{{', '.join(values)}}}"
    if tables := [f"{name}: {dumps(dict(t.example))}" for name, t in file.station_tables.items()]:
        yield f"    tables: {{{', '.join(tables)}}}"


def _written(name: str, value: ValueFile) -> str:
    if value.secret:
        return f"!secret {name}"
    return "..." if value.example is None else dumps(value.example)
