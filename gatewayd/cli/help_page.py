"""A page of `--help` in Chinese: what the library would show, told by the catalogue of help.

The commands say what they do in English, where they are; here it is looked up, and set in columns
that hold for wide characters. Examples are shown as they are. What the catalogue lacks stays English.
"""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence

import click
from rich.cells import cell_len

from gatewayd.cli.known import pattern
from gatewayd.texts_help import books, station, tools, words

HELP: Mapping[str, str] = (
    words.SHARED
    | tools.RUNNING
    | tools.CONFIGURATION
    | tools.DEVICES
    | tools.FORMATS
    | station.RULES
    | station.ARCHIVE
    | station.ORDERS
    | station.WATCH
    | books.RECORDS
    | books.STORE
    | books.SENDING
    | books.PLATFORMS
)
"""English -> Chinese. A `{placeholder}` stands for what a command fills in."""

AS_IT_IS = "\b"
"""The library's mark before a paragraph whose lines stay: the examples."""
INDENT = 2
TERM_COLUMNS_MAX = 30
"""Of the first column of a table; a longer term has its text on the next line, as in English."""
TEXT_COLUMNS_MIN = 20

_EXAMPLE = re.compile(r"(?P<typed>.*?\S)(?P<gap> {2,})(?P<about>\S.*)")
_OPENS, _CLOSES = "（《“", "，。；：、！？）》”…"
_WIDE = "\u2e80-\u9fff\uff00-\uffef"
_PIECES = re.compile(
    rf"\s+|[{_OPENS}\[(]*(?:[{_WIDE}]|[^\s|{_OPENS}{_CLOSES}{_WIDE}]+\|?|\|)[{_CLOSES}\])]*|."
)
"""What stays on one line: a word or one wide character, with the brackets and stops that lean on it."""


def page(ctx: click.Context) -> str:
    """The whole page of the context's command, without a newline at its end."""
    width = ctx.make_formatter().width
    blocks = (
        _usage(ctx, width),
        *_paragraphs(ctx.command.help, width),
        _section("Options", _options(ctx), width),
        _section("Commands", _commands(ctx), width),
        *_paragraphs(ctx.command.epilog, width),
    )
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def chinese(said: str) -> str:
    """A paragraph or the text of an option in Chinese."""
    said = " ".join(said.split())
    if said in HELP:
        return HELP[said]
    for key in HELP:
        found = pattern(key).fullmatch(said) if "{" in key else None
        if found is not None:
            return HELP[key].format(**found.groupdict())
    return said


def folded(said: str, width: int) -> list[str]:
    """Lines of at most so many columns; a piece that is longer has a line for itself."""
    lines = [""]
    for piece in _PIECES.findall(said):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [line.rstrip() for line in lines]


def _usage(ctx: click.Context, width: int) -> list[str]:
    lead = f"{words.HEADINGS['Usage']}：{ctx.command_path} "
    pieces = ctx.command.collect_usage_pieces(ctx)
    told = " ".join(words.USAGE.get(piece, piece) for piece in pieces)
    columns = cell_len(lead)
    first, *more = folded(told, max(width - columns, TEXT_COLUMNS_MIN))
    return [f"{lead}{first}".rstrip(), *(f"{'':{columns}}{line}" for line in more)]


def _paragraphs(said: str | None, width: int) -> Iterator[list[str]]:
    """The paragraphs of a command or its epilog, each as its lines."""
    for paragraph in paragraphs(said):
        if paragraph.startswith(AS_IT_IS):
            lines = [example(line) for line in paragraph.splitlines()[1:]]
        else:
            lines = folded(chinese(paragraph), width - INDENT)
        yield [f"{'':{INDENT}}{line}" for line in lines]


def paragraphs(said: str | None) -> list[str]:
    """What stands between empty lines, in English."""
    whole = inspect.cleandoc(said or "").partition("\f")[0]
    return re.split(r"\n\s*\n", whole) if whole else []


def example(line: str) -> str:
    """An example as it is; what is said behind it in Chinese."""
    found = _EXAMPLE.fullmatch(line)
    if found is None:
        return line
    return f"{found['typed']}{found['gap']}{chinese(found['about'])}"


def _options(ctx: click.Context) -> Iterator[tuple[str, str]]:
    for param in ctx.command.get_params(ctx):
        record = param.get_help_record(ctx)
        if isinstance(param, click.Option) and record is not None:
            told = (chinese(param.help or ""), _extras(param, ctx))
            yield _term(param, record[0]), "  ".join(filter(None, told))


def _term(option: click.Option, spec: str) -> str:
    """An option as it is typed; the kind of its value in Chinese, where it has no name."""
    kind = option.type.name.upper()
    if option.metavar is not None or kind not in words.KINDS or not spec.endswith(f" {kind}"):
        return spec
    return spec.removesuffix(kind) + words.KINDS[kind]


def _extras(option: click.Option, ctx: click.Context) -> str:
    known = option.get_help_extra(ctx)
    said = [words.EXTRAS[key].format(said=known.get(key)) for key in words.EXTRAS if key in known]
    return f"[{'；'.join(said)}]" if said else ""


def _commands(ctx: click.Context) -> Iterator[tuple[str, str]]:
    group = ctx.command
    if not isinstance(group, click.Group):
        return
    look_up = getattr(group, "about", group.get_command)  # imports no command for one line of it
    for name in group.list_commands(ctx):
        command = look_up(ctx, name)
        if command is not None and not command.hidden:
            yield name, _short(command)


def _short(command: click.Command) -> str:
    """The first thing that a command says of itself."""
    first = command.short_help or next(iter(paragraphs(command.help)), "")
    return re.split("[。；]", chinese(first))[0]


def _section(heading: str, rows: Iterator[tuple[str, str]], width: int) -> list[str]:
    table = list(rows)
    return [f"{words.HEADINGS[heading]}：", *_table(table, width)] if table else []


def _table(rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """Two columns, the second one folded."""
    longest = max(cell_len(term) for term, _ in rows)
    column = min(longest, TERM_COLUMNS_MAX) + INDENT
    for term, said in rows:
        lines = folded(said, max(width - INDENT - column, TEXT_COLUMNS_MIN))
        gap = column - cell_len(term)
        if gap >= INDENT:
            lines[0] = f"{term}{'':{gap}}{lines[0]}"
            yield f"{'':{INDENT}}{lines[0]}".rstrip()
            lines = lines[1:]
        else:
            yield f"{'':{INDENT}}{term}"
        yield from (f"{'':{INDENT + column}}{line}" for line in lines)
