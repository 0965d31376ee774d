"""The simulated reader against captured bytes, and against our own codec."""

import asyncio
from collections.abc import Callable

import pytest

from gatewayd.sim.reader import Dialect, ReaderFaults, SimReader, frame
from gatewayd.sim.scanner import SimScanner
from gatewayd.sim.wires import Line, TcpWire
from protocols.framing import Noise
from protocols.readers.uhfreader import Inventory, Push, decode_reply, new_framer
from tests.support.waiting import until
from tests.support.wiretap import Wiretap

WITHIN_S = 10.0
ASK_INFO = bytes.fromhex("04ff211995")
ASK_18 = bytes.fromhex("040001db4b")
ASK_288 = bytes.fromhex("06000104ffd439")
ASK_288_FULL = bytes.fromhex("0900010400008014dd23")
END_288 = "0700010101001e4b"
TAG_CAPTURED = "1500010301010ce280689400005005b22108614d2f50"
EPC = "E280689400005005B2210861"


class Tape:
    """A line that keeps what it was sent."""

    def __init__(self) -> None:
        self.sent = b""
        self.lines: tuple[Line, ...] = (self,)
        self.address = "tape"

    def send(self, data: bytes) -> None:
        self.sent += data

    async def plug(self) -> None: ...

    def unplug(self) -> None: ...


async def told(reader: SimReader, *pieces: bytes) -> str:
    tape = Tape()
    feed = reader.device(tape)
    for piece in pieces:
        feed(piece)
    await asyncio.sleep(2 * reader.round_s)  # the loop keeps its timers in order: a round is over
    return tape.sent.hex()


def make(dialect: Dialect, *epcs: str) -> SimReader:
    reader = SimReader(dialect=dialect, round_s=0.01)
    for epc in epcs:
        reader.tag_in(epc, 0x4D)
    return reader


async def test_info_of_the_288_is_the_captured_frame() -> None:
    assert await told(make("288"), ASK_INFO) == "11002100030d260331801e0001000001719a"


@pytest.mark.parametrize("ask", [ASK_288, ASK_288_FULL])
async def test_a_288_round_is_the_captured_frames(ask: bytes) -> None:
    assert await told(make("288"), ask) == END_288
    assert await told(make("288", EPC), ask) == TAG_CAPTURED + END_288


async def test_an_18_round_lists_its_tags_and_says_when_there_are_none() -> None:
    assert await told(make("18"), ASK_18) == frame(0, 1, b"\xfb").hex()
    answer = await told(make("18", EPC), ASK_18)
    assert answer == frame(0, 1, b"\x01\x01\x0c" + bytes.fromhex(EPC)).hex()


async def test_each_dialect_refuses_the_others_inventory() -> None:
    assert (await told(make("18"), ASK_288_FULL))[:8] == "050001fd"
    assert (await told(make("18"), ASK_288))[:8] == "050001ff"
    assert (await told(make("288"), ASK_18))[:8] == "050001fd"


async def test_wrong_checksums_other_addresses_and_noise_are_not_answered() -> None:
    reader = make("288", EPC)
    assert await told(reader, bytes.fromhex("040021d9ba")) == ""
    assert await told(reader, frame(5, 0x21)) == ""
    assert await told(reader, b"\x03\x02\x01", ASK_INFO[:2], ASK_INFO[2:]) != ""
    assert await told(reader, frame(0, 0x99)) == frame(0, 0x99, b"\xfe").hex()


async def test_push_mode_of_the_18_is_the_captured_frame_and_ignores_inventories() -> None:
    reader = make("18", "E2000020401302162510BBEC")
    assert (
        await told(reader, frame(0, 0x35, bytes((1, 0, 0, 0, 0, 0)))) == frame(0, 0x35, b"\0").hex()
    )
    tape = Tape()
    reader.wire = tape
    reader.tick(1.0)
    reader.tick(1.01)
    assert tape.sent.hex() == "1100ee00e2000020401302162510bbecb1b1"
    assert await told(reader, ASK_18) == ""
    assert await told(reader, frame(0, 0x36)) != ""
    assert await told(reader, frame(0, 0x35, bytes(6))) == frame(0, 0x35, b"\0").hex()
    assert await told(reader, ASK_18) != ""


async def test_real_time_mode_of_the_288_pushes_tags_and_heartbeats() -> None:
    reader = make("288", EPC)
    await told(reader, frame(0, 0x76, b"\x01"))
    tape = Tape()
    reader.wire = tape
    reader.tick(1.0)
    replies = [
        decode_reply(piece, "288")
        for piece in new_framer().feed(tape.sent)
        if isinstance(piece, bytes)
    ]
    pushes = [reply for reply in replies if isinstance(reply, Push)]
    assert [push.tag.epc for push in pushes] == [bytes.fromhex(EPC)]
    assert len(replies) == 2


@pytest.mark.parametrize("dialect", ["18", "288"])
async def test_our_codec_reads_every_round(dialect: Dialect) -> None:
    epcs = [f"E2{number:022X}" for number in range(25)]
    sent = await told(make(dialect, *epcs), ASK_18 if dialect == "18" else ASK_288)
    found = []
    for piece in new_framer().feed(bytes.fromhex(sent)):
        assert not isinstance(piece, Noise)
        reply = decode_reply(piece, dialect)
        assert isinstance(reply, Inventory)
        found += [tag.epc.hex().upper() for tag in reply.tags]
    assert found == epcs


def _mute(faults: ReaderFaults) -> None:
    faults.silent = True


def _corrupt(faults: ReaderFaults) -> None:
    faults.corrupt_crc = True


@pytest.mark.parametrize("break_it", [_mute, _corrupt])
async def test_a_broken_reader_says_nothing_that_counts(
    break_it: Callable[[ReaderFaults], None],
) -> None:
    reader = make("288", EPC)
    break_it(reader.faults)
    sent = bytes.fromhex(await told(reader, ASK_288))
    assert all(isinstance(piece, Noise) for piece in new_framer().feed(sent))


async def test_a_storm_repeats_the_tag_as_often_as_told() -> None:
    reader = make("288", EPC)
    reader.faults.copies = 500
    sent = bytes.fromhex(await told(reader, ASK_288))
    assert len(sent) == 500 * 22 + 8


async def test_a_scanner_sends_text_and_suffix_to_everyone() -> None:
    tap, scanner = Wiretap(), SimScanner(suffix=b"\r\n")
    wire = TcpWire(tap.on(scanner.device))
    scanner.wire = wire
    await wire.plug()
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(b"\x16T\r")
    await until(lambda: tap.heard == b"\x16T\r")
    scanner.scan("http://teshe.org.cn/Q?id=3701000110100001")
    async with asyncio.timeout(WITHIN_S):
        assert await reader.readline() == b"http://teshe.org.cn/Q?id=3701000110100001\r\n"
    writer.close()
    wire.unplug()
