"""The `gatewayd` command: a table of subcommands, imported only when asked for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from gatewayd import __version__
from gatewayd.cli.common import TYPED, asked_for, config_option
from gatewayd.cli.said import SAID
from gatewayd.cli.spoken import Spoken, spoken

COMMAND_COLUMNS = 6
"""Of the list of commands, beside names and texts."""

COMMANDS = {
    "demo": "gatewayd.cli.demo:demo",
    "run": "gatewayd.cli.run:run",
    "check": "gatewayd.cli.check:check",
    "config": "gatewayd.cli.config:config",
    "detect": "gatewayd.cli.detect:detect",
    "probe": "gatewayd.cli.probe:probe",
    "drivers": "gatewayd.cli.drivers:drivers",
    "formats": "gatewayd.cli.formats:formats",
    "profiles": "gatewayd.cli.profiles:profiles",
    "decode": "gatewayd.cli.decode:decode",
    "verdict": "gatewayd.cli.verdict:verdict",
    "rules": "gatewayd.cli.rules:rules",
    "import": "gatewayd.cli.imports:imports",
    "export": "gatewayd.cli.exports:exports",
    "records": "gatewayd.cli.records:records",
    "backup": "gatewayd.cli.backup:backup",
    "restore": "gatewayd.cli.backup:restore",
    "trace": "gatewayd.cli.trace:trace",
    "hold": "gatewayd.cli.holds:hold",
    "release": "gatewayd.cli.holds:release",
    "holds": "gatewayd.cli.holds:holds",
    "lock": "gatewayd.cli.holds:lock",
    "unlock": "gatewayd.cli.holds:unlock",
    "retire": "gatewayd.cli.retired:retire",
    "reinstate": "gatewayd.cli.retired:reinstate",
    "retired": "gatewayd.cli.retired:retired",
    "checks": "gatewayd.cli.checks:checks",
    "clock": "gatewayd.cli.clock:clock",
    "outbox": "gatewayd.cli.outbox:outbox",
    "schemas": "gatewayd.cli.schemas:schemas",
    "conformance": "gatewayd.cli.conformance:conformance",
    "upstreams": "gatewayd.cli.upstreams:upstreams",
    "alarms": "gatewayd.cli.alarms:alarms",
    "shifts": "gatewayd.cli.shifts:shifts",
    "web-password": "gatewayd.cli.web:web_password",
}
"""Subcommand -> `module:click command`. One file a command group."""


class _Lazy(click.Group):
    """A group that imports a subcommand when it is used, so `--help` and `decode` start fast.

    Wrong usage and help, here or in any subcommand, are said in the operator's language.
    """

    context_class = Spoken

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the command line."""
        typed = tuple(args)
        with _told(typed):
            return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember what was typed: the language is in it also where the rest is not understood."""
        ctx.meta[TYPED] = tuple(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand."""
        with _told(ctx.meta[TYPED]):
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The order of the table is the order of the help."""
        del ctx
        return list(COMMANDS)

    def about(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """What stands for a command in a list of them; it says the same and can do nothing."""
        del ctx
        return click.Command(cmd_name, help=SAID[cmd_name])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As the library does, without importing every command for one line of it."""
        limit = formatter.width - COMMAND_COLUMNS - max(map(len, COMMANDS))
        with formatter.section("Commands"):
            listed = ((name, self.about(ctx, name)) for name in COMMANDS)
            rows = [(name, each.get_short_help_str(limit)) for name, each in listed]
            formatter.write_dl(rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one command that is asked for."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command), command
        return spoken(command)


@contextmanager
def _told(typed: Sequence[str]) -> Iterator[None]:
    """The library speaks English as it is; for another language its errors are told by us."""
    try:
        yield
    except click.UsageError as exc:
        from gatewayd.cli.usage import Told  # noqa: PLC0415 - only who errs pays for it

        lang = asked_for(typed)
        if lang == "en" or isinstance(exc, Told):
            raise
        raise Told(exc, lang) from exc


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gatewayd")
@config_option
def main() -> None:
    """Gateway for gas-cylinder filling stations: identify, judge, permit, record, forward.

    \b
    gatewayd demo                 a whole station on this machine, one minute
    gatewayd check -c config      every mistake in a configuration at once
    """  # noqa: D301 - click wants the backspace itself
