"""Second witnesses of shifts, checked against devices and rigs."""

from collections.abc import Collection, Iterator

from drivers.contract import DriverType
from gatewayd.settings.cross import World
from gatewayd.settings.references import references
from gatewayd.settings.report import Report
from gatewayd.settings.upkeep import ShiftsSettings, WitnessSettings
from protocols.documents import Document, Mark, nearest_hint

TELLS = {
    "mass_falls": frozenset({"scale", "filler"}),
    "flow_total": frozenset({"gate", "filler", "meter"}),
}
"""What a device must be able to do: weigh, or count what flows."""
VERBS = {"mass_falls": "weigh a tank", "flow_total": "count what flows"}


def check_witnesses(
    document: Document | None, shifts: ShiftsSettings | None, world: World, report: Report
) -> None:
    """Every witness is a device that tells what it is asked for, and is no part of what it judges."""
    if document is None or shifts is None:
        return
    judged = {rig.entry.name for rig in world.rigs}
    serving = {ref.device for rig in world.rigs for ref in references(rig.entry.raw)}
    seen: set[str] = set()
    for number, witness in enumerate(shifts.witness):
        mark = document.mark(("shifts", "witness", number, "device"))
        _device(mark, witness, world, report)
        for problem in _places(witness, serving, seen):
            report.problem(mark, problem)
        seen.add(witness.device)
        _rigs(document.mark(("shifts", "witness", number, "rigs")), witness, judged, report)


def _device(mark: Mark, witness: WitnessSettings, world: World, report: Report) -> None:
    name, known = witness.device, world.devices
    device = known.get(name)
    if device is None:
        if world.devices_complete:
            what = f"shifts.witness: device {name!r} does not exist"
            told = f"known: {', '.join(sorted(known)) or 'none'}"
            report.problem(mark, what, told, nearest_hint(name, known))
        return
    if device.settings is not None and not _tells(witness, device.settings.driver):
        what = f"shifts.witness: device {name!r} cannot {VERBS[witness.kind]}"
        can = ", ".join(sorted(device.settings.driver.capabilities)) or "nothing"
        report.problem(mark, what, f"driver {device.settings.driver.name} can: {can}")


def _tells(witness: WitnessSettings, driver: DriverType) -> bool:
    return bool(TELLS[witness.kind] & driver.capabilities)


def _places(
    witness: WitnessSettings, serving: Collection[str], seen: Collection[str]
) -> Iterator[str]:
    if witness.device in serving:
        yield f"shifts.witness: device {witness.device!r} serves a rig, and is no second witness"
    if witness.device in seen:
        yield f"shifts.witness: device {witness.device!r} is named twice"


def _rigs(mark: Mark, witness: WitnessSettings, known: Collection[str], report: Report) -> None:
    for rig in witness.rigs:
        if rig not in known:
            what = f"shifts.witness: rig {rig!r} does not exist"
            told = f"known: {', '.join(sorted(known)) or 'none'}"
            report.problem(mark, what, told, nearest_hint(rig, known))
    if len(set(witness.rigs)) < len(witness.rigs):
        report.problem(mark, "shifts.witness: a rig is named twice")
