"""What kind of gate a rig has, how it closes when this computer dies, and what the kind needs."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from drivers.contract import DriverType
from gatewayd.settings.model import DeviceSettings, RigSettings, Settings
from gatewayd.settings.report import Report
from gatewayd.settings.sections import Entry
from gatewayd.texts import Language, text

GateKind: TypeAlias = Literal["lease", "watchdog", "filler", "coil"]

SOFT_KEYS = (
    "start",
    "cylinder_on_g",
    "preact_g",
    "no_flow_s",
    "fill_s_max",
    "accept_no_watchdog",
)
"""Keys of a rig whose gate is made of several devices; a PLC decides these by itself."""

GATES = frozenset({"gate", "output", "filler"})
"""Capabilities of a device that a rig may name as its gate."""

STALE_MS_MAX = 2_000
"""A gate that closes by weights told to this computer is blind for as long as it takes old ones."""

UNSEEN_FLOW_S_MAX = 30
"""With `start: permit` the valve is open until gas is seen or `start_within_s` is over. A scale that
stands still, by its firmware or a cylinder that leans on something, shows none."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How a rig's gate closes when this computer dies; `within_ms` None = not by then.

    `unproven`: why somebody accepted a filler whose target cannot be read back.
    """

    rig_id: str
    device: str
    kind: GateKind
    within_ms: int | None
    unproven: str = ""

    @property
    def stays_open(self) -> bool:
        """Whether gas may go on flowing without this computer."""
        return self.within_ms is None

    def say(self, language: Language) -> str:
        """In words."""
        values = {"rig": self.rig_id, "gate": self.device, "ms": self.within_ms}
        key = "gate.filler_unproven" if self.unproven else f"gate.{self.kind}"
        return text(key, language, **values)


def kind_of(driver: DriverType, settings: Any) -> GateKind:
    """The kind of gate that a device of these settings makes."""
    if "gate" in driver.capabilities:
        return "lease"
    if "filler" in driver.capabilities:
        return "filler"
    return "coil" if driver.watchdog_ms(settings) is None else "watchdog"


def closing(rig_id: str, rig: RigSettings, device: DeviceSettings) -> Closing:
    """How this rig's gate closes without us."""
    kind = kind_of(device.driver, device.settings)
    lease_ms = rig.permit.lease_ms
    within_ms = lease_ms if kind == "lease" else device.driver.watchdog_ms(device.settings)
    unproven = device.driver.unproven(device.settings)
    return Closing(rig_id, rig.gate, kind, within_ms, unproven)


def closings(settings: Settings) -> tuple[Closing, ...]:
    """How every rig's gate closes without us, in the order of the files."""
    return tuple(
        closing(name, rig, settings.devices[rig.gate]) for name, rig in settings.rigs.items()
    )


def check_gate(
    entry: Entry,
    rig: RigSettings | None,
    gate: DeviceSettings | None,
    scale: DeviceSettings | None,
    report: Report,
) -> None:
    """What a rig's gate needs of its kind, and a loud word where it would stay open without us."""
    if gate is None or not gate.driver.capabilities & GATES:
        return
    kind = kind_of(gate.driver, gate.settings)
    if kind == "lease":
        _lease(entry, report)
    elif kind == "filler":
        _filler(entry, gate, report)
    else:
        _output(entry, gate, scale, report)
    if rig is not None:
        _dies(entry, rig, closing(entry.name, rig, gate), report)
        _blind(entry, rig, kind, report)


def _lease(entry: Entry, report: Report) -> None:
    _one_device(
        entry, "one device that weighs and holds the gate, as reference-gate-v1 does", report
    )
    for key in SOFT_KEYS:
        if key in entry.raw:
            report.problem(
                entry.mark(key),
                f"{entry.name}: {key} is decided by the PLC of its gate",
                "only for a gate that is an output of an I/O module, or a filler",
                f"remove {key}",
            )


def _filler(entry: Entry, gate: DeviceSettings, report: Report) -> None:
    _one_device(entry, "the filler weighs by itself", report)
    if entry.raw.get("start") != "permit":
        report.problem(
            entry.mark("start"),
            f"{entry.name}: filler {gate.name!r} is started by the permit itself",
            "start: permit",
            "say so, and let the device wait for its own start button where it can",
        )


def _one_device(entry: Entry, expected: str, report: Report) -> None:
    scale, gate = entry.raw.get("scale"), entry.raw.get("gate")
    if isinstance(scale, str) and scale != gate:
        report.problem(
            entry.mark("scale"),
            f"{entry.name}: scale {scale!r} is not the gate {gate!r}",
            expected,
            f"write scale: {gate}",
        )


def _output(
    entry: Entry, gate: DeviceSettings, scale: DeviceSettings | None, report: Report
) -> None:
    if scale is not None and (scale.name == gate.name or "gate" in scale.driver.capabilities):
        report.problem(
            entry.mark("scale"),
            f"{entry.name}: {scale.name!r} does not weigh beside the output {gate.name!r}",
            "a scale of its own, driver scale.*",
        )
    start = entry.raw.get("start", "input")
    if start == "input" and getattr(gate.settings, "start", None) is None:
        report.problem(
            entry.mark("start"),
            f"{entry.name}: start: input needs a button, and {gate.name!r} has no start",
            "start: {input: N, active: true} at the device",
            "or start: permit here, where a person opens the gun by hand",
        )


def _dies(entry: Entry, rig: RigSettings, end: Closing, report: Report) -> None:
    """Refuse what nobody accepted in writing, and say loudly what would stay open."""
    accepted = rig.accept_no_watchdog
    if end.kind == "coil" and accepted is None:
        report.problem(
            entry.mark("gate"),
            f"{entry.name}: gate {end.device!r} would stay open if this computer died",
            "an output with a watchdog, or a PLC with reference-gate-v1",
            'accept it in writing: accept_no_watchdog: {reason: "why this is safe here"}',
        )
    if accepted is not None and end.kind == "watchdog":
        report.problem(
            entry.mark("accept_no_watchdog"),
            f"{entry.name}: gate {end.device!r} has a watchdog, nothing is to be accepted",
            "",
            "remove accept_no_watchdog",
        )
    if end.within_ms is not None and end.within_ms > rig.permit.lease_ms:
        report.problem(
            entry.mark("permit", "lease_ms"),
            f"{entry.name}: gate {end.device!r} closes {end.within_ms} ms after this computer died",
            f"within lease_ms {rig.permit.lease_ms}",
            "shorten watchdog.ms of the device, or lengthen lease_ms",
        )
    if end.stays_open:
        reasons = [end.unproven, accepted.reason if accepted is not None else ""]
        said = "".join(f"; accepted: {reason}" for reason in reasons if reason)
        report.warn(entry.mark("gate"), f"{end.say('en')} / {end.say('zh')}{said}")


def _blind(entry: Entry, rig: RigSettings, kind: GateKind, report: Report) -> None:
    """Refuse times for which gas could flow without anybody seeing it; a PLC weighs by itself."""
    if kind == "lease":
        return
    if rig.stale_after_ms > STALE_MS_MAX:
        report.problem(
            entry.mark("stale_after_ms"),
            f"{entry.name}: stale_after_ms {rig.stale_after_ms} is too long for gate {rig.gate!r}",
            f"at most {STALE_MS_MAX}: until then the valve stays open by an old weight",
        )
    start_s = rig.permit.start_within_s
    if kind != "filler" and rig.start == "permit" and start_s > UNSEEN_FLOW_S_MAX:
        report.problem(
            entry.mark("permit", "start_within_s"),
            f"{entry.name}: start_within_s {start_s} is too long with start: permit",
            f"at most {UNSEEN_FLOW_S_MAX}: a scale that stands still shows no gas until then",
            f"permit: {{start_within_s: {UNSEEN_FLOW_S_MAX}}}, or a start button at the module",
        )
