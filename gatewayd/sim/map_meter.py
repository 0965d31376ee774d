"""A meter of a register map on trial: the real driver, what flows through it, and its own lies.

A reset must be told as what it is: the smaller number, at once.
"""

from collections.abc import Iterator
from itertools import accumulate

from drivers.contract import Driver
from drivers.meter.modbus import MeterModbusSettings, ModbusMeter
from gatewayd.sim.map_lies import Lie, Subject, complaints, faults, says, shows
from gatewayd.sim.meter import SimMeter
from protocols.masses import TOTAL_G_MAX
from protocols.register_totals import is_float, needed, wraps_g
from protocols.register_values import limits_of
from protocols.registers import Profile

BEGIN_G, FLOWS_G = 1_000_000_000, (14_500_000, 200_000_000, 5_000_000)


def subject(profile: Profile) -> SimMeter:
    """A meter that says nothing is wrong and has counted before."""
    return SimMeter(profile, BEGIN_G)


def driver(meter: Subject, asked: dict[str, object]) -> Driver:
    """The driver that reads it, `asked` as any device on trial."""
    settings = MeterModbusSettings.model_validate(asked)
    return ModbusMeter("trial", settings, meter.device.profile)


def truths(profile: Profile) -> tuple[int, ...]:
    """Totals that it comes to by what flows, up to its wrap; the first stands before every lie."""
    wraps = wraps_g(profile, subject(profile).scaling)
    flows_g = FLOWS_G if wraps is None else (*FLOWS_G, wraps)
    return tuple(accumulate(flows_g, initial=BEGIN_G))


def lies(profile: Profile) -> Iterator[Lie]:
    """Every lie that a meter of this map can tell, and its reset."""
    yield shows("reset", 0, lost=False)
    yield from faults(silent=False)
    yield from complaints(profile, subject(profile).point.name, needed(profile))
    yield from _numbers(profile)


def _numbers(profile: Profile) -> Iterator[Lie]:
    """No number, and one beyond everything that ever flowed."""
    point = subject(profile).point
    if is_float(point):
        exponent = {2: 0x7F80_0000, 4: 0x7FF0_0000_0000_0000}[point.size]
        yield says("not a number", exponent | 1)
        yield says("infinite", exponent)
        yield says("out of range", exponent - 1)
    elif limits_of(point).stop > TOTAL_G_MAX * 1_000:
        yield says("out of range", limits_of(point).stop - 1)
