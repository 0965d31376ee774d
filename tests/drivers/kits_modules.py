"""Kits of modules and heads for the contract suite: ThingMagic and Silion, Wiegand, Modbus."""

from drivers.rfid import thingmagic, wiegand
from drivers.suite import Kit
from tests.support.devices.thingmagic import ScriptedModule
from tests.support.devices.wiegand import ScriptedConverter

EPCS = ("E280689400005005B2210861", "49440000000000000A000334")
R2000_TAG = bytes.fromhex("a01301898c3000300833b2ddd901400000000137bb")


def _show(module: ScriptedModule, uids: tuple[str, ...]) -> None:
    module.tags = [bytes.fromhex(uid) for uid in uids]
    for epc in module.tags if module.pushes else ():
        module.push(epc)


def _left_streaming(module: ScriptedModule) -> None:
    """Somebody used it before: it is started, set up, and streams."""
    module.pushes, module.boot_loader, module.region, module.protocol = True, False, 6, 5


def _thingmagic(mode: str) -> Kit:
    return Kit(
        name=f"thingmagic-{mode}",
        driver=thingmagic.DRIVER,
        device=ScriptedModule,
        show=_show,
        identities=EPCS,
        settings={"mode": mode, "region": "PRC", "search_ms": 20},
        leave_pushing=_left_streaming,
        foreign=R2000_TAG,
    )


def _hold(converter: ScriptedConverter, uids: tuple[str, ...]) -> None:
    for uid in uids:
        converter.push(bytes.fromhex(uid))


KITS: tuple[Kit, ...] = (
    _thingmagic("poll"),
    _thingmagic("push"),
    Kit(
        name="wiegand",
        driver=wiegand.DRIVER,
        device=ScriptedConverter,
        show=_hold,
        identities=("44A24F", "FE336C"),
        settings={"rendering": "hex"},
        garbage=b"\x00\x01\r",
        foreign=b"\xff\xfe\xfd\r",
        answers=False,
        proves_age=False,
    ),
)
"""Silion needs 20 s to notice that a stream fell silent: test_thingmagic_driver has it instead."""
