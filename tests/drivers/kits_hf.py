"""HF readers for the contract suite: one kit a family."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from drivers.contract import MemoryArea
from drivers.rfid import hf, pn532
from drivers.suite import Faults, Held, Kit, Plugged, Wire, on_pty, on_tcp
from protocols.readers.hf import FAMILIES, FamilyName
from protocols.readers.pn532 import messages
from tests.support.devices.hf import ScriptedHf
from tests.support.devices.pn532 import ScriptedPn532

UIDS = ("E00401009F2625F5", "E007000012C01480")
R2000_TAG = bytes.fromhex("a01301898c3000300833b2ddd901400000000137bb")


def _lay(reader: Any, uids: tuple[str, ...]) -> None:
    reader.tags = [bytes.fromhex(uid) for uid in uids]


@asynccontextmanager
async def on_pty_without_parity(
    plugged: Plugged, faults: Faults | None = None
) -> AsyncIterator[dict[str, Any]]:
    """A pseudo terminal knows no parity, which FEIG's serial ports have."""
    async with on_pty(plugged, faults) as link:
        yield {**link, "parity": "none"}


BLOCKS = MemoryArea("user", 4, 4)


def _hold(reader: Any, uid: str, data: bytes) -> None:
    parts = [data[at : at + 4] for at in range(0, len(data), 4)]
    held = reader.blocks if isinstance(reader, ScriptedHf) else reader.pages
    held(bytes.fromhex(uid))[4:8] = parts


def _refuse(reader: ScriptedHf) -> None:
    reader.no_blocks = True


def _deaf(reader: ScriptedPn532) -> None:
    reader.deaf_to = frozenset({messages.DATA_EXCHANGE})


def _hf(family: FamilyName, *wires: Wire) -> Kit:
    return Kit(
        name=f"hf-{family}",
        driver=hf.DRIVER,
        device=lambda: ScriptedHf(family=family),
        show=_lay,
        identities=UIDS,
        settings={"family": family},
        garbage=b"\xfe\xef\xfd",
        foreign=R2000_TAG,
        wires=wires,
        memory=Held(BLOCKS, 16, _hold, _refuse) if FAMILIES[family].block else None,
    )


KITS: tuple[Kit, ...] = (
    _hf("idtronic", on_tcp),
    _hf("feig", on_pty_without_parity),
    _hf("ti_s6350", on_tcp, on_pty),
    _hf("aa_bb", on_tcp),
    _hf("uhfreader_hf", on_tcp),
    Kit(
        name="pn532",
        driver=pn532.DRIVER,
        device=ScriptedPn532,
        show=_lay,
        identities=("04112233445566", "24D34F59"),
        foreign=R2000_TAG,
        memory=Held(BLOCKS, 16, _hold, _deaf),
    ),
)
"""Every family, and both wires; a wire does not care which family it carries."""
