"""`gatewayd web-password`: the line that stands for a password of the page's user."""

import click

from gatewayd.cli.common import NO, stop
from gatewayd.settings.web import PASSWORD_CHARACTERS_MIN
from gatewayd.web.passwords import made


@click.command("web-password")
def web_password() -> None:
    """Ask for a password and print what to write for it: web.users.NAME.password in gateway.yaml.

    \b
    gatewayd web-password
    """  # noqa: D301 - click wants the backspace character itself
    password = click.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    if len(password) < PASSWORD_CHARACTERS_MIN:
        stop(NO, f"a password has at least {PASSWORD_CHARACTERS_MIN} characters")
    click.echo(made(password))
