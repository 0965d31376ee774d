"""`gatewayd probe --write POINT=VALUE`: one setting by hand, after the device's name was typed."""

import asyncio
from typing import NoReturn

import click

from drivers.contract import DriverError
from gatewayd.cli.common import COULD_NOT_RUN, NO, OK, print_json, stop
from gatewayd.cli.probe_map import daemons_told
from gatewayd.commission import writing
from gatewayd.commission.device import Device
from gatewayd.commission.maps import Mapped
from gatewayd.commission.points import Look
from gatewayd.commission.writing import Wanted, Written
from gatewayd.errors import ConfigError
from gatewayd.texts import Language
from gatewayd.texts import text as say


def put(device: Mapped, chosen: Device, text: str, lang: Language, *, as_json: bool) -> NoReturn:
    """Write and end: 0 reads back as written, 1 refused or not confirmed, 3 not reached."""
    try:
        want = writing.wanted(device, text)
    except ConfigError as exc:
        raise click.UsageError(str(exc)) from exc
    daemons_told(lang)
    try:
        seen = asyncio.run(writing.look_once(device))
        _closed(device, seen)
        _confirm(device, want, seen, lang)
        written = asyncio.run(writing.put(device, want))
    except DriverError as exc:
        stop(COULD_NOT_RUN, str(exc))
    _tell(chosen, want, written, lang, as_json=as_json)


def _closed(device: Mapped, seen: Look) -> None:
    if not seen.heard:
        raise DriverError(seen.answers[0].error if seen.answers else f"{device.name}: no points")
    if why := writing.could_open(device, seen):
        stop(NO, f"{device.name}: {why}")


def _confirm(device: Mapped, want: Wanted, seen: Look, lang: Language) -> None:
    """The old and the new registers, and what a stored one costs, before the name is typed."""
    sent = writing.shown(writing.words_for(device, want, seen))
    before = next((r.raw for r in seen.rows if r.point.name == want.point.name), "") or "?"
    if want.point.stored:
        click.echo(say("write.stored", lang, point=want.point.name), err=True)
    values = {"point": want.point.name, "before": before, "sent": sent, "device": device.name}
    typed = click.prompt(say("write.confirm", lang, **values), default="", err=True)
    if typed.strip() != device.name:
        stop(NO, say("probe.not_written", lang))


def _tell(
    chosen: Device, want: Wanted, written: Written, lang: Language, *, as_json: bool
) -> NoReturn:
    same = written.after == written.sent
    key = "write.done" if same else "write.blind" if not written.after else "write.other"
    if as_json:
        outcome = {
            "point": want.point.name,
            "register": want.point.number,
            "before": written.before,
            "sent": written.sent,
            "after": written.after,
            "ok": same,
        }
        head = {"device": chosen.name, "driver": chosen.settings.driver.name, "wire": chosen.wire}
        print_json({**head, "write": outcome})
    else:
        values = {"point": want.point.name, "sent": written.sent, "after": written.after}
        click.echo(say(key, lang, **values))
    stop(OK if same or not written.after else NO)
