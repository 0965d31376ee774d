"""Wrong usage, said in the operator's language: what the command line's library says, and what we do.

The library has no Chinese; it says a few dozen sentences, which are known here by their English form.
One that is not is shown as it is.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import IO, Any

import click

from gatewayd.cli.common import language
from gatewayd.texts import TEXTS, Language, text

LIBRARY = "usage.click."
"""How the keys of the library's own sentences begin."""
KNOWN = (LIBRARY, "verify.problem.")
"""Of those sentences that are known by their English form."""


class Told(click.UsageError):
    """A usage error as it is shown; `cause` is what was raised."""

    def __init__(self, cause: click.UsageError, lang: Language) -> None:
        super().__init__(cause.format_message(), cause.ctx)
        self.cause = cause
        self.lang = lang

    def show(self, file: IO[Any] | None = None) -> None:
        """How it is used, where to look, and what is wrong; on stderr."""
        if isinstance(self.cause, click.exceptions.NoArgsIsHelpError):
            self.cause.show(file)
            return
        for line in self._lines():
            click.echo(line, file=file, err=file is None)

    def _lines(self) -> Iterator[str]:
        if self.ctx is not None:
            from gatewayd.texts_help.words import USAGE  # noqa: PLC0415 - only who errs pays for it

            pieces = self.ctx.command.collect_usage_pieces(self.ctx)
            told = (USAGE.get(piece, piece) for piece in pieces)
            usage = " ".join((self.ctx.command_path, *told))
            yield text("usage.how", self.lang, usage=usage)
            yield text("usage.help", self.lang, command=self.ctx.command_path)
            yield ""
        said = translated(self.format_message(), self.lang)
        yield text("usage.error", self.lang, said=said)


def misused(key: str, **values: Any) -> click.UsageError:
    """A usage error of ours, from the catalogue, in the language of the command that runs."""
    asked = click.get_current_context().params.get("lang")
    return click.UsageError(text(f"usage.{key}", language(asked), **values))


def translated(said: str, lang: Language) -> str:
    """A sentence of the library, or of a chain, in that language; what is none of them as it is."""
    for pattern, key in _known():
        found = pattern.fullmatch(said)
        if found is not None:
            inner = {name: translated(value, lang) for name, value in found.groupdict().items()}
            return text(key, lang, **inner)
    return said


@cache
def _known() -> tuple[tuple[re.Pattern[str], str], ...]:
    keys = (key for key in TEXTS if key.startswith(KNOWN))
    return tuple((pattern(TEXTS[key].en), key) for key in keys)


def pattern(sentence: str) -> re.Pattern[str]:
    """What fits a sentence with its `{placeholders}` filled."""
    parts = re.split(r"\{(\w+)\}", sentence)
    made = (f"(?P<{part}>.*?)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
    return re.compile("".join(made), re.DOTALL)
