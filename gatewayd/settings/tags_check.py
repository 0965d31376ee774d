"""What speaks against a reader's `memory`: the layout that it names, and how much it can read at once."""

from collections.abc import Mapping

from drivers.rfid.contents import BYTES_MAX
from gatewayd.settings.report import Report
from gatewayd.settings.wires import Device
from protocols.documents import nearest_hint
from protocols.tags.layout import Layout


def check_memory(
    devices: Mapping[str, Device], layouts: Mapping[str, Layout], report: Report
) -> None:
    """Every layout that a device names must be there, short enough, and of a memory it has."""
    for name, device in devices.items():
        made = device.settings.settings if device.settings is not None else None
        wanted = getattr(made, "memory", None)
        if wanted is None:
            continue
        mark, layout = device.entry.mark("memory"), layouts.get(wanted)
        if layout is None:
            known = f"known: {', '.join(sorted(layouts)) or 'none'}"
            hint = nearest_hint(wanted, layouts)
            report.problem(mark, f"{name}: tag layout {wanted!r} does not exist", known, hint)
            continue
        if layout.size_bytes > BYTES_MAX:
            what = f"{name}: layout {wanted!r} has {layout.size_bytes} bytes"
            report.problem(mark, what, f"at most {BYTES_MAX} are read between two rounds")
        if getattr(made, "UNIT_BYTES", 2) != 2 and layout.settings.bank != "user":  # noqa: PLR2004 - words
            what = f"{name}: its tags have one memory, not the bank {layout.settings.bank!r}"
            report.problem(mark, what, "bank: user")
        if not layout.settings.verified:
            what = f"{name}: layout {wanted!r} was not seen on a real tag"
            report.warn(mark, what, "", "read one known tag, then say verified: true")
