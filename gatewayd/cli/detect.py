"""`gatewayd detect`: what is plugged in and what speaks there, with a ready line for each find."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from gatewayd.cli.common import (
    config_option,
    directory,
    given_directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
)
from gatewayd.commission.detect import Found, Search, wires
from gatewayd.commission.detect import detect as find_all
from gatewayd.commission.finds import HostFind, SerialFind, UsbFind
from gatewayd.commission.hosts import split
from gatewayd.commission.knowledge import knowledge
from gatewayd.commission.listen import Guess
from gatewayd.commission.machine import Machine
from gatewayd.errors import ConfigError
from gatewayd.settings.load import load
from gatewayd.settings.model import Settings
from gatewayd.texts import Language
from gatewayd.texts import text as say

SHOWN_BYTES = 24


@click.command()
@click.option("--host", "hosts", multiple=True, metavar="HOST[:PORT]", help="Look there too.")
@click.option("--ask", is_flag=True, help="Also ask free serial ports harmless questions.")
@click.option("--root", default="/", hidden=True, type=click.Path(path_type=Path, file_okay=False))
@lang_option
@config_option
@json_option
@reports_errors
def detect(
    *, hosts: tuple[str, ...], ask: bool, root: Path, lang: Language | None, as_json: bool
) -> None:
    """List serial ports, USB devices and readers on named hosts, with a guess of what each is.

    Serial ports are listened to and, with --ask, asked one question after the other. Ports of
    configured devices and ports that another program holds are left alone.

    \b
    gatewayd detect
    gatewayd detect --ask --lang en
    gatewayd detect --host 192.168.1.30 --host 192.168.1.31:6000
    """  # noqa: D301 - click wants the backspace character itself
    spoken = language(lang)
    for host in hosts:
        try:
            split(host)
        except ValueError as exc:
            raise click.UsageError(f"--host {host}: {exc}; or a host alone") from exc
    if ask:
        click.echo(say("detect.asking", spoken), err=True)
    search = Search(Machine(root), knowledge(), wires(_settings()), ask=ask)

    def tell(what: str) -> None:
        click.echo(f"{say('detect.trying', spoken)} {what}", err=True)

    found = asyncio.run(find_all(search, hosts, tell))
    if as_json:
        print_json(found.as_json())
    else:
        _print(found, spoken)


def _settings() -> Settings | None:
    """The configuration, whose devices are left alone; none when there is none or it is wrong.

    Raises ConfigError when a directory that was asked for is wrong: its devices might be opened.
    """
    try:
        return load(directory())
    except ConfigError:
        if given_directory() is not None:
            raise
        return None


def _print(found: Found, lang: Language) -> None:
    console = Console(highlight=False, soft_wrap=True)
    _section(console, say("detect.serial", lang), [_serial(f, lang) for f in found.serial], lang)
    shown = [_usb(f, lang) for f in found.usb]
    _section(console, say("detect.usb", lang), shown, lang)
    if found.hosts:
        _section(console, say("detect.hosts", lang), list(_hosts(found.hosts, lang)), lang)
    if not found.asked:
        console.print(Text(say("detect.hint", lang), style="dim"))


def _section(console: Console, title: str, finds: list[Text], lang: Language) -> None:
    console.print(Text(title, style="bold"))
    for find in finds or [Text(f"  {say('detect.none', lang)}", style="dim")]:
        console.print(find)
    console.print()


def _serial(find: SerialFind, lang: Language) -> Text:
    """A port with its other names, what is behind it, and the line for a file."""
    port = find.port
    shown = Text(f"  {port.path}")
    names = [name for name in (port.by_path, port.tty) if name not in {"", port.path}]
    if names:
        shown.append(f"\n    {'  '.join(names)}", "dim")
    if port.usb is not None:
        words = " ".join(w for w in (port.usb.manufacturer, port.usb.product) if w)
        bridge = (
            f"  {say('detect.bridge', lang, bridge=port.usb.bridge)}" if port.usb.bridge else ""
        )
        shown.append(f"\n    USB {port.usb.id}  {words}{bridge}", "dim")
    if find.note is not None:
        shown.append(f"\n    {find.note.zh if lang == 'zh' else find.note.en}", "yellow")
    elif find.heard and find.guess is None:
        raw = find.heard[:SHOWN_BYTES].hex(" ")
        shown.append(f"\n    {say('detect.noise', lang, baud=find.baud, hex=raw)}", "yellow")
    else:
        shown.append_text(_guess(find.guess, lang))
    return shown.append(f"\n    {find.line}" if find.line else "", "green")


def _guess(guess: Guess | None, lang: Language) -> Text:
    if guess is None:
        return Text(f"\n    {say('detect.unknown', lang)}", style="dim")
    how = say(f"detect.{guess.how}", lang, format=guess.format, baud=guess.baud)
    return Text.assemble("\n    ", (" / ".join(guess.drivers), "bold"), f": {how}")


def _usb(find: UsbFind, lang: Language) -> Text:
    usb = find.usb
    words = " ".join(w for w in (usb.manufacturer, usb.product, usb.serial) if w)
    shown = Text(f"  {usb.path}  {usb.id}  [{usb.kind}]  {words}")
    if find.note is not None:
        shown.append(f"\n    ! {find.note.zh if lang == 'zh' else find.note.en}", "yellow")
    if find.guess is not None:
        shown.append_text(_guess(find.guess, lang))
    return shown.append(f"\n    {find.line}" if find.line else "", "green")


def _hosts(finds: tuple[HostFind, ...], lang: Language) -> Iterator[Text]:
    """Open ports each, and one line for a host where none is."""
    for host in dict.fromkeys(find.host for find in finds):
        here = [find for find in finds if find.host == host]
        shown = [find for find in here if not find.error]
        if not shown:
            reasons = ", ".join(dict.fromkeys(find.error.rpartition(": ")[2] for find in here))
            closed = say("detect.closed", lang)
            yield Text.assemble(f"  {host}\n    ", (f"{closed} ({reasons})", "yellow"))
        for find in shown:
            yield _host(find, lang)


def _host(find: HostFind, lang: Language) -> Text:
    shown = Text(f"  {find.address}")
    if find.configured_as:
        owners = ", ".join(find.configured_as)
        return shown.append(f"\n    {say('detect.configured', lang, device=owners)}", "yellow")
    shown.append_text(_guess(find.guess, lang))
    return shown.append(f"\n    {find.line}" if find.line else "", "green")
