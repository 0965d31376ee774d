"""What a rig cannot supervise because its gate weighs: said at `check`, not at the first cylinder."""

from collections.abc import Iterable, Mapping

from gatewayd.settings.model import RigSettings
from gatewayd.settings.report import Report
from gatewayd.settings.sections import Entry
from rules_engine.pack import Pack

BY_PRESSURE = frozenset({"O2", "N2", "AR", "H2", "HE", "AIR", "CNG"})
"""Compressed gas is limited by its pressure; the rule packs name the same media."""
BY_SOLVENT = frozenset({"C2H2"})
FILL_PRESSURE = "rig.fill_pressure_kpa"


def check_pressure(
    entry: Entry, rig: RigSettings | None, packs: Mapping[str, Pack], report: Report
) -> None:
    """A rig for compressed or dissolved gas, whose gate closes by mass."""
    if rig is None:
        return
    mark = entry.mark("medium")
    if rig.medium in BY_PRESSURE:
        if rig.fill_pressure_kpa is None and _asked(rig, packs.values()):
            report.problem(
                mark,
                f"{entry.name}: {rig.medium} is limited by pressure, and without fill_pressure_kpa "
                "every cylinder is refused",
                "fill_pressure_kpa: what the supply of this rig is limited to, in kPa",
            )
        report.warn(
            mark,
            f"{entry.name}: the gate closes by mass; nobody supervises the pressure of {rig.medium} "
            "while it flows",
            "a supply that cannot exceed fill_pressure_kpa, and the settled pressure checked after",
        )
    if rig.medium in BY_SOLVENT:
        report.warn(
            mark,
            f"{entry.name}: the gate closes by mass; neither solvent nor pressure nor cooling of "
            f"{rig.medium} is supervised while it flows",
            "what the law asks for beside this gateway",
        )


def _asked(rig: RigSettings, packs: Iterable[Pack]) -> bool:
    return any(FILL_PRESSURE in pack.reads for pack in packs if pack.id in rig.rules)
