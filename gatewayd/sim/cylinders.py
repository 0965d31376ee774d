"""A demo archive: LPG cylinders of the usual sizes, and one for every reason to refuse.

Sizes and masses are those of domain/cylinders.md §1.4. Every illegal cylinder has exactly one
thing wrong with it. Seeded, and all dates are relative to a given day.
"""

import csv
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from pathlib import Path

from gatewayd.sim.plant import Load
from gatewayd.store.model import Cylinder

YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class Size:
    """One model of LPG cylinder; the allowed net mass is 0.42 kg/L of the capacity."""

    model: str
    capacity_ml: int
    tare_g: int
    allowed_net_g: int


YSP12 = Size("YSP12", 12_000, 6_500, 5_000)
YSP35_5 = Size("YSP35.5", 35_500, 16_500, 14_900)
YSP118 = Size("YSP118", 118_000, 45_000, 49_500)
SIZES = (*(YSP35_5,) * 5, YSP12, YSP12, YSP118)


@dataclass(frozen=True, slots=True)
class SimCylinder:
    """A cylinder as it exists: its archive entry, its tag, its real masses.

    `tag_user` is the user memory of its tag. `reason` is why it must be refused, None for a legal one. `entry` is what the archive would
    say; for CODE_UNKNOWN the archive does not have it.
    """

    entry: Cylinder
    epc: str
    steel_g: int
    residue_g: int
    reason: str | None = None
    tag_user: bytes = b""

    @property
    def code(self) -> str:
        """The 16-digit code."""
        return self.entry.code

    @property
    def qr_text(self) -> str:
        """What its QR label says."""
        return f"http://teshe.org.cn/Q?id={self.code}"

    def load(self) -> Load:
        """The cylinder as it is put on a scale, with what the last user left in it."""
        return Load(self.code, self.steel_g, self.residue_g)


_Flaw = Callable[[Cylinder, date], Cylinder]

FLAWS: dict[str, _Flaw] = {
    "CODE_UNKNOWN": lambda entry, _: entry,
    "NOT_OWN": lambda entry, _: replace(entry, owner="3799000001"),
    "OVERDUE": lambda entry, today: replace(
        entry,
        last_inspection_on=today - timedelta(days=4 * YEAR_DAYS + 20),
        next_inspection_on=today - timedelta(days=19),
    ),
    "INSPECTION_FAILED": lambda entry, _: replace(entry, inspection_result="failed"),
    "LIFE_EXCEEDED": lambda entry, today: replace(
        entry,
        made_on=today - timedelta(days=9 * YEAR_DAYS),
        scrap_on=today - timedelta(days=YEAR_DAYS),
        design_standard="GB 5842-2006",
    ),
    "SCRAPPED": lambda entry, _: replace(entry, status="scrapped"),
    "CANCELLED": lambda entry, _: replace(entry, status="cancelled"),
    "WRONG_GAS": lambda entry, _: replace(entry, medium="NH3", allowed_net_g=5_000),
    "FILL_COUNT": lambda entry, _: replace(entry, fills_allowed=120, fills_done=120),
    "DATA_MISSING": lambda entry, _: replace(entry, next_inspection_on=None),
}
"""Reason code -> what is wrong with the archive entry of such a cylinder."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The cylinders around one station: legal ones, and the illegal ones by reason."""

    legal: tuple[SimCylinder, ...]
    illegal: tuple[SimCylinder, ...]

    def archive(self) -> tuple[Cylinder, ...]:
        """What the station's archive holds: all but the unknown."""
        known = (item for item in (*self.legal, *self.illegal) if item.reason != "CODE_UNKNOWN")
        return tuple(item.entry for item in known)


def make_fleet(
    *,
    today: date,
    seed: int = 0,
    owner: str = "3701000042",
    region: str = "370100",
    legal: int = 200,
    illegal_each: int = 4,
) -> Fleet:
    """Make `legal` good cylinders and `illegal_each` of every reason in FLAWS."""
    rng = random.Random(seed)
    serial = iter(range(1, 100_000))

    def make(reason: str | None) -> SimCylinder:
        cylinder = _make(rng, next(serial), today=today, owner=owner, region=region)
        if reason is None:
            return cylinder
        return replace(cylinder, entry=FLAWS[reason](cylinder.entry, today), reason=reason)

    good = tuple(make(None) for _ in range(legal))
    return Fleet(good, tuple(make(reason) for _ in range(illegal_each) for reason in FLAWS))


def _make(rng: random.Random, serial: int, *, today: date, owner: str, region: str) -> SimCylinder:
    size = rng.choice(SIZES)
    steel_g = size.tare_g + rng.randint(-150, 150)
    made_on = today - timedelta(days=rng.randint(200, 6 * YEAR_DAYS))
    inspected_on = max(made_on, today - timedelta(days=rng.randint(30, 3 * YEAR_DAYS)))
    epc = _grai_96(rng, serial) if serial % 2 else _opaque(rng)
    entry = Cylinder(
        code=f"{region}01101{serial:05d}",
        tag_uids=(epc,),
        serial_no=f"{rng.randint(100_000, 999_999)}",
        maker=rng.choice(("山东永安", "百江气体器材", "浙江金象")),
        owner=owner,
        model=size.model,
        medium="LPG",
        water_capacity_ml=size.capacity_ml,
        stamped_tare_g=round(steel_g / 100) * 100,
        allowed_net_g=size.allowed_net_g if serial % 3 else None,
        made_on=made_on,
        scrap_on=made_on + timedelta(days=8 * YEAR_DAYS),
        last_inspection_on=inspected_on,
        next_inspection_on=inspected_on + timedelta(days=4 * YEAR_DAYS),
        design_standard="GB 5842-2023" if made_on.year >= 2024 else "GB 5842-2006",
        design_life_years=8,
        inspection_result="passed",
        status="in_use",
        fills_done=rng.randint(0, 90),
        refurbished=False,
        screw_shroud=False,
        embossed_mark=True,
    )
    return SimCylinder(entry, epc, steel_g, residue_g=rng.randint(0, 250))


def _grai_96(rng: random.Random, serial: int) -> str:
    """An EPC of a returnable asset: header 33, filter 0, a 7-digit company, a 5-digit type."""
    company, asset_type = 6_901_234, rng.randint(0, 99_999)
    bits = 0x33 << 88 | 0 << 85 | 5 << 82 | company << 58 | asset_type << 38 | serial
    return f"{bits:024X}"


def _opaque(rng: random.Random) -> str:
    """A factory number as unprogrammed chips carry it."""
    return f"E28068{rng.getrandbits(72):018X}"


def write_csv(cylinders: Iterable[Cylinder], path: Path) -> None:
    """Write an archive file by the template of contract §9, UTF-8."""
    names = [item.name for item in fields(Cylinder)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([_cell(getattr(one, name)) for name in names] for one in cylinders)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ";".join(value)
    return value.isoformat() if isinstance(value, date) else str(value)
