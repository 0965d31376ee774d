"""Two rigs, the tank they fill from, and a meter between, on a clock that tests move."""

from typing import Any

from drivers.contract import GateSample, Trouble, WeightSample
from gatewayd.settings.upkeep import ShiftsSettings
from gatewayd.shifts.witnesses import Witnesses
from tests.alarms.control_room import ControlRoom
from tests.rigs.bench import QUIET
from tests.support.stores import STATION, ZONE, draft

TANK_G = 42_000_000
MINUTE = 60


class Yard:
    """Two rigs, the tank they fill from, and who watches."""

    def __init__(self, room: ControlRoom, tank_g: int = TANK_G, **changed: Any) -> None:
        self.room = room
        self.tank_g: int | None = tank_g
        self.counted_g = 4_294_900_000
        self.open: dict[str, tuple[str | None, int | None]] = {
            "rig-1": (None, 0),
            "rig-2": (None, 0),
        }
        tank = {"device": "tank-1", "kind": "mass_falls", "limit_g": 1_000, "limit_permille": 1}
        made = ShiftsSettings.model_validate({"witness": [tank | changed]}, strict=False)
        self.kind = made.witness[0].kind
        self.unknown = ""
        self.troubles: list[tuple[str, Trouble]] = []
        self.witnesses = Witnesses(
            made,
            STATION,
            ZONE,
            store=room.store,
            board=room.board,
            alarms=room.alarms,
            clock=room.clock,
            flowing=lambda: self.open,
            tell=lambda device, trouble: self.troubles.append((device, trouble)),
        )

    def speak(self) -> None:
        at_ns = self.room.clock.monotonic_ns()
        if self.unknown:
            unknown = WeightSample("tank-1", at_ns, None, None, stable=False, why=self.unknown)
            self.witnesses.take(unknown)
            return
        if self.tank_g is None:
            return
        self.witnesses.take(WeightSample("tank-1", at_ns, self.tank_g, None, stable=True))
        counter = {"device": "meter-1", "at_ns": at_ns, "total_g": self.counted_g % 2**32}
        self.witnesses.take(GateSample(**{**_values(QUIET), **counter}))

    def flow(self, grams: int) -> None:
        self.counted_g += grams
        if self.tank_g is not None:
            self.tank_g -= grams

    async def fill(self, net_g: int, flowed_g: int | None = None, rig_id: str = "rig-1") -> None:
        self.flow(net_g if flowed_g is None else flowed_g)
        await self.room.store.append(draft(data={"net_g": net_g}, rig_id=rig_id))

    async def pass_h(self, hours: float) -> None:
        """It is heard every minute, and looked at every half an hour and at the end."""
        minutes = round(hours * 60)
        for minute in reversed(range(minutes)):
            self.room.clock.advance(seconds=MINUTE)
            self.speak()
            if minute % 30 == 0:
                await self.witnesses.look()

    def closed(self) -> list[dict[str, Any]]:
        return [data for data in self.room.data() if "risen_g" in data and "device" in data]


def _values(sample: GateSample) -> dict[str, Any]:
    return {name: getattr(sample, name) for name in GateSample.__slots__}


async def begun(room: ControlRoom, **changed: Any) -> Yard:
    """At noon, with shifts at eight and twenty."""
    yard = Yard(room, **changed)
    await yard.witnesses.look()
    yard.speak()
    return yard
