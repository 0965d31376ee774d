"""What is wrong with scan points among themselves and beside the rigs."""

from collections.abc import Iterable

from gatewayd.settings.report import Report
from gatewayd.settings.sections import Entry


def check_names(points: Iterable[Entry], rigs: Iterable[str], report: Report) -> None:
    """A stage without rules judges nothing, and a point and a rig of one name mislead people."""
    taken = set(rigs)
    for entry in points:
        if entry.name in taken:
            what = f"point {entry.name!r} has the name of a rig"
            report.problem(entry.mark(), what, "a name of its own", "rename the point")
        if entry.raw.get("stage") is not None and not entry.raw.get("rules"):
            what = f"{entry.name}: a stage without rules judges nothing"
            report.problem(entry.mark("stage"), what, "rules: [a rule pack]", "or leave stage out")
