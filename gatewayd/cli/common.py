"""What every command shares: `-c DIR` anywhere, `--json`, exit codes, and errors on stderr."""

import functools
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import click

from gatewayd.cli.known import translated
from gatewayd.errors import ConfigError, GatewayError, RejectedError
from gatewayd.texts import Language

OK = 0
NO = 1
USAGE = 2
COULD_NOT_RUN = 3
"""Exit codes of contract §2: ok; the answer is no; wrong usage; device or store unreachable."""
A_BUG = 70
"""`gatewayd run` ended by a bug: systemd starts it again, as it does not after NO and USAGE."""

TYPED = "gatewayd.typed"
"""Where a context keeps the words of its command line."""
LANGUAGES: Mapping[str, Language] = {"zh": "zh", "en": "en"}
DIRECTORIES = (Path("/etc/gatewayd"), Path("config"))

P = ParamSpec("P")
R = TypeVar("R")


def _keep(ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Remember `-c` wherever it stands: before or after the subcommand."""
    if value is not None:
        ctx.find_root().meta["gatewayd.directory"] = value
    return value


config_option = click.option(
    "-c",
    "--config",
    "_directory",
    metavar="DIR",
    expose_value=False,
    callback=_keep,
    help="Config directory (default /etc/gatewayd, then ./config).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
lang_option = click.option(
    "--lang", type=click.Choice(["zh", "en"]), help="Default: as your terminal."
)


def language(lang: Language | None) -> Language:
    """The language of `--lang`, else of the terminal."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return lang or ("zh" if locale.startswith("zh") else "en")


def asked_for(arguments: Sequence[str]) -> Language:
    """The language of a command line that may not be understood: its `--lang`, else the terminal's."""
    given = dict(pairwise(arguments)).get("--lang", "")
    equals = [each.removeprefix("--lang=") for each in arguments if each.startswith("--lang=")]
    for lang in (given, *equals):
        if lang in LANGUAGES:
            return LANGUAGES[lang]
    return language(None)


def given_directory() -> Path | None:
    """The directory of `-c`, None when it was not given."""
    given = click.get_current_context().find_root().meta.get("gatewayd.directory")
    return None if given is None else Path(given)


def directory() -> Path:
    """The config directory: `-c`, else the first default that exists.

    Raises ConfigError when there is none.
    """
    given = given_directory()
    for candidate in (given,) if given else DIRECTORIES:
        if candidate.is_dir():
            return candidate
    wanted = str(given) if given else " or ".join(str(path) for path in DIRECTORIES)
    raise ConfigError(f"{wanted}:0:0: no such config directory; expected a folder; use -c DIR")


def print_json(value: Any) -> None:
    """One JSON object on stdout, UTF-8, as a program wants it."""
    click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def stop(code: int, text: str = "") -> NoReturn:
    """Leave with an exit code of contract §2; `text` goes to stderr."""
    if text:
        click.echo(text, err=True)
    sys.exit(code)


def _spoken() -> Language:
    return language(click.get_current_context().params.get("lang"))


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn our named errors into their exit codes, text on stderr; anything else is a bug.

    What the store and a file are refused for is said in the language of the command.
    """

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (ConfigError, RejectedError) as exc:
            stop(NO, "\n".join(translated(line, _spoken()) for line in str(exc).splitlines()))
        except GatewayError as exc:
            stop(COULD_NOT_RUN, translated(str(exc), _spoken()))

    return wrapped
