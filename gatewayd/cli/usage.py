"""Wrong usage, said in the operator's language: what the command line's library says, and what we do."""

from collections.abc import Iterator
from typing import IO, Any

import click

from gatewayd.cli.common import language
from gatewayd.cli.known import translated
from gatewayd.texts import Language, text


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
