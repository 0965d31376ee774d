"""The list of commands is read from a table; it is what the commands say of themselves."""

import subprocess
import sys

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewayd.cli.help_page import page, paragraphs
from gatewayd.cli.root import COMMANDS, main
from gatewayd.cli.said import SAID

WHO_READS = """
import sys
from gatewayd.cli.root import main
try:
    main(sys.argv[1:], prog_name="gatewayd")
finally:
    print(*sorted(name for name in sys.modules if name.startswith("gatewayd.")), sep="\\n")
"""
HELPERS = frozenset(
    f"gatewayd.cli.{name}"
    for name in ("common", "help_page", "known", "root", "said", "spoken", "usage")
)


def imported(name: str) -> click.Command:
    command = main.get_command(click.Context(main), name)
    assert command is not None, name
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_what_it_says_itself(name: str) -> None:
    """Add a command to `root.py` and its first paragraph to `said.py`."""
    command = imported(name)
    assert " ".join(paragraphs(command.help)[0].split()) == SAID[name]
    assert (command.short_help, command.hidden, command.deprecated) == (None, False, False)


def test_nothing_is_listed_that_is_no_command() -> None:
    assert list(SAID) == list(COMMANDS)


@given(st.integers(40, 250))
def test_at_any_width_the_page_is_that_of_the_imported_commands(width: int) -> None:
    ctx = click.Context(main, info_name="gatewayd", terminal_width=width, max_content_width=width)
    library, ours = ctx.make_formatter(), ctx.make_formatter()
    click.Group.format_commands(main, ctx, library)
    main.format_commands(ctx, ours)
    assert ours.getvalue() == library.getvalue()


@pytest.mark.parametrize("locale", ["C.UTF-8", "zh_CN.UTF-8"])
def test_who_reads_the_list_imports_no_command(locale: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WHO_READS, "--help"],
        env={"LANG": locale},
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    loaded = {name for name in done.stdout.splitlines() if name.startswith("gatewayd.cli.")}
    assert loaded
    assert loaded <= HELPERS
    assert "gatewayd.app" not in done.stdout


def test_the_chinese_page_lists_every_command() -> None:
    ctx = click.Context(main, info_name="gatewayd")
    assert all(f"\n  {name} " in page(ctx) for name in COMMANDS)
