"""Kits of triggered scan heads for the contract suite."""

from drivers.barcode import line
from drivers.suite import Kit, on_pty, on_tcp
from tests.support.devices.heads import Gm65Module, SsiScanner

CODES = ("0110100001", "3701000110100001")
UHF_TAG = bytes.fromhex("1500010301010ce280689400005005b22108614d2f50")


def _scan(head: SsiScanner, codes: tuple[str, ...]) -> None:
    for code in codes:
        head.scan(code.encode())


def _lay(module: Gm65Module, codes: tuple[str, ...]) -> None:
    module.labels = [code.encode() for code in codes]


KITS: tuple[Kit, ...] = (
    Kit(
        name="ssi-serial",
        driver=line.SERIAL,
        device=SsiScanner,
        show=_scan,
        identities=CODES,
        settings={"trigger": "ssi"},
        foreign=UHF_TAG,
        wires=(on_pty,),
    ),
    Kit(
        name="ssi-tcp",
        driver=line.TCP,
        device=SsiScanner,
        show=_scan,
        identities=CODES,
        settings={"trigger": "ssi"},
        foreign=UHF_TAG,
        wires=(on_tcp,),
    ),
    Kit(
        name="gm65-serial",
        driver=line.SERIAL,
        device=Gm65Module,
        show=_lay,
        identities=CODES,
        settings={"trigger": "gm65"},
        garbage=b"\x00\x01\r",
        foreign=UHF_TAG,
        wires=(on_pty,),
    ),
)
