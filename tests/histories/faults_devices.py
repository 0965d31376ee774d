"""Faults of wires and PLCs."""

from functools import partial
from typing import TYPE_CHECKING

from tests.histories.faults import Fault, Strike, fault, undo_later
from tests.histories.wires import Direction, Mishap, Spell

if TYPE_CHECKING:
    from tests.histories.world import World

WIRES = ("plc", "reader", "scanner")


def _spell(kind: Mishap) -> Strike:
    def strike(world: "World", fault: Fault) -> str:
        rng = fault.rng()
        name = rng.choice(WIRES)
        direction: Direction = rng.choice(("to_device", "to_daemon", "to_daemon"))
        count = 1 + round(fault.scaled(0, 12))
        late_s = rng.choice((0.05, 0.3, 0.9, 1.5, 3.0))
        spell = Spell(kind, direction, count, late_s, rng)
        world.rigs[fault.rig].wires[name].spells.append(spell)
        late = f" by {late_s} s" if kind == "delay" else ""
        return f"the next {count} pieces {direction.replace('_', ' ')} on the {name} wire: {kind}{late}"

    return strike


for _kind in ("drop", "delay", "duplicate", "corrupt", "swap", "cut", "noise"):
    fault(f"bytes.{_kind}")(_spell(_kind))


@fault("plc.reports_lost")
def _reports_lost(world: "World", fault: Fault) -> str:
    count = 2 + round(fault.scaled(0, 30))
    spell = Spell("lose_long", "to_daemon", count, 0.0, fault.rng())
    world.rigs[fault.rig].wires["plc"].spells.append(spell)
    return f"the next {count} long answers of the PLC are lost, short ones arrive"


def _unplug(name: str) -> Strike:
    def strike(world: "World", fault: Fault) -> str:
        wire = world.rigs[fault.rig].wires[name]
        wire.unplug()
        seconds = fault.scaled(0.05, 8)
        back = partial(setattr, wire, "plugged", True)  # noqa: FBT003 - an attribute's value
        undo_later(world, seconds, back, f"the {name} is plugged in again")
        return f"the {name} is unplugged for {seconds:.2f} s"

    return strike


def _pull(name: str) -> Strike:
    def strike(world: "World", fault: Fault) -> str:
        wire = world.rigs[fault.rig].wires[name]
        wire.pull()
        seconds = fault.scaled(0.05, 14)
        undo_later(world, seconds, wire.push_in, f"the cable of the {name} is in again")
        return f"the cable of the {name} is out for {seconds:.2f} s, and nobody is told"

    return strike


for _name in WIRES:
    fault(f"unplug.{_name}")(_unplug(_name))
    fault(f"pull.{_name}")(_pull(_name))


def _plc_power(*, keep: bool) -> Strike:
    def strike(world: "World", fault: Fault) -> str:
        rig = world.rigs[fault.rig]
        if not rig.powered:
            return ""
        if not keep:
            world.judge.plc_forgets(rig)
        rig.power(on=False)
        rig.wires["plc"].unplug()
        seconds = fault.scaled(0.1, 6)

        def back() -> None:
            rig.power(on=True, keep=keep)
            rig.wires["plc"].plugged = True

        undo_later(world, seconds, back, f"{rig.name}: the PLC has power again")
        kept = "kept" if keep else "lost"
        return f"the PLC loses power for {seconds:.2f} s, its counters are {kept}"

    return strike


fault("plc.restart_kept")(_plc_power(keep=True))
fault("plc.restart_reset")(_plc_power(keep=False))


def _plc_fault(kind: str, where: str, *, value: object, rest: object, text: str) -> None:
    @fault(kind)
    def strike(world: "World", fault: Fault) -> str:
        plc = world.rigs[fault.rig].plc
        owner, name = where.split(".")
        target = getattr(plc, owner)
        setattr(target, name, value)
        seconds = fault.scaled(0.05, 5)
        undo_later(world, seconds, lambda: setattr(target, name, rest), f"no more: {text}")
        return f"for {seconds:.2f} s: {text}"


_PLC_FAULTS: tuple[tuple[str, str, object, object, str], ...] = (
    ("plc.wrong_echo", "faults.echo_offset", 1, 0, "the PLC echoes another permit"),
    (
        "plc.garbles_writes",
        "faults.write_flips",
        0x0400,
        0,
        "the PLC keeps other masses than written",
    ),
    ("plc.frozen", "faults.frozen_heartbeat", True, False, "the heartbeat stands still"),
    ("plc.e_stop", "faults.e_stop", True, False, "the e-stop is pressed"),
    ("plc.scale_fault", "faults.broken_scale", True, False, "the scale is broken"),
    ("plc.wrong_unit", "wire_faults.wrong_unit", True, False, "replies name another unit"),
    ("plc.silent", "wire_faults.silent", True, False, "the PLC takes requests, answers none"),
    ("plc.slow", "wire_faults.reply_delay_s", 0.35, 0.0, "every reply comes 0.35 s late"),
    ("plc.shifted", "wire_faults.shift", 2, 0, "the PLC answers with other registers"),
)
for _kind, _where, _value, _rest, _text in _PLC_FAULTS:
    _plc_fault(_kind, _where, value=_value, rest=_rest, text=_text)
