"""`--help` is said in the operator's language; the English is the library's own page.

To add a command or an option: say it in English where it is, and in Chinese in `texts_help`.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gatewayd.cli.help_page import AS_IT_IS, HELP, chinese, example, folded, page, paragraphs
from gatewayd.cli.known import pattern
from gatewayd.cli.root import main
from gatewayd.texts_help import words

CHINESE = re.compile(r"[\u4e00-\u9fff]")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
EXAMPLE = "  gatewayd "
COLUMNS = 80
"""What the library's runner gives a page."""

ENGLISH_PAGE = """\
Usage: gatewayd outbox retry [OPTIONS]

  Have dead letters sent again: all, those of one upstream, or single records.

  The running daemon takes them up by itself, with the same ids; what is refused
  again is dead again. Records that merely wait need no retry.

  gatewayd outbox retry
  gatewayd outbox retry --upstream platform --seq 17

Options:
  --upstream NAME      Only this upstream.
  --seq INTEGER RANGE  Only this record.  [x>=1]
  --lang [zh|en]       Default: as your terminal.
  -c, --config DIR     Config directory (default /etc/gatewayd, then ./config).
  --json               Print one JSON object.
  -h, --help           Show this message and exit.
"""
CHINESE_PAGE = """\
用法：gatewayd outbox retry [选项]

  重新发送被拒收的记录：全部、某个上级平台的，或单条。

  运行中的网关会自行发送，记录编号不变；再次被拒收的仍列为拒收。只是在等待的记录
  不需要重发。

  gatewayd outbox retry
  gatewayd outbox retry --upstream platform --seq 17

选项：
  --upstream NAME   只限该上级平台
  --seq 整数        只限该条记录  [范围 x>=1]
  --lang [zh|en]    语言；默认与终端相同
  -c, --config DIR  配置目录（默认 /etc/gatewayd，其次 ./config）
  --json            输出一个 JSON 对象
  -h, --help        显示本帮助
"""


def shown(*typed: str, locale: str) -> str:
    result = CliRunner(env={"LC_ALL": "", "LANG": locale}).invoke(main, typed, prog_name="gatewayd")
    assert result.exit_code == 0, result.output
    return result.stdout


@cache
def contexts() -> tuple[click.Context, ...]:
    """Every command there is."""
    root = main.context_class(main, info_name="gatewayd", terminal_width=COLUMNS)
    root.help_option_names = ["-h", "--help"]
    return tuple(_below(root))


def _below(ctx: click.Context) -> Iterator[click.Context]:
    yield ctx
    group = ctx.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None, name
        below = command.context_class(
            command, ctx, name, terminal_width=COLUMNS, help_option_names=ctx.help_option_names
        )
        yield from _below(below)


@cache
def said() -> Mapping[str, str]:
    """Everything that a page says in English -> the command that says it first."""
    found: dict[str, str] = {}
    for ctx in contexts():
        for text in _said(ctx):
            found.setdefault(" ".join(text.split()), ctx.command_path)
    return found


def _said(ctx: click.Context) -> Iterator[str]:
    command = ctx.command
    for paragraph in (*paragraphs(command.help), *paragraphs(command.epilog)):
        if paragraph.startswith(AS_IT_IS):
            yield from (
                about for line in _examples(paragraph) for about in re.split("  +", line)[1:]
            )
        else:
            yield paragraph
    yield from filter(None, (command.short_help, *(_help(param) for param in command.params)))
    help_option = command.get_help_option(ctx)
    assert help_option is not None
    yield str(help_option.help)


def _help(param: click.Parameter) -> str | None:
    assert isinstance(param, click.Option) or getattr(param, "help", None) is None, (
        "a page has no place for the help of an argument yet",
        param.name,
    )
    return param.help if isinstance(param, click.Option) and not param.hidden else None


def _examples(paragraph: str) -> list[str]:
    return paragraph.splitlines()[1:]


def _arguments(ctx: click.Context) -> set[str]:
    names = (p.human_readable_name for p in ctx.command.params if isinstance(p, click.Argument))
    return {part for name in names for part in re.findall("[A-Z]{2,}", name)}


def test_a_page_in_english_and_in_chinese() -> None:
    assert shown("outbox", "retry", "--help", locale="C.UTF-8") == ENGLISH_PAGE
    assert shown("outbox", "retry", "--help", locale="zh_CN.UTF-8") == CHINESE_PAGE


def test_the_language_is_that_of_lang_else_of_the_terminal() -> None:
    for locale, first in (("C.UTF-8", "Usage: "), ("zh_CN.UTF-8", "用法：")):
        assert shown("--help", locale=locale).startswith(first)
        assert shown("verdict", "-h", locale=locale).startswith(first)
        assert shown("verdict", "--lang", "en", "-h", locale=locale).startswith("Usage: ")
        assert shown("verdict", "--lang=zh", "-h", locale=locale).startswith("用法：")


@pytest.mark.parametrize("typed", [(), ("rules",)], ids=["gatewayd", "rules"])
def test_a_group_without_a_command_shows_its_page_as_an_error(typed: tuple[str, ...]) -> None:
    runner = CliRunner(env={"LC_ALL": "", "LANG": "zh_CN.UTF-8"})
    result = runner.invoke(main, typed, prog_name="gatewayd")
    assert result.exit_code == 2
    assert result.stderr == shown(*typed, "--help", locale="zh_CN.UTF-8")


def test_the_english_is_the_page_of_the_library() -> None:
    for ctx in contexts():
        typed = ctx.command_path.split()[1:]
        plain = click.Context(
            ctx.command,
            ctx.parent,
            ctx.info_name,
            terminal_width=COLUMNS,
            help_option_names=ctx.help_option_names,
        )
        assert shown(*typed, "--help", locale="C.UTF-8") == f"{ctx.command.get_help(plain)}\n"


def test_everything_a_page_says_is_said_in_chinese() -> None:
    missing = [(path, text) for text, path in said().items() if not CHINESE.search(chinese(text))]
    assert not missing, "say it in gatewayd/texts_help"


def test_no_chinese_is_left_over() -> None:
    used = {key for key in HELP for text in said() if key == text or _fits(key, text)}
    assert not HELP.keys() - used, "nobody says this in English any more"


def _fits(key: str, text: str) -> bool:
    return "{" in key and pattern(key).fullmatch(text) is not None


def test_both_languages_name_the_same_options_and_numbers() -> None:
    for text, path in said().items():
        told = chinese(text)
        for names in (OPTION, re.compile(r"\d+")):
            assert set(names.findall(told)) == set(names.findall(text)), (path, told)


def test_an_argument_that_the_english_speaks_of_is_spoken_of() -> None:
    for ctx in contexts():
        for text in map(str, filter(None, _said(ctx))):
            named = {name for name in _arguments(ctx) if re.search(rf"\b{name}\b", text)}
            assert all(name in chinese(text) for name in named), (ctx.command_path, named)


def test_every_kind_of_value_and_piece_of_usage_has_a_word() -> None:
    used = set()
    for ctx in contexts():
        pieces = ctx.command.collect_usage_pieces(ctx)
        used |= {each for each in pieces if "OPTIONS" in each or "ARGS" in each}
        for param in ctx.command.params:
            if isinstance(param, click.Option) and param.metavar is None and not param.is_flag:
                choice = isinstance(param.type, click.Choice)
                assert choice or param.type.name.upper() in words.KINDS, (ctx.command_path, param)
    assert used == words.USAGE.keys()


def test_an_example_is_the_same_in_both_languages() -> None:
    for ctx in contexts():
        lines = [
            line
            for paragraph in paragraphs(ctx.command.help)
            if paragraph.startswith(AS_IT_IS)
            for line in _examples(paragraph)
        ]
        assert lines, f"{ctx.command_path} shows no example"
        told = [line.strip() for line in page(ctx).splitlines() if line.startswith(EXAMPLE)]
        assert told == [example(line) for line in lines]
        for english, told_line in zip(lines, told, strict=True):
            typed = re.split("  +", english)[0]
            assert told_line == english or re.split("  +", told_line)[0] == typed


def test_columns_hold_for_wide_characters() -> None:
    for ctx in contexts():
        lines = page(ctx).splitlines()
        wide = [line for line in lines if cell_len(line) > COLUMNS]
        assert all(line.startswith(EXAMPLE) for line in wide), wide
        for heading in ("选项：", "命令："):
            starts = {_second_column(line) for line in _table(lines, heading)} - {None}
            assert len(starts) <= 1, (ctx.command_path, heading, starts)


def _table(lines: list[str], heading: str) -> list[str]:
    if heading not in lines:
        return []
    below = lines[lines.index(heading) + 1 :]
    return below[: below.index("")] if "" in below else below


def _second_column(line: str) -> int | None:
    """Where the text of a row begins, or goes on; None for a term that has a line for itself."""
    found = re.match(r"( {10,}|  \S.*? {2,})(?=\S)", line)
    return None if found is None else cell_len(found[0])


CORES = ("充装站", "gatewayd ", "--reason ", "[选项]", "（见", "“锁定", "A|B|C ", "12 ")
STOPS = ("", "", "，", "。", "）；", "”", "  ")


@given(
    st.lists(st.tuples(st.sampled_from(CORES), st.sampled_from(STOPS)), min_size=1, max_size=60),
    st.integers(min_value=20, max_value=90),
)
def test_folding_loses_nothing_and_keeps_stops_where_they_lean(
    parts: list[tuple[str, str]], width: int
) -> None:
    text = "".join(core.strip() + stop if stop else core for core, stop in parts).strip()
    lines = folded(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        assert line == line.strip()
        assert cell_len(line) <= width
        assert line[0] not in "，。；）”"
        assert line[-1] not in "（“"


def test_nobody_pays_for_chinese_help_who_does_not_read_it() -> None:
    program = (
        "import os, sys\n"
        "from gatewayd.cli.root import main\n"
        "main(['decode', '--help'], standalone_mode=False)\n"
        "os.environ['LC_ALL'] = 'zh_CN.UTF-8'\n"
        "main(['decode', '3074257BF7194E4000001A85'], standalone_mode=False)\n"
        "print([m for m in sys.modules if 'texts_help' in m or 'help_page' in m])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )
    assert done.stdout.splitlines()[-1] == "[]"
