"""`gatewayd detect` with real ptys and sockets: listening, asking, greeting, and leaving alone."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from drivers.barcode.line import SERIAL as BARCODE_SERIAL
from drivers.barcode.line import TCP as BARCODE_TCP
from drivers.contract import Hello
from drivers.plc.modbus import DRIVER as MODBUS
from drivers.rfid.uhfreader import DRIVER as UHFREADER
from drivers.suite import on_pty, on_tcp
from gatewayd.commission.detect import Found, Search, detect, wires
from gatewayd.commission.knowledge import Knowledge, knowledge
from gatewayd.settings.load import load
from protocols.documents import parse
from protocols.readers.uhfreader import build_command, codes
from tests.support.configs import write_config
from tests.support.machines import KEYBOARD_DESCRIPTOR, POS_DESCRIPTOR, FakeMachine
from tests.support.readers import ScriptedReader

Hear = Callable[[bytes], None]
HELLO = Hello(57_600, build_command(0xFF, codes.INFO, b""), "uhfreader288")
TAG = bytes.fromhex("1500010301010ce280689400005005b22108614d2f50")
KNOWN = Knowledge(
    {
        "barcode.serial": replace(BARCODE_SERIAL, formats=("scanner_serial",)),
        "barcode.tcp": replace(BARCODE_TCP, formats=("scanner_serial",)),
        "plc.modbus": MODBUS,
        "rfid.uhfreader": replace(
            UHFREADER, formats=("uhfreader288", "uhfreader18"), hellos=(HELLO,), tcp_ports=(6000,)
        ),
    }
)


AGAIN_S = 0.04
LISTEN_S = 0.2


class Talker:
    """Says its greeting again and again, and one thing for everything it hears."""

    def __init__(self, says: bytes, greeting: bytes = b"") -> None:
        self.says = says
        self.greeting = greeting
        self.heard = b""

    def plugged(self, send: Callable[[bytes], None], unplug: Callable[[], None]) -> Hear:
        del unplug
        loop = asyncio.get_running_loop()

        def greet() -> None:
            send(self.greeting)
            loop.call_later(AGAIN_S, greet)

        if self.greeting:
            greet()

        def hear(data: bytes) -> None:
            self.heard += data
            send(self.says)

        return hear


async def look(
    fake: FakeMachine,
    *,
    ask: bool = False,
    hosts: tuple[str, ...] = (),
    configured: Mapping[str, tuple[str, ...]] | None = None,
    told: list[str] | None = None,
) -> Found:
    search = Search(fake.machine, KNOWN, configured or {}, ask, LISTEN_S, LISTEN_S)
    return await detect(search, hosts, (told if told is not None else []).append)


async def test_a_reader_that_is_asked_is_known_with_a_line_that_validates(tmp_path: Path) -> None:
    fake, told = FakeMachine(tmp_path), list[str]()
    async with on_pty(ScriptedReader().plugged) as link:
        fake.serial("ttyUSB0", link["serial"], by_id="usb-1a86_X")
        found = await look(fake, ask=True, told=told)
    (find,) = found.serial
    assert find.guess is not None
    assert (find.guess.drivers, find.guess.how, find.guess.baud) == (
        ("rfid.uhfreader",),
        "answered",
        57_600,
    )
    value = parse(f"devices:\n  {find.line}\n", "found").value["devices"]["reader-1"]
    assert value.pop("driver") == "rfid.uhfreader"
    assert value == {"link": {"serial": f"{tmp_path}/dev/serial/by-id/usb-1a86_X", "baud": 57_600}}
    assert any("rfid.uhfreader @ 57600" in line for line in told), "each is named while tried"


async def test_nothing_is_written_unless_asked_to(tmp_path: Path) -> None:
    fake, reader = FakeMachine(tmp_path), ScriptedReader()
    async with on_pty(reader.plugged) as link:
        fake.serial("ttyUSB0", link["serial"])
        found = await look(fake)
    assert reader.heard == []
    assert found.serial[0].guess is None
    assert found.serial[0].line == ""
    assert found.asked is False


async def test_what_talks_by_itself_is_heard(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    reader, scanner = Talker(b"", TAG * 3), Talker(b"", b"0110100001\r\n3701000110100001\r\n")
    async with on_pty(reader.plugged) as one, on_pty(scanner.plugged) as two:
        fake.serial("ttyUSB0", one["serial"])
        fake.serial("ttyUSB1", two["serial"])
        found = await look(fake)
    guesses = [find.guess for find in found.serial]
    assert [(g.drivers[0], g.how) for g in guesses if g is not None] == [
        ("rfid.uhfreader", "heard"),
        ("barcode.serial", "heard"),
    ]
    assert [find.line.partition(":")[0] for find in found.serial] == ["reader-1", "scanner-1"]


async def test_bytes_that_prove_nothing_are_shown_and_not_named(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    async with on_pty(Talker(b"", b"\xde\xad\xbe\xef").plugged) as link:
        fake.serial("ttyUSB0", link["serial"])
        (find,) = (await look(fake)).serial
    assert find.guess is None
    assert find.heard.startswith(b"\xde\xad\xbe\xef")


async def test_an_echo_is_no_answer(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    async with on_pty(Talker(HELLO.question).plugged) as link:
        fake.serial("ttyUSB0", link["serial"])
        (find,) = (await look(fake, ask=True)).serial
    assert find.guess is None


def real(link: Mapping[str, str]) -> str:
    """The wire by its file, as `wires` says it."""
    return f"serial:{Path(link['serial']).resolve()}"


async def test_ports_in_use_or_configured_are_neither_opened_nor_written(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    held, ours = Talker(b"x"), Talker(b"x")
    async with on_pty(held.plugged) as one, on_pty(ours.plugged) as two:
        fake.serial("ttyUSB0", one["serial"])
        fake.serial("ttyUSB1", two["serial"])
        fake.program(99, "minicom", one["serial"])
        configured = {real(two): ("scale-1",)}
        found = await look(fake, ask=True, configured=configured)
    used, known = (find.note for find in found.serial)
    assert used is not None
    assert known is not None
    assert (used.kind, known.kind) == ("used", "configured")
    assert "minicom (99)" in used.en
    assert "gatewayd probe scale-1" in known.zh
    assert held.heard == ours.heard == b""


async def test_a_port_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    fake.serial("ttyUSB0", str(tmp_path / "gone"))
    (find,) = (await look(fake)).serial
    assert find.note is not None
    assert "no such port" in find.note.en


async def test_a_host_is_known_by_answer_greeting_or_not_at_all(tmp_path: Path) -> None:
    fake, reader = FakeMachine(tmp_path), ScriptedReader()
    greeting, silent = Talker(b"", b"0110100001\r\n3701000110100001\r\n"), Talker(b"")
    async with (
        on_tcp(reader.plugged) as one,
        on_tcp(greeting.plugged) as two,
        on_tcp(silent.plugged) as three,
    ):
        hosts = (one["tcp"], two["tcp"], three["tcp"])
        found = await look(fake, hosts=hosts)
    guesses = [find.guess for find in found.hosts]
    assert [(g.drivers[0], g.how) if g else None for g in guesses] == [
        ("rfid.uhfreader", "answered"),
        ("barcode.tcp", "greeting"),
        None,
    ]
    line = found.hosts[0].line
    assert line == f'reader-1: {{driver: rfid.uhfreader, link: {{tcp: "{hosts[0]}"}}}}'
    assert [command.code for command in reader.heard] == [codes.INFO], "asked once, not per baud"


async def test_a_host_without_a_port_is_tried_at_the_usual_ports(tmp_path: Path) -> None:
    found = await look(FakeMachine(tmp_path), hosts=("127.0.0.1",))
    assert [find.port for find in found.hosts] == [502, 6000]
    assert all(find.error or find.guess for find in found.hosts)


async def test_a_port_number_that_several_drivers_use_gets_no_ready_line(tmp_path: Path) -> None:
    async with on_tcp(Talker(b"").plugged) as link:
        port = int(link["tcp"].rpartition(":")[2])
        one = {"plc.modbus": replace(MODBUS, tcp_ports=(port,))}
        two = {**one, "barcode.tcp": replace(BARCODE_TCP, tcp_ports=(port,))}
        found = [
            await detect(
                Search(
                    FakeMachine(tmp_path / name).machine, Knowledge(known), {}, listen_s=LISTEN_S
                ),
                (link["tcp"],),
                lambda _: None,
            )
            for name, known in (("one", one), ("two", two))
        ]
    finds = [each.hosts[0] for each in found]
    assert [find.guess.how if find.guess else "" for find in finds] == ["tcp_port", "tcp_port"]
    assert finds[0].line.startswith("plc-1: ")
    assert finds[1].line == ""


async def test_a_configured_host_port_is_left_alone(tmp_path: Path) -> None:
    reader = ScriptedReader()
    async with on_tcp(reader.plugged) as link:
        configured = {f"tcp:{link['tcp']}": ("gun-1",)}
        found = await look(FakeMachine(tmp_path), hosts=(link["tcp"],), configured=configured)
    assert found.hosts[0].configured_as == ("gun-1",)
    assert reader.connections == 0


async def test_a_name_that_is_configured_is_not_given_again(tmp_path: Path) -> None:
    async with on_tcp(ScriptedReader().plugged) as link:
        configured = {"tcp:elsewhere:1": ("reader-1",)}
        found = await look(FakeMachine(tmp_path), hosts=(link["tcp"],), configured=configured)
    assert found.hosts[0].line.startswith("reader-2: ")


async def test_usb_scanners_are_known_by_class_with_a_line_that_validates(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    fake.interface(fake.usb("1-1", "0c2e:0b01", serial="S1"), "1.0", "03", POS_DESCRIPTOR)
    fake.interface(fake.usb("1-2", "9999:0001"), "1.0", "03", KEYBOARD_DESCRIPTOR)
    fake.interface(fake.usb("1-3", "072f:2200"), "1.0", "0b")
    search = Search(fake.machine, knowledge(), {})
    pos, keyboard, card = (await detect(search, (), lambda _: None)).usb
    kinds = (pos.usb.kind, keyboard.usb.kind, card.usb.kind)
    assert kinds == ("hid_pos", "keyboard", "pcsc")
    for find in (pos, keyboard, card):
        if find.guess is not None:
            assert f"driver: {find.guess.drivers[0]}" in find.line
    assert pos.guess is not None
    assert pos.guess.drivers == ("barcode.hid_pos",)
    read = parse(f"devices:\n  {pos.line}\n", "found").value["devices"]["scanner-1"]
    assert read["driver"] == "barcode.hid_pos"
    assert read["link"] == {"usb": "0c2e:0b01", "serial": "S1"}


async def test_only_a_keyboard_of_a_scanner_maker_is_offered_as_a_scanner(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    fake.interface(fake.usb("1-1", "046d:c31c"), "1.0", "03", KEYBOARD_DESCRIPTOR)
    fake.interface(fake.usb("1-2", "1eab:0010"), "1.0", "03", KEYBOARD_DESCRIPTOR)
    search = Search(fake.machine, knowledge(), {})
    person, scanner = (await detect(search, (), lambda _: None)).usb
    assert (person.guess, person.line) == (None, "")
    assert person.note is not None
    assert "type no more" in person.note.en
    assert scanner.note is None
    assert scanner.guess is not None
    assert scanner.guess.drivers == ("barcode.keyboard",)
    assert scanner.line.startswith("scanner-1: {driver: barcode.keyboard")


def test_wires_of_a_configuration_are_known_by_the_file_they_lead_to(tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to("/dev/null")
    text = f"devices:\n  qr-1: {{driver: barcode.serial, link: {{serial: {link}}}}}\n"
    found = wires(
        load(write_config(tmp_path / "c", {"devices/all.yaml": text, "rigs/all.yaml": None}))
    )
    assert found == {"serial:/dev/null": ("qr-1",)}
    assert wires(None) == {}


def test_json_has_every_key(tmp_path: Path) -> None:
    del tmp_path
    assert Found((), (), (), asked=True).as_json() == {
        "serial": [],
        "usb": [],
        "hosts": [],
        "asked": True,
    }
