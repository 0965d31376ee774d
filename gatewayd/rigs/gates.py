"""The gate of a rig from its settings: the driver itself, or what is made of two devices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drivers.contract import Driver, Filler, FillGate, Output, Trouble
from gatewayd.clock import Clock
from gatewayd.rigs.assess import Bench
from gatewayd.rigs.composite import Composite
from gatewayd.rigs.soft_memory import Keeper
from gatewayd.rigs.soft_model import SoftSettings
from gatewayd.settings.gates import kind_of
from gatewayd.settings.model import DeviceSettings, RigSettings

CYLINDER_ON_G = 2_000
"""As the PLC program: more than this on the scale is a cylinder."""
NO_FLOW_S = 10
FILL_S_MAX = 600


@dataclass(frozen=True, slots=True)
class Hands:
    """What gates are made with.

    `store` keeps their memories, `tell` adds a trouble to a device.
    """

    drivers: Mapping[str, Driver]
    devices: Mapping[str, DeviceSettings]
    store: Keeper
    clock: Clock
    tell: Callable[[str, Trouble], None]


def gate_for(bench: Bench, hands: Hands) -> FillGate:
    """Settings were checked: the device is a gate, an output or a filler."""
    rig = bench.rig
    driver, device = hands.drivers[rig.gate], hands.devices[rig.gate]
    if isinstance(driver, FillGate):
        return driver
    assert isinstance(driver, Output | Filler), driver
    return Composite(
        bench.rig_id,
        soft_settings(rig, device),
        driver,
        scale=rig.scale,
        store=hands.store,
        clock=hands.clock,
        tell=hands.tell,
    )


def soft_settings(rig: RigSettings, device: DeviceSettings) -> SoftSettings:
    """The rig's own settings of such a gate, with their defaults.

    Only a coil that was accepted may be open without a proven watchdog: a module that has one
    must prove it whatever the file says.
    """
    kind = kind_of(device.driver, device.settings)
    return SoftSettings(
        device=rig.gate,
        start=rig.start or "input",
        fresh_ms=min(rig.stale_after_ms, rig.permit.lease_ms),
        cylinder_on_g=rig.cylinder_on_g or CYLINDER_ON_G,
        preact_g=rig.preact_g or 0,
        no_flow_s=rig.no_flow_s or NO_FLOW_S,
        fill_s_max=rig.fill_s_max or FILL_S_MAX,
        accepted=kind == "coil" and rig.accept_no_watchdog is not None,
        doses=kind == "filler",
        unproven=bool(device.driver.unproven(device.settings)),
    )
