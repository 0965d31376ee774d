"""What a person sees of a probe: identity, readings, troubles with what to change, raw frames."""

from typing import Any

from rich.console import Console
from rich.text import Text

from gatewayd.texts import Language
from gatewayd.texts import text as say

COLOURS = {"answered": "bold green", "wrong": "bold yellow", "unreachable": "bold red"}
FIELDS_SHOWN_MAX = 12
FRAMES_SHOWN_MAX = 40
NOISE_SHOWN_MAX = 8
BYTES_SHOWN_MAX = 64
"""What a screen takes; --json has everything."""


def show(found: dict[str, Any], lang: Language, *, seconds: float) -> None:
    """Print the object of `probe --json` for a person."""
    console = Console(highlight=False, soft_wrap=True)
    _frames(console, found, lang)
    said = "opened" if found["state"] == "answered" and _is_mute(found) else found["state"]
    console.print(Text(say(f"probe.{said}", lang), style=COLOURS[found["state"]]))
    if found["identity"] is not None:
        console.print(Text(f"  {say('probe.identity', lang)}: {found['identity']}"))
    for reading in found["readings"]:
        console.print(Text(f"  {say('probe.reading', lang)}: {_values(reading)}", style="green"))
    if found["identity"] is not None and not found["readings"] and found["error"] is None:
        console.print(Text(f"  {say('probe.nothing', lang, seconds=f'{seconds:g}')}"))
    _memory(console, found["memory"], lang)
    if found["error"] is not None:
        console.print(Text(f"  {say('probe.error', lang)}: {_error(found)}", style="red"))
    _advice(console, found, lang)


def _is_mute(found: dict[str, Any]) -> bool:
    """A scanner is up as soon as its wire is open, also when nobody is there."""
    said = found["frames"] or found["readings"] or found["noise"]
    return bool(found["driver"].startswith("barcode.") and not said)


def _frames(console: Console, found: dict[str, Any], lang: Language) -> None:
    if found["frames"]:
        console.print(Text(say("probe.frames", lang), style="bold"))
    for frame in found["frames"][:FRAMES_SHOWN_MAX]:
        arrow = "<-" if frame["direction"] == "device>host" else "->"
        times = f"  x{frame['count']}" if frame["count"] > 1 else ""
        console.print(Text(f"  {arrow} {_hex(frame['hex'])}{times}"))
        if frame["fields"]:
            shown = dict(list(frame["fields"].items())[:FIELDS_SHOWN_MAX])
            console.print(Text(f"     {frame['format']}: {_values(shown)}", style="dim"))
    _more(console, len(found["frames"]) - FRAMES_SHOWN_MAX, lang)
    if found["noise"]:
        console.print(Text(say("probe.noise", lang), style="bold"))
    for noise in found["noise"][:NOISE_SHOWN_MAX]:
        times = f"  x{noise['count']}" if noise["count"] > 1 else ""
        line = f"  <- {_hex(noise['hex'])}  ({noise['reason']}){times}"
        console.print(Text(line, style="yellow"))
    _more(console, len(found["noise"]) - NOISE_SHOWN_MAX, lang)


def _more(console: Console, count: int, lang: Language) -> None:
    if count > 0:
        console.print(Text(f"  {say('probe.more', lang, count=count)}", style="dim"))


def _hex(text: str) -> str:
    """The first bytes, and how many there are when that is not all."""
    raw = bytes.fromhex(text)
    rest = f" ... ({len(raw)} bytes)" if len(raw) > BYTES_SHOWN_MAX else ""
    return raw[:BYTES_SHOWN_MAX].hex(" ") + rest


def _error(found: dict[str, Any]) -> str:
    """Why it failed, less what is told below as what to change."""
    text = str(found["error"])
    for trouble in found["troubles"]:
        text = text.removesuffix(f"; {trouble['message']['en']}")
    return text


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
