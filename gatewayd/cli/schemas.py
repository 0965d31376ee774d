"""`gatewayd schemas`: what leaves this gateway, as JSON Schemas for who builds the other side."""

from pathlib import Path

import click

from gatewayd.cli.common import (
    COULD_NOT_RUN,
    config_option,
    json_option,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.cli.usage import misused
from gatewayd.published import everything


@click.command()
@click.argument("name", required=False)
@click.option("--write", "folder", type=click.Path(path_type=Path), help="Write all to a folder.")
@config_option
@json_option
@reports_errors
def schemas(*, name: str | None, folder: Path | None, as_json: bool) -> None:
    """List the schemas and the AsyncAPI document, print the one NAMEd, or write them all.

    JSON Schema 2020-12, one a kind of record, topic of the board, request and reply; the topic
    `info` lists the same ids; `asyncapi` is the AsyncAPI 3 document of all of it over MQTT. More keys
    may come in a later version, those required stay.

    \b
    gatewayd schemas
    gatewayd schemas gatewayd.fill.v1
    gatewayd schemas asyncapi
    gatewayd schemas --write schemas
    """  # noqa: D301 - click wants the backspace character itself
    if folder is not None:
        _write(folder)
        return
    found = everything.everything()
    if name is None and as_json:
        print_json(found)
    elif name is None:
        click.echo("\n".join(found))
    elif name in found:
        click.echo(everything.as_text(found[name]), nl=False)
    else:
        raise misused("no_schema", name=name)


def _write(folder: Path) -> None:
    try:
        written = everything.write(folder)
    except OSError as exc:
        stop(COULD_NOT_RUN, f"{folder}:0:0: cannot be written: {exc.strerror or exc}")
    for path in written:
        click.echo(str(path))
