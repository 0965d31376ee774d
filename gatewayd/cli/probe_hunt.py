"""`gatewayd probe --hunt`: find out how a device is reached and read, and the lines to change."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.text import Text

from drivers.contract import DriverError
from gatewayd.cli.common import COULD_NOT_RUN, NO, OK, print_json, stop
from gatewayd.cli.probe_map import daemons_told
from gatewayd.cli.usage import misused
from gatewayd.commission import hunting, variants
from gatewayd.commission.changes import Changes, changes
from gatewayd.commission.device import Device
from gatewayd.commission.hunting import Candidate, Found, Hunt
from gatewayd.commission.machine import Machine
from gatewayd.commission.maps import Mapped
from gatewayd.commission.ports import holders
from gatewayd.texts import Language
from gatewayd.texts import text as say

UNIT_MAX = 255
SHOWN_MAX = 5
"""Ways to read that are listed, the likeliest first."""
RIVALS_SHOWN_MAX = 4
VALVE = "output"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    units: str | None
    yes: bool
    as_json: bool


def hunt(device: Mapped, chosen: Device, wanted: Wanted, lang: Language) -> NoReturn:
    """Hunt and end: 0 found, 1 it answers but cannot be told, 3 nobody answers or no wire."""
    units = _units(wanted.units)
    if VALVE in chosen.settings.driver.capabilities and not wanted.yes:
        _confirm(chosen, lang)
    spared = ", ".join(f"{u} {name}" for u, name in sorted(chosen.neighbours.items()))
    click.echo(
        say(
            "hunt.begin",
            lang,
            device=chosen.name,
            units=_shown(units),
            seconds=f"{hunting.HUNT_S_MAX:g}",
            spared=spared or say("hunt.nobody", lang),
        ),
        err=True,
    )
    running = daemons_told(lang)

    def tell(what: str) -> None:
        click.echo(say("hunt.trying", lang, what=what), err=True)

    try:
        found = asyncio.run(Hunt(device, units, frozenset(chosen.neighbours), tell).run())
    except DriverError as exc:
        _unreachable(chosen, exc, running, wanted, lang)
    told = {**_head(chosen), **_as_json(device, found)}
    if wanted.as_json:
        print_json(told)
    else:
        _show(device, found, lang)
    settled = found.verdict in ("proven", "likely")
    stop(OK if settled else NO if found.answered else COULD_NOT_RUN)


def _units(text: str | None) -> tuple[int, ...]:
    """`5` or `1-32`; raises UsageError beyond the limits."""
    if text is None:
        return hunting.UNITS
    first, _, last = text.partition("-")
    try:
        units = range(int(first), int(last or first) + 1)
    except ValueError as exc:
        raise misused("units", units=text) from exc
    if not units or units[0] < 0 or units[-1] > UNIT_MAX or len(units) > hunting.UNITS_MAX:
        limits = f"0..{UNIT_MAX}, at most {hunting.UNITS_MAX} of them"
        raise click.UsageError(f"--units {text}: expected units of {limits}")
    return tuple(units)


def _shown(units: tuple[int, ...]) -> str:
    return str(units[0]) if len(units) == 1 else f"{units[0]}-{units[-1]}"


def _confirm(chosen: Device, lang: Language) -> None:
    typed = click.prompt(say("hunt.valve", lang, device=chosen.name), default="", err=True)
    if typed.strip() != chosen.name:
        stop(NO, say("hunt.not_begun", lang))


def _head(chosen: Device) -> dict[str, Any]:
    return {"device": chosen.name, "driver": chosen.settings.driver.name, "wire": chosen.wire}


def _unreachable(
    chosen: Device, exc: DriverError, running: tuple[int, ...], wanted: Wanted, lang: Language
) -> NoReturn:
    """The wire cannot be opened: who holds it, the daemon first."""
    kind, _, path = chosen.wire.partition(":")
    users = holders(Machine()).get(str(Path(path).resolve()), ()) if kind == "serial" else ()
    ours = sorted({user.pid for user in users} & set(running))
    if wanted.as_json:
        held = [{"pid": user.pid, "name": user.name} for user in users]
        told = {"state": "unreachable", "error": str(exc), "held_by": held}
        print_json({**_head(chosen), **told, "daemons": list(running), "hunt": None})
    if ours:
        pids = ", ".join(str(pid) for pid in ours)
        stop(COULD_NOT_RUN, f"{exc}\n{say('probe.held', lang, pids=pids, device=chosen.name)}")
    if users:
        names = ", ".join(f"{user.name} ({user.pid})" for user in users)
        stop(COULD_NOT_RUN, f"{exc}\n{say('probe.holder', lang, users=names)}")
    stop(COULD_NOT_RUN, str(exc))


def _as_json(device: Mapped, found: Found) -> dict[str, Any]:
    lines = _lines(device, found)
    hunted = {
        "verdict": found.verdict,
        "stopped": found.stopped,
        "tries": [{"what": each.what, "outcome": each.outcome} for each in found.tries],
        "candidates": [_candidate(each) for each in found.candidates[:SHOWN_MAX]],
        "rivals": [_label(each) for each in found.rivals],
        "change": {"device": list(lines.device), "map": list(lines.map)},
    }
    return {"state": "answered" if found.answered else "unreachable", "hunt": hunted}


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "unit": candidate.unit,
        "link": candidate.link.model_dump(mode="json"),
        "base": candidate.variant.base,
        "word_order": candidate.variant.word_order,
        "byte_order": candidate.variant.byte_order,
        "score": candidate.score,
        "evidence": [{"points": p.points, "zh": p.zh, "en": p.en} for p in candidate.proofs],
    }


def _lines(device: Mapped, found: Found) -> Changes:
    """Nothing is proposed that just as much speaks against as for."""
    if found.best is None or found.best.score <= 0:
        return Changes((), ())
    return changes(device, found.best)


def _label(candidate: Candidate) -> str:
    line = variants.line_label(candidate.link)
    return f"unit {candidate.unit}, {line}, {candidate.variant.label} ({candidate.score})"


def _show(device: Mapped, found: Found, lang: Language) -> None:
    console = Console(highlight=False, soft_wrap=True)
    best = found.best
    style = "bold green" if found.verdict == "proven" else "bold yellow"
    text = say(f"hunt.{found.verdict}", lang, what=_label(best) if best else "")
    console.print(Text(text, style))
    if found.stopped:
        console.print(Text(say("hunt.stopped", lang, seconds=f"{hunting.HUNT_S_MAX:g}"), "yellow"))
    if best is None:
        return
    for proof in best.proofs:
        sign = "+" if proof.points >= 0 else ""
        reason = proof.zh if lang == "zh" else proof.en
        console.print(f"  {say('hunt.for', lang)}: {sign}{proof.points} {reason}", markup=False)
    for rival in found.rivals[:RIVALS_SHOWN_MAX]:
        console.print(Text(f"  {say('hunt.rival', lang, what=_label(rival))}", "yellow"))
    if found.rivals:
        console.print(Text(f"  {say('hunt.load', lang)}", "yellow"))
    _show_lines(console, device, found, lang)


def _show_lines(console: Console, device: Mapped, found: Found, lang: Language) -> None:
    lines = _lines(device, found)
    if not lines.device and not lines.map:
        if found.verdict in ("proven", "likely"):
            console.print(Text(say("hunt.fine", lang), "green"))
        return
    if lines.map:
        console.print(Text(say("hunt.map", lang, profile=device.profile.id), "bold"))
        for line in lines.map:
            console.print(Text(f"    {line}"))
    if lines.device:
        console.print(Text(say("hunt.device", lang, device=device.name), "bold"))
        for line in lines.device:
            console.print(Text(f"    {line}"))
