"""Changes of the configuration while the station works: legal ones, a changed pack, mistakes."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from tests.histories.config import DENIES, PACK_FILE, TIGHTER
from tests.histories.faults import Fault, fault, undo_later

if TYPE_CHECKING:
    from tests.histories.world import World

Texts: TypeAlias = dict[str, str]
"""New texts of files, by path; an empty one takes the file away."""
Change: TypeAlias = Callable[["World", str], Texts]


def _edit(folder: str, old: str, new: str) -> Change:
    """Put `new` in the place of what matches `old` in the rig's file of a folder."""

    def change(world: "World", rig: str) -> Texts:
        name = f"{folder}/{rig}.yaml"
        return {name: re.sub(old, new, world.config.text(name))}

    return change


def _without_scanner(world: "World", rig: str) -> Texts:
    number = rig.removeprefix("rig-")
    devices, rigs = f"devices/{rig}.yaml", f"rigs/{rig}.yaml"
    lines = world.config.text(devices).splitlines(keepends=True)
    text = world.config.text(rigs)
    for told in (f", {{device: qr-{number}}}", f", {{device: qr-{number}, require: true}}"):
        text = text.replace(told, "")
    return {devices: "".join(x for x in lines if f"qr-{number}:" not in x), rigs: text}


def _without_rig(world: "World", rig: str) -> Texts:
    if len(world.rigs) == 1:
        return {}  # A station without any rig is a mistake, which has its own fault.
    return {f"devices/{rig}.yaml": "", f"rigs/{rig}.yaml": ""}


CHANGES: tuple[tuple[str, str, Change], ...] = (
    ("lease", "leases last 900 ms", _edit("rigs", r"lease_ms: \d+", "lease_ms: 900")),
    ("rig", "who cannot be identified is refused sooner", _edit("rigs", "identify_within_s: 5", "identify_within_s: 4")),
    ("reader", "the reader is asked less often", _edit("devices", "poll_ms: 150", "poll_ms: 220")),
    ("gate", "the gate is asked less often", _edit("devices", "poll_ms: 100", "poll_ms: 130")),
    ("no_scanner", "the scanner is taken out", _without_scanner),
    ("no_rig", "the rig is taken out", _without_rig),
    ("pack", "a tighter rule pack", lambda _world, _rig: {PACK_FILE: TIGHTER}),
    ("closed", "a rule that denies everything", lambda _world, _rig: {PACK_FILE: DENIES}),
    ("bad_pack", "a rule pack with a mistake", lambda _w, _r: {PACK_FILE: DENIES.replace("station.id", "station.idd")}),
    ("invalid", "a file with a mistake", _edit("rigs", "scale: plc-.", "scale: plc-9")),
    ("half_a_file", "half of a file", _edit("devices", "rfid.uhfreader, link: ", "rfid.uhfreader, lin")),
)  # fmt: skip


def _add(name: str, told: str, change: Change) -> None:
    @fault(f"config.{name}")
    def strike(world: "World", fault: Fault) -> str:
        before = {file: world.config.text(file) for file in world.config.good}
        changed = {f: t for f, t in change(world, fault.rig).items() if world.config.text(f) != t}
        if not changed:
            return ""
        before |= {file: world.config.text(file) for file in changed}
        rng = fault.rng()
        signal = rng.random() < SIGNALLED

        def write(texts: Texts) -> None:
            for file, text in texts.items():
                world.config.put(file, text)
            if signal:
                world.ring()

        def undo() -> None:
            """What somebody else has changed since, or mended, stays."""
            mine = [file for file, text in changed.items() if world.config.text(file) == text]
            write({file: before[file] for file in mine})

        write(changed)
        if rng.random() < UNDONE:
            undo_later(world, fault.scaled(0.02, 9), undo, f"the files are as before: {told}")
        how = "and the daemon is told" if signal else "and nobody says so"
        return f"the files say: {told}, {how}"


SIGNALLED = 0.6
"""How many reload by SIGHUP; the others wait until the daemon sees the files."""
UNDONE = 0.7
for _name, _told, _change in CHANGES:
    _add(_name, _told, _change)
