"""`gatewayd config`: what is in force and where it comes from, and schemas for editors."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from gatewayd.cli.check import gate_rows
from gatewayd.cli.common import (
    COULD_NOT_RUN,
    config_option,
    directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.cli.plan import plan
from gatewayd.settings import schema as schemas
from gatewayd.settings.effective import effective
from gatewayd.settings.gates import closings
from gatewayd.settings.load import ConfigProblemsError, examine
from gatewayd.texts import Language


@click.group()
@config_option
def config() -> None:
    """Show the effective configuration, what a reload would change, or the JSON Schemas.

    \b
    gatewayd config show -c config
    gatewayd config plan -c config
    """  # noqa: D301 - click wants the backspace character itself


config.add_command(plan)


@config.command()
@lang_option
@config_option
@json_option
@reports_errors
def show(*, lang: Language | None, as_json: bool) -> None:
    """Print every value in force with its origin (file:line:column or default), secrets masked.

    \b
    gatewayd config show -c config
    gatewayd config show --json | jq .values
    """  # noqa: D301 - click wants the backspace character itself
    examined = examine(directory())
    if examined.settings is None:
        raise ConfigProblemsError(examined.problems)
    values = effective(examined)
    if as_json:
        print_json(
            {
                "directory": str(directory()),
                "values": [asdict(value) for value in values],
                "gates": gate_rows(examined.settings),
            }
        )
        return
    width = max(len(value.path) for value in values)
    for value in values:
        shown = json.dumps(value.value, ensure_ascii=False)
        click.echo(f"{value.path:<{width}}  {shown}  # {value.origin}")
    for end in closings(examined.settings):
        click.echo(f"# {end.say(language(lang))}")


@config.command()
@config_option
@click.argument("name", required=False, type=click.Choice(schemas.NAMES))
@click.option("--write", "folder", type=click.Path(path_type=Path), help="Write them to a folder.")
@json_option
@reports_errors
def schema(*, name: str | None, folder: Path | None, as_json: bool) -> None:
    """Print the JSON Schema of one kind of file, or of all; they know every installed driver.

    \b
    gatewayd config schema rigs
    gatewayd config schema --write config/schema
    """  # noqa: D301 - click wants the backspace character itself
    del as_json  # a schema is JSON in any case
    if folder is not None:
        _write(folder)
        return
    found = schemas.schemas()
    click.echo(schemas.as_text(found[name] if name else found), nl=False)


def _write(folder: Path) -> None:
    try:
        written = schemas.write(folder)
    except OSError as exc:
        stop(COULD_NOT_RUN, f"{folder}:0:0: cannot be written: {exc.strerror or exc}")
    for path in written:
        click.echo(str(path))
