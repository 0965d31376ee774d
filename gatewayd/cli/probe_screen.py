"""What a person sees of a probe: identity, readings, troubles with what to change, raw frames."""

from typing import Any

from rich.console import Console
from rich.text import Text

from gatewayd.cli.words import say
from gatewayd.texts import Language

COLOURS = {"answered": "bold green", "wrong": "bold yellow", "unreachable": "bold red"}
FIELDS_SHOWN_MAX = 12


def show(found: dict[str, Any], lang: Language, *, seconds: float) -> None:
    """Print the object of `probe --json` for a person."""
    console = Console(highlight=False, soft_wrap=True)
    _frames(console, found, lang)
    console.print(Text(say(f"probe.{found['state']}", lang), style=COLOURS[found["state"]]))
    if found["identity"] is not None:
        console.print(Text(f"  {say('probe.identity', lang)}: {found['identity']}"))
    for reading in found["readings"]:
        console.print(Text(f"  {say('probe.reading', lang)}: {_values(reading)}", style="green"))
    if found["identity"] is not None and not found["readings"] and found["error"] is None:
        console.print(Text(f"  {say('probe.nothing', lang, seconds=f'{seconds:g}')}"))
    _memory(console, found["memory"], lang)
    if found["error"] is not None:
        console.print(Text(f"  {say('probe.error', lang)}: {found['error']}", style="red"))
    _advice(console, found, lang)


def _frames(console: Console, found: dict[str, Any], lang: Language) -> None:
    if found["frames"]:
        console.print(Text(say("probe.frames", lang), style="bold"))
    for frame in found["frames"]:
        arrow = "<-" if frame["direction"] == "device>host" else "->"
        times = f"  x{frame['count']}" if frame["count"] > 1 else ""
        console.print(Text(f"  {arrow} {bytes.fromhex(frame['hex']).hex(' ')}{times}"))
        if frame["fields"]:
            shown = dict(list(frame["fields"].items())[:FIELDS_SHOWN_MAX])
            console.print(Text(f"     {frame['format']}: {_values(shown)}", style="dim"))
    if found["noise"]:
        console.print(Text(say("probe.noise", lang), style="bold"))
    for noise in found["noise"]:
        times = f"  x{noise['count']}" if noise["count"] > 1 else ""
        raw = bytes.fromhex(noise["hex"]).hex(" ")
        console.print(Text(f"  <- {raw}  ({noise['reason']}){times}", style="yellow"))


def _memory(console: Console, memory: dict[str, Any] | None, lang: Language) -> None:
    if memory is not None:
        key = "probe.written" if memory["written"] else "probe.memory"
        values = {name: memory[name] for name in ("bank", "start", "hex")}
        console.print(Text(f"  {say(key, lang, **values)}", style="green"))


def _advice(console: Console, found: dict[str, Any], lang: Language) -> None:
    """What to change, or who is in the way."""
    lines = [trouble["message"][lang] for trouble in found["troubles"]]
    ours = {user["pid"] for user in found["held_by"]} & set(found["daemons"])
    if ours:
        pids = ", ".join(str(pid) for pid in sorted(ours))
        lines = [say("probe.held", lang, pids=pids, device=found["device"])]
    elif found["held_by"]:
        users = ", ".join(f"{user['name']} ({user['pid']})" for user in found["held_by"])
        lines.append(say("probe.holder", lang, users=users))
    elif found["daemons"] and found["state"] == "unreachable":
        pids = ", ".join(str(pid) for pid in found["daemons"])
        lines.append(say("probe.daemon", lang, pids=pids))
    elif found["state"] == "unreachable" and not lines:
        lines.append(say("probe.silent", lang))
    if lines:
        console.print(Text(f"  {say('probe.troubles', lang)}:", style="bold"))
    for line in lines:
        console.print(Text(f"  ! {line}", style="yellow"))


def _values(values: dict[str, Any]) -> str:
    """name=value pairs on one line, without what is unknown."""
    shown = {name: value for name, value in values.items() if value not in (None, "")}
    return " ".join(f"{name}={value}" for name, value in shown.items())
