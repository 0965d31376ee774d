"""LLRP readers in both ways of use, for the contract suite; one entry a way."""

from drivers.rfid import llrp as llrp_driver
from drivers.suite import Kit, on_tcp
from protocols.readers.llrp import device
from tests.support.devices.llrp import ScriptedLlrp

EPCS = ("E280689400005005B2210861", "1FB41F712AC9C37AB79D618173188324001A")
UHF_TAG = bytes.fromhex("1500010301010ce280689400005005b22108614d2f50")


def _seen(reader: ScriptedLlrp, uids: tuple[str, ...]) -> None:
    reader.tags = [bytes.fromhex(uid) for uid in uids]
    if reader.streams:
        reader.report()


def _left_reporting(reader: ScriptedLlrp) -> None:
    reader.pushes = True


def _llrp(mode: str) -> Kit:
    return Kit(
        name=f"llrp-{mode}",
        driver=llrp_driver.DRIVER,
        device=lambda: ScriptedLlrp(streams=mode == "push"),
        show=_seen,
        identities=EPCS,
        settings={"mode": mode, "keepalive_ms": 500, "poll_ms": 50},
        leave_pushing=_left_reporting,
        garbage=b"\x00\x01\xfe\x80" + device.keepalive()[:1],
        foreign=UHF_TAG,
        wires=(on_tcp,),
    )


KITS = (_llrp("push"), _llrp("poll"))
