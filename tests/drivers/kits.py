"""Every driver in every way of use, for the contract suite; one entry a way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from drivers.barcode import line
from drivers.contract import MemoryArea
from drivers.rfid import chafon as chafon_driver
from drivers.rfid import m100 as m100_driver
from drivers.rfid import r2000 as r2000_driver
from drivers.rfid import uhfreader as uhfreader_driver
from drivers.scale import yusheng
from drivers.suite import Held, Kit, on_pty, on_tcp
from protocols.readers.uhfreader import Dialect, Tag, codes
from tests.drivers import kits_heads, kits_hf, kits_llrp, kits_modules
from tests.support.devices.chafon import ScriptedChafon
from tests.support.devices.hid_pos import ON_PACKETS, ScriptedHidPos, on_packets
from tests.support.devices.m100 import ScriptedM100
from tests.support.devices.r2000 import ScriptedR2000
from tests.support.devices.yusheng import YushengMachine
from tests.support.readers import ScriptedReader

EPCS = ("E280689400005005B2210861", "49440000000000000A000334")
R2000_TAG = bytes.fromhex("a01301898c3000300833b2ddd901400000000137bb")
UHF_TAG = bytes.fromhex("1500010301010ce280689400005005b22108614d2f50")


@dataclass
class TextHead:
    """A scanner that sends a line a code and listens to nothing."""

    suffix: bytes = b"\r"
    send: Callable[[bytes], None] = field(default=lambda _data: None)

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        del unplug
        self.send = send
        return lambda _data: None


def _scan(head: TextHead, codes: tuple[str, ...]) -> None:
    for code in codes:
        head.send(code.encode() + head.suffix)


def _lay(reader: ScriptedReader, uids: tuple[str, ...]) -> None:
    reader.tags = [Tag(bytes.fromhex(uid), 60) for uid in uids]
    if reader.pushes:
        for tag in reader.tags:
            reader.push(tag)


def _left_pushing(reader: ScriptedReader) -> None:
    reader.pushes = True


WORDS = MemoryArea("user", 0, 8)
"""Sixteen bytes, which every scripted reader has."""


def _hold(reader: Any, uid: str, data: bytes) -> None:
    reader.memory[bytes.fromhex(uid), 3] = bytearray(data)


def _words(spoil: Callable[[Any], None], mode: str) -> Held | None:
    """The user memory of Gen2 tags, where the reader is asked."""
    return Held(WORDS, 16, _hold, spoil) if mode == "poll" else None


def _refuses(reader: ScriptedReader) -> None:
    reader.access_status = codes.NO_TAG


def _uhfreader(dialect: Dialect, mode: str) -> Kit:
    type_code = 0x09 if dialect == "18" else 0x26
    return Kit(
        name=f"uhfreader{dialect}-{mode}",
        driver=uhfreader_driver.DRIVER,
        device=lambda: ScriptedReader(dialect=dialect, type_code=type_code),
        show=_lay,
        identities=EPCS,
        settings={"mode": mode},
        leave_pushing=_left_pushing,
        foreign=R2000_TAG,
        memory=_words(_refuses, mode),
    )


def _in_field(reader: ScriptedR2000, uids: tuple[str, ...]) -> None:
    reader.tags = [bytes.fromhex(uid) for uid in uids]


def _left_in_an_inventory(reader: ScriptedR2000) -> None:
    reader.left_over = 2


def _without_words(reader: ScriptedR2000) -> None:
    reader.memory = {(bytes.fromhex(epc), 3): bytearray() for epc in EPCS}


def _r2000(mode: str) -> Kit:
    return Kit(
        name=f"r2000-{mode}",
        driver=r2000_driver.DRIVER,
        device=ScriptedR2000,
        show=_in_field,
        identities=EPCS,
        settings={"mode": mode},
        leave_pushing=_left_in_an_inventory,
        foreign=UHF_TAG,
        memory=_words(_without_words, mode),
    )


def _sighted(module: ScriptedM100, uids: tuple[str, ...]) -> None:
    module.tags = [bytes.fromhex(uid) for uid in uids]
    for epc in module.tags if module.pushes else ():
        module.push(epc)


def _left_in_multi_poll(module: ScriptedM100) -> None:
    module.pushes = True


def _locked(module: ScriptedM100) -> None:
    module.locked = True


def _m100(mode: str) -> Kit:
    return Kit(
        name=f"m100-{mode}",
        driver=m100_driver.DRIVER,
        device=ScriptedM100,
        show=_sighted,
        identities=EPCS,
        settings={"mode": mode},
        leave_pushing=_left_in_multi_poll,
        foreign=UHF_TAG,
        memory=_words(_locked, mode),
    )


def _scan_reports(scanner: ScriptedHidPos, codes: tuple[str, ...]) -> None:
    for code in codes:
        scanner.scan(code)


def _in_front(reader: ScriptedChafon, uids: tuple[str, ...]) -> None:
    reader.tags = [bytes.fromhex(uid) for uid in uids]
    for epc in reader.tags if reader.pushes else ():
        reader.push(epc)


def _left_inventorying(reader: ScriptedChafon) -> None:
    reader.pushes = True


def _refused_by_tags(reader: ScriptedChafon) -> None:
    reader.tag_status = 0x14


def _chafon(mode: str) -> Kit:
    return Kit(
        name=f"chafon-{mode}",
        driver=chafon_driver.DRIVER,
        device=ScriptedChafon,
        show=_in_front,
        identities=EPCS,
        settings={"mode": mode},
        leave_pushing=_left_inventorying,
        foreign=UHF_TAG,
        memory=_words(_refused_by_tags, mode),
    )


def _codes_at_a_machine(machine: YushengMachine, shown: tuple[str, ...]) -> None:
    for code in shown:
        machine.scan(code)


WITHOUT_KIT = {
    "barcode.keyboard": "only the kernel makes input nodes; kits_in_part joins behind the grab",
    "rfid.modbus": "a Modbus master drops what garbage touches; kits_in_part runs the other cases",
    "rfid.pcsc": "pcscd has the wire; test_pcsc_driver runs a real one with a virtual reader",
    "scale.mt_sics": "weighs, identifies nothing; tests/drivers/scale drives it through its faults",
    "scale.toledo": "weighs, identifies nothing; tests/drivers/scale drives it through its faults",
    "scale.yaohua": "weighs, identifies nothing; tests/drivers/scale drives it through its faults",
    "scale.modbus": "weighs, identifies nothing; tests/drivers/scale drives it through its faults",
    "filler.modbus": "fills, identifies nothing; tests/drivers/filler drives it through its faults",
    "meter.modbus": "counts, identifies nothing; tests/drivers/meter drives it through its faults",
    "output.modbus": "holds a valve; tests/drivers/output drives it through its own faults",
    "plc.modbus": "a gate, not an identifier; tests/drivers/plc drives it through its own faults",
}
"""Drivers that the suite cannot run, each with the reason."""

KITS: tuple[Kit, ...] = (
    _uhfreader("18", "poll"),
    _uhfreader("18", "push"),
    _uhfreader("288", "poll"),
    _uhfreader("288", "push"),
    _m100("poll"),
    _m100("push"),
    _chafon("poll"),
    _chafon("push"),
    _r2000("poll"),
    _r2000("push"),
    *kits_hf.KITS,
    *kits_modules.KITS,
    *kits_heads.KITS,
    *kits_llrp.KITS,
    Kit(
        name="scanner-tcp",
        driver=line.TCP,
        device=TextHead,
        show=_scan,
        identities=("0110100001", "3701000110100001"),
        garbage=b"\x00\x01\r",
        foreign=b"\xff\xfe\xfd\r",
        answers=False,
        wires=(on_tcp,),
    ),
    Kit(
        name="yusheng",
        driver=yusheng.DRIVER,
        device=YushengMachine,
        show=_codes_at_a_machine,
        identities=("0110100001", "3701000110100001"),
        garbage=b"\x00\xa4\x7f\x10",
        foreign=UHF_TAG,
        answers=False,
        wires=(on_tcp,),
    ),
    Kit(
        name="hid-pos",
        driver=ON_PACKETS,
        device=ScriptedHidPos,
        show=_scan_reports,
        identities=("0110100001", "3701000110100001"),
        garbage=b"\x02\x01\xfe\x80",
        foreign=b"\x02\xad\xbe\xef",
        answers=False,
        wires=(on_packets,),
    ),
    Kit(
        name="scanner-serial",
        driver=line.SERIAL,
        device=TextHead,
        show=_scan,
        identities=("0110100001", "3701000110100001"),
        garbage=b"\x00\x01\r",
        foreign=b"\xff\xfe\xfd\r",
        answers=False,
        wires=(on_pty,),
    ),
)
