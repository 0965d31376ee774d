from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.contract import TagRead
from drivers.rfid.modbus_head import DRIVER, Settings
from protocols import registers
from protocols.documents import DocumentError
from protocols.heads import HeadError, HeadFile, uid_of
from tests.support.devices.modbus_head import ScriptedHead
from tests.support.readers import on_pty, on_tcp, running

CARD = bytes.fromhex("a41e45c6")
OTHER = bytes.fromhex("0000beef")
PROFILES = Path(__file__).parents[2] / "config/profiles"
EXAMPLE = "technotrade-vrd-485"

Wire = Callable[..., AbstractAsyncContextManager[dict[str, Any]]]

HEAD = """
id: test-head
title: {zh: 测试, en: Test}
source: made for a test, after the manual of a head that is acknowledged by a coil
head: {uid_bytes: 8, ack: {coil: 1016, value: 0}, trigger: {register: 900, value: 1}}
points:
  present: {address: 1000, type: uint16, doc: 1 while a tag waits}
  uid_length: {address: 1001, type: uint16, doc: bytes of its uid}
  uid_0: {address: 1002, type: uint16, doc: first}
  uid_1: {address: 1003, type: uint16, doc: second}
  uid_2: {address: 1004, type: uint16, doc: third}
  uid_3: {address: 1005, type: uint16, doc: fourth}
"""


def profiles(*texts: str) -> dict[str, registers.Profile]:
    shipped = [path.read_text("utf-8") for path in sorted(PROFILES.glob("*.yaml"))]
    loaded = [registers.load(text, "profile") for text in (*shipped, *texts)]
    return {profile.id: profile for profile in loaded}


def driver(link: dict[str, Any], profile: str = EXAMPLE, **settings: Any) -> Any:
    told = {"link": link, "profile": profile, "poll_ms": 20, "timeout_ms": 100, **settings}
    made = Settings.model_validate(told)
    known = profiles(HEAD)
    assert DRIVER.objections(made, known) == ()
    return DRIVER.make("gun-1", made, known)


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
async def test_a_card_on_a_head_is_read_while_it_is_there(wire: Wire) -> None:
    head = ScriptedHead()
    async with wire(head.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        assert bench.readings == []
        head.tags = [CARD]
        await bench.until(lambda: len(bench.readings) >= 3)
        head.tags = []
        await bench.until(lambda: len(head.heard) > 10)
        head.tags = [OTHER]
        await bench.until(lambda: len(bench.uids) == 2)
    assert bench.uids == {"A41E45C6", "0000BEEF"}
    read = bench.readings[0]
    assert isinstance(read, TagRead)
    assert (read.antenna, read.rssi_raw) == (1, None)
    assert "technotrade-vrd-485, unit 1" in bench.ups[0]
    assert head.heard[0].hex() == "0300020002"


async def test_a_head_is_triggered_and_acknowledged_as_its_map_says() -> None:
    head = ScriptedHead(uid_at=1002, words=4, present_at=1000, length_at=1001)
    head.tags = [bytes.fromhex("04a1b2c3d4e5f6")]
    async with on_tcp(head.plugged) as link, running(driver(link, "test-head")) as bench:
        await bench.until(lambda: bench.readings)
        await bench.until(lambda: len(head.heard) >= 3)
    assert bench.uids == {"04A1B2C3D4E5F6"}
    assert [pdu.hex() for pdu in head.heard[:3]] == ["0603840001", "0303e80006", "0503f80000"]


async def test_a_length_that_lies_is_noise_and_never_a_read() -> None:
    head = ScriptedHead(uid_at=1002, words=4, present_at=1000, length_at=1001, lies=9)
    head.tags = [bytes.fromhex("04a1b2c3d4e5f6")]
    async with on_tcp(head.plugged) as link, running(driver(link, "test-head")) as bench:
        await bench.until(lambda: bench.noise)
    assert bench.readings == []
    assert "uid_length 9 is not 0 to 8" in bench.noise[0][0]


async def test_an_exception_that_means_no_tag_is_idle() -> None:
    text = HEAD.replace("{uid_bytes: 8,", "{uid_bytes: 8, no_tag_exceptions: [4],")
    known = profiles(text)
    head = ScriptedHead(uid_at=1002, words=4, present_at=1000, length_at=1001, no_tag_exception=4)
    async with on_tcp(head.plugged) as link:
        made = Settings.model_validate({"link": link, "profile": "test-head", "poll_ms": 20})
        async with running(DRIVER.make("gun-1", made, known)) as bench:
            await bench.until(lambda: bench.ups)
            head.tags = [CARD]
            await bench.until(lambda: bench.readings)
    assert bench.uids == {"A41E45C6"}


async def test_any_other_exception_is_a_lost_head() -> None:
    head = ScriptedHead(no_tag_exception=2)
    async with on_tcp(head.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.error)
    assert "illegal data address" in str(bench.error)


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
async def test_a_silent_or_unplugged_head_is_lost(wire: Wire) -> None:
    head = ScriptedHead()
    async with wire(head.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        head.silent = True
        await bench.until(lambda: bench.error)
    assert "no answer" in str(bench.error)
    async with wire(head.plugged) as link, running(driver(link)) as again:
        head.silent = False
        await again.until(lambda: again.ups)
        head.unplug()
        await again.until(lambda: again.error)


async def test_one_garbled_answer_on_a_bus_is_noise() -> None:
    head = ScriptedHead(tags=[CARD])
    async with on_pty(head.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.readings)
        head.before = b"\xff"
        await bench.until(lambda: bench.noise)
        head.before = b""
        seen = len(bench.readings)
        await bench.until(lambda: len(bench.readings) > seen or bench.error)
    assert bench.error is None
    assert bench.uids == {"A41E45C6"}


def test_a_map_without_a_head_is_objected_to() -> None:
    settings = Settings.model_validate(
        {"link": {"tcp": "10.0.0.1:502"}, "profile": "reference-gate-v1"}
    )
    (objection,) = DRIVER.objections(settings, profiles())
    assert "is no RFID head: it has no head section" in objection
    short = HEAD.replace("uid_bytes: 8", "uid_bytes: 9")
    settings = Settings.model_validate({"link": {"tcp": "10.0.0.1:502"}, "profile": "test-head"})
    (objection,) = DRIVER.objections(settings, profiles(short))
    assert "4 uid registers are too few for 9 bytes" in objection
    blind = HEAD.replace("uid_0", "tag_0")
    (objection,) = DRIVER.objections(settings, profiles(blind))
    assert "no point uid_0" in objection


@pytest.mark.parametrize(
    "wrong",
    [
        "{uid_bytes: 0}",
        "{uid_bytes: 4, ack: {value: 0}}",
        "{uid_bytes: 4, ack: {coil: 1, register: 2, value: 0}}",
        "{uid_bytes: 4, ack: {coil: 1, value: 2}}",
        "{uid_bytes: 4, byte_order: middle}",
        "{uid_bytes: 4, colour: red}",
    ],
)
def test_a_wrong_head_section_is_refused_with_its_place(wrong: str) -> None:
    lines = [f"head: {wrong}" if line.startswith("head:") else line for line in HEAD.split("\n")]
    with pytest.raises(DocumentError, match=r"profile:5:"):
        registers.load("\n".join(lines), "profile")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"uid_bytes": 4}, "a41e45c6"),
        ({"uid_bytes": 3}, "a41e45"),
        ({"uid_bytes": 3, "align": "right"}, "1e45c6"),
        ({"uid_bytes": 4, "word_order": "low_first"}, "45c6a41e"),
        ({"uid_bytes": 4, "byte_order": "low_first"}, "1ea4c645"),
        ({"uid_bytes": 4, "word_order": "low_first", "byte_order": "low_first"}, "c6451ea4"),
    ],
)
def test_orders_say_where_the_most_significant_byte_stands(
    told: dict[str, Any], expected: str
) -> None:
    uid = uid_of(HeadFile.model_validate(told), {"uid_0": 0xA41E, "uid_1": 0x45C6})
    assert uid is not None
    assert uid.hex() == expected


def test_zeros_are_no_tag_unless_the_head_says_that_one_is_there() -> None:
    head = HeadFile(uid_bytes=2)
    assert uid_of(head, {"uid_0": 0}) is None
    assert uid_of(head, {"uid_0": 0, "present": 1}) == b""
    assert uid_of(head, {"uid_0": 7, "present": 0}) is None


@given(
    st.dictionaries(
        st.sampled_from(["uid_0", "uid_1", "uid_length", "present"]), st.integers(0, 0xFFFF)
    )
)
def test_any_registers_are_a_uid_no_tag_or_refused(values: dict[str, int]) -> None:
    try:
        uid = uid_of(HeadFile(uid_bytes=4), values)
    except HeadError:
        assert values["uid_length"] > 4
    else:
        assert uid is None or len(uid) <= 4


@pytest.mark.parametrize("wrong", [{"unit": 248}, {"profile": ""}, {"poll_ms": 19}, {"speed": 1}])
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"link": {"tcp": "10.0.0.1:502"}, "profile": "x", **wrong})
