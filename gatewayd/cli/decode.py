"""`gatewayd decode`: what a piece of hex or text is, with its bytes beside their meaning."""

import sys
from collections.abc import Sequence

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gatewayd.cli.common import (
    NO,
    config_option,
    directory,
    json_option,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.errors import ConfigError
from gatewayd.settings.drivers import learn_formats
from gatewayd.settings.layouts import layouts_of
from gatewayd.settings.report import ConfigProblemsError
from protocols.decode import DATA_CHARS_MAX, FORMATS, LATER, Decoded, FormatError, anatomy
from protocols.decode import decode as decode_data
from protocols.formats import Part
from protocols.framing import FrameError
from protocols.tags.layout import Layout, as_format

_NAMES = ", ".join(FORMATS)
_LATER = f" Not in this version: {', '.join(sorted(LATER))}." if LATER else ""


@click.command(epilog=f"Formats: {_NAMES}; and those of drivers that are installed.{_LATER}")
@click.option(
    "--format",
    "format_",
    metavar="F",
    help="Decode as this format, or a layout of tags/*.yaml; else it is guessed.",
)
@click.option("--frame", metavar="PROTOCOL", help="Decode as a frame of this device protocol.")
@json_option
@config_option
@reports_errors
@click.argument("data", nargs=-1, required=True)
def decode(data: tuple[str, ...], format_: str | None, frame: str | None, *, as_json: bool) -> None:
    """Decode a device frame, a tag's memory or a barcode; exit 1 when it is not valid.

    DATA is hex (blanks, colons, dashes and 0x are fine) or text; - reads it from standard input.

    \b
    gatewayd decode 3074257BF7194E4000001A85
    gatewayd decode 'http://teshe.org.cn/Q?id=1100000110100001'
    gatewayd decode --frame uhfreader288 15 00 01 03 01 01 0c e280689400005005b2210861 4d 2f50
    gatewayd decode --json - < scan.txt
    """  # noqa: D301 - click wants the backspace itself
    text = _read(data)
    learn_formats()
    layout = _layout(format_) if format_ and not frame else None
    if layout is not None:
        decoded, parts = _by_layout(layout, text)
    else:
        try:
            decoded = decode_data(text, format=format_, frame=frame)
        except FormatError as exc:
            raise click.UsageError(str(exc)) from exc
        parts = anatomy(text, decoded)
    if as_json:
        print_json(decoded.as_dict())
    else:
        _show(parts, decoded)
    if not decoded.valid:
        stop(NO)


def _read(data: tuple[str, ...]) -> str:
    """The arguments as one text, or standard input (one character more than is decoded)."""
    if data == ("-",):
        return sys.stdin.read(DATA_CHARS_MAX + 1)
    return " ".join(data)


def _layout(name: str) -> Layout | None:
    """The tag layout of that name in the config directory; None without one."""
    if name in FORMATS:
        return None
    try:
        return layouts_of(directory()).get(name)
    except ConfigProblemsError:
        raise
    except ConfigError:
        return None  # Without a config directory only the formats of gatewayd are known.


def _by_layout(layout: Layout, text: str) -> tuple[Decoded, tuple[Part, ...]]:
    row = as_format(layout)
    try:
        fields = row.read(text)
    except FrameError as exc:
        return Decoded("tag", layout.id, valid=False, fields={}, error=str(exc)), ()
    decoded = Decoded("tag", layout.id, valid=True, fields=fields)
    return decoded, tuple(row.parts(text, fields))


def _show(parts: Sequence[Part], decoded: Decoded) -> None:
    console = Console()
    colour, word = ("green", "valid") if decoded.valid else ("red", "not valid")
    console.print(f"{decoded.kind} [bold]{decoded.format}[/bold]: [{colour}]{word}[/{colour}]")
    if parts:
        console.print(_table(("as it came", "meaning"), [(p.raw, p.meaning) for p in parts]))
    if decoded.fields:
        rows = [(name, _value(value)) for name, value in decoded.fields.items()]
        console.print(_table(("field", "value"), rows))
    if decoded.error:
        click.echo(f"{decoded.format}: {decoded.error}{_detail(decoded)}", err=True)


def _detail(decoded: Decoded) -> str:
    return f": {decoded.fields['detail']}" if "detail" in decoded.fields else ""


def _value(value: object) -> str:
    """A value on one line: lists by comma, nested fields as name=value."""
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value)
    if isinstance(value, dict):
        return " ".join(f"{name}={_value(item)}" for name, item in value.items())
    return str(value)


def _table(heads: tuple[str, str], rows: list[tuple[str, str]]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for left, right in rows:
        table.add_row(escape(left), escape(right))
    return table
