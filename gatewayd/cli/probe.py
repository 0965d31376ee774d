"""`gatewayd probe`: open one device through its driver, identify it, read once, show raw frames."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import click

from drivers.contract import Bank, Driver, MemoryArea, TagMemory, TagMemoryWriter
from drivers.triggers import Trigger
from gatewayd.cli import probe_hunt, probe_map, probe_screen, probe_write
from gatewayd.cli.common import (
    COULD_NOT_RUN,
    NO,
    OK,
    config_option,
    directory,
    given_directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.cli.usage import misused
from gatewayd.clock import SystemClock
from gatewayd.commission import device as devices
from gatewayd.commission import report
from gatewayd.commission.device import Device
from gatewayd.commission.machine import Machine
from gatewayd.commission.ports import User, holders
from gatewayd.commission.probe import Seen, State, read, read_memory, write_memory
from gatewayd.commission.turned import Turned
from gatewayd.errors import ConfigError, StoreError
from gatewayd.settings.load import load
from gatewayd.store.reads import Reader
from gatewayd.texts import Language
from gatewayd.texts import text as say

SECONDS = 5.0
SECONDS_MAX = 3600.0
WORD_BYTES = 2
BLOCK_BYTES = 4
BLOCK_FORMATS = frozenset({"iso15693_serial", "pn532", "pcsc"})
"""HF tags are written in blocks or pages, nearly always of 4 bytes; UHF tags in words of 2."""
BETWEEN_BLOCKS = "-"
WRITTEN_AT_ONCE = frozenset({"output", "filler"})
"""Drivers that begin by closing what they hold."""
EXIT: dict[State, int] = {"answered": OK, "wrong": NO, "unreachable": COULD_NOT_RUN}


@dataclass(frozen=True, slots=True)
class Memory:
    """What to do with the memory of a tag; `data` None reads."""

    area: MemoryArea
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    seconds: float
    memory: Memory | None
    trigger: bool


@click.command()
@click.argument("name", metavar="DEVICE", required=False)
@click.option(
    "--seconds",
    default=SECONDS,
    show_default=True,
    help="How long to wait for a read.",
    type=click.FloatRange(0, SECONDS_MAX),
)
@click.option("--driver", metavar="NAME", help="Probe a device that is not configured.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting, e.g. link.tcp=192.168.1.30:6000.",
)
@click.option("--read-memory", "reads", metavar="BANK:START:COUNT", help="Words of a tag.")
@click.option("--write-memory", "writes", metavar="BANK:START:HEX", help="Needs --uid.")
@click.option("--uid", default="", metavar="HEX", help="The tag whose memory is meant.")
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--trigger", is_flag=True, help="Tell a scanner to look.")
@click.option("--watch", is_flag=True, help="Registers live on a terminal, until Ctrl-C.")
@click.option("--hunt", is_flag=True, help="Look for unit, base, word order, speed; reads only.")
@click.option("--units", default=None, metavar="FIRST-LAST", help="The units of --hunt.")
@click.option("--write", metavar="POINT=VALUE", help="A setting, once the name is typed.")
@lang_option
@config_option
@json_option
@reports_errors
def probe(
    *,
    name: str | None,
    seconds: float,
    driver: str | None,
    changes: tuple[str, ...],
    reads: str | None,
    writes: str | None,
    uid: str,
    yes: bool,
    trigger: bool,
    watch: bool,
    hunt: bool,
    units: str | None,
    write: str | None,
    lang: Language | None,
    as_json: bool,
) -> None:
    """Open one device, say what it is, read once and show its frames; the daemon is not involved.

    Exit 0 when it answered, 1 when it answers but something is wrong, 3 when it cannot be reached.

    \b
    gatewayd probe gun-1
    gatewayd probe gun-1 --read-memory user:0:4 --uid E280689400005005B2210861
    gatewayd probe --driver rfid.uhfreader --set link.tcp=192.168.1.30:6000 --lang en
    """  # noqa: D301 - click wants the backspace itself
    if (name is None) == (driver is None):
        raise misused("device_or_driver")
    spoken = language(lang)
    chosen = _device(name, driver, changes)
    wanted = Wanted(seconds, _memory(reads, writes, uid, _unit_bytes(chosen)), trigger)
    made = chosen.make()
    _able(made, wanted, chosen)
    needs_map = {"--watch": watch, "--hunt": hunt, "--units": units, "--write": write}
    device = probe_map.mapped_for(chosen, needs_map, spoken)
    if write and device is not None:
        probe_write.put(device, chosen, write, spoken, as_json=as_json)
    if hunt and device is not None:
        probe_hunt.hunt(device, chosen, probe_hunt.Wanted(units, yes, as_json), spoken)
    if wanted.memory is not None and wanted.memory.data is not None and not yes:
        _confirm(chosen, wanted.memory, spoken)
    if chosen.settings.driver.capabilities & WRITTEN_AT_ONCE and not yes:
        _confirm_valve(chosen, spoken)
    told = {"device": chosen.name, "driver": chosen.settings.driver.name, "wire": chosen.wire}
    click.echo(say("probe.opening", spoken, **told), err=True)
    running = probe_map.daemons_told(spoken)
    seen = asyncio.run(_probe(made, chosen, wanted))
    if device is not None:
        probe_map.look_at(device, seen, spoken, live=watch and not as_json)
    found = {**told, "state": seen.state, **report.as_json(seen, chosen.settings.driver.formats)}
    found |= {"memory": _memory_json(wanted, seen), "points": probe_map.as_json(device, seen)}
    found |= {"held_by": _holders(chosen, seen), "daemons": list(running)}
    if as_json:
        print_json(found)
    else:
        probe_map.show(device, seen, spoken)
        probe_screen.show(found, spoken, seconds=seconds)
    stop(EXIT[seen.state])


def _device(name: str | None, driver: str | None, changes: tuple[str, ...]) -> Device:
    if driver is not None:
        with usage():
            return devices.described(driver, changes, given_directory())
    assert name is not None
    settings = load(directory())
    with usage():
        return devices.configured(settings, name, changes)


@contextmanager
def usage() -> Iterator[None]:
    """What is wrong here was typed on the command line, not into a file."""
    try:
        yield
    except ConfigError as exc:
        raise click.UsageError(str(exc)) from exc


def _unit_bytes(chosen: Device) -> int:
    return BLOCK_BYTES if BLOCK_FORMATS & set(chosen.settings.driver.formats) else WORD_BYTES


def _memory(reads: str | None, writes: str | None, uid: str, unit_bytes: int) -> Memory | None:
    """`BANK:START:COUNT` or `BANK:START:HEX`; raises UsageError.

    HEX is cut into words or blocks of the usual size, or as dashes say: `00000000-11111111`.
    """
    if reads and writes:
        raise misused("one_memory")
    if not reads and not writes:
        return None
    text = reads or writes or ""
    option, last = ("--read-memory", "COUNT") if reads else ("--write-memory", "HEX")
    try:
        bank, start, what = text.split(":")
        blocks = what.split(BETWEEN_BLOCKS)
        data = None if reads else bytes.fromhex("".join(blocks))
        count = int(what) if data is None else _count(blocks, unit_bytes)
        area = MemoryArea(_bank(bank), int(start), count, uid.replace(":", "").upper())
    except ValueError as exc:
        banks = "|".join(get_args(Bank))
        raise click.UsageError(f"{option} {text}: expected {banks}:START:{last}") from exc
    if data is not None and not uid:
        raise misused("write_needs_uid")
    return Memory(area, data)


def _count(blocks: list[str], unit_bytes: int) -> int:
    """How many words or blocks the hex is."""
    return len(blocks) if len(blocks) > 1 else len(blocks[0]) // 2 // unit_bytes


def _bank(text: str) -> Bank:
    banks: tuple[Bank, ...] = get_args(Bank)
    for bank in banks:
        if text == bank:
            return bank
    raise ValueError(text)


def _able(made: Driver, wanted: Wanted, chosen: Device) -> None:
    """Refuse what this driver cannot do, before anything is opened; raises UsageError."""
    writes = wanted.memory is not None and wanted.memory.data is not None
    lacks = {
        "--write-memory": writes and not isinstance(made, TagMemoryWriter),
        "--read-memory": bool(wanted.memory) and not writes and not isinstance(made, TagMemory),
        "--trigger": wanted.trigger and not isinstance(made, Trigger),
    }
    for option, lacking in lacks.items():
        if lacking:
            raise click.UsageError(f"{chosen.settings.driver.name} cannot {option}")


def _confirm(chosen: Device, memory: Memory, lang: Language) -> None:
    """A write to a tag is confirmed by typing the device's name."""
    values = {"uid": memory.area.uid, "bank": memory.area.bank, "device": chosen.name}
    typed = click.prompt(say("probe.confirm", lang, **values), default="", err=True)
    if typed.strip() != chosen.name:
        stop(NO, say("probe.not_written", lang))


def _confirm_valve(chosen: Device, lang: Language) -> None:
    """What holds a valve is switched off by its driver before it says anything: not unasked."""
    typed = click.prompt(say("probe.valve", lang, device=chosen.name), default="", err=True)
    if typed.strip() != chosen.name:
        stop(NO, say("probe.not_written", lang))


async def _probe(made: Driver, chosen: Device, wanted: Wanted) -> Seen:
    """Read, then the memory over a link of its own: the driver must not run meanwhile."""
    seen, clock, memory = Seen(), SystemClock(), wanted.memory
    await read(made, seen, clock, read_s=wanted.seconds, trigger=wanted.trigger)
    if seen.error is None and memory is not None:
        if memory.data is None:
            assert isinstance(made, TagMemory)
            await read_memory(made, seen, clock, memory.area)
        else:
            assert isinstance(made, TagMemoryWriter)
            await write_memory(made, seen, clock, memory.area, memory.data)
    formats = chosen.settings.driver.formats
    seen.diagnose(formats[0] if formats else "", chosen.baud)
    _compare(seen, chosen.store)
    return seen


def _compare(seen: Seen, store: Path | None) -> None:
    """Tell when the station's archive has a tag the other way round; without a store, nothing."""
    if store is None:
        return
    with suppress(StoreError), Reader.open(store) as archive:
        watch = Turned(archive, seen.trouble)
        for reading in seen.readings:
            watch.take(reading)


def _memory_json(wanted: Wanted, seen: Seen) -> dict[str, Any] | None:
    if wanted.memory is None or seen.memory is None:
        return None
    area = wanted.memory.area
    written = wanted.memory.data is not None
    return {"bank": area.bank, "start": area.start, "hex": seen.memory.hex(), "written": written}


def _holders(chosen: Device, seen: Seen) -> list[dict[str, Any]]:
    """Who else has the serial port, looked up only when it could not be reached."""
    kind, _, path = chosen.wire.partition(":")
    if seen.state != "unreachable" or kind != "serial":
        return []
    held: tuple[User, ...] = holders(Machine()).get(str(Path(path).resolve()), ())
    return [{"pid": user.pid, "name": user.name} for user in held]
