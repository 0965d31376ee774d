"""In which language a command speaks of itself."""

import click

from gatewayd.cli.common import TYPED, asked_for


class Spoken(click.Context):
    """The library's help is English as it is; for another language the page is ours."""

    def get_help(self) -> str:
        """The page of the command, in the language of everything else that it says."""
        if asked_for(self.meta.get(TYPED, ())) == "en":
            return super().get_help()
        from gatewayd.cli.help_page import page  # noqa: PLC0415 - only who reads it pays for it

        return page(self)


def spoken(command: click.Command) -> click.Command:
    """The command, with those below it, as one whose help is spoken so."""
    command.context_class = Spoken
    if isinstance(command, click.Group):
        for below in command.commands.values():
            spoken(below)
    return command
