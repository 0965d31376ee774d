"""How a device is told something: commands step by step, EEPROM spared, totalisers followed."""

import pytest

from protocols import registers
from protocols.register_commands import Await, Step, Totaliser, Write, steps, write
from protocols.register_values import words_of

MAP = """
id: x
title: {zh: 甲, en: a}
source: s
serves: [output]
limits: {functions: [1, 3, 5, 16]}
points:
  valve: {address: 4, type: bit, table: coil, writable: true, inverted: [valve], doc: d}
  state: {address: 0, type: bits, bits: {heard: 14}, doc: d}
  word: {address: 10, type: uint16, writable: true, doc: d}
  code: {address: 11, type: uint16, writable: true, doc: d}
  kept: {address: 12, type: int32, writable: true, stored: true, doc: d}
commands:
  hold: {writes: {word: 1}, kind: level, doc: d}
  zero: {writes: {word: 1}, kind: edge, parameters: [kept], doc: d}
  start: {writes: {word: 0x10}, kind: handshake, confirm: heard, doc: d}
  record: {writes: {code: 2003, word: 1}, kind: edge, doc: d}
"""
PROFILE = registers.load(MAP, "f")


def told(name: str) -> list[str | Step]:
    return [
        step.request.pdu.hex() if isinstance(step, Write) else step for step in steps(PROFILE, name)
    ]


def test_a_level_is_written_as_it_is() -> None:
    assert told("hold") == ["10000a0001020001"]


def test_an_edge_begins_at_0() -> None:
    assert told("zero") == ["10000a0001020000", "10000a0001020001"]


def test_a_handshake_waits_for_the_device_both_ways() -> None:
    assert told("start") == [
        "10000a0001020010",
        Await("heard", on=True),
        "10000a0001020000",
        Await("heard", on=False),
    ]


def test_the_last_register_starts_a_command() -> None:
    assert told("record") == ["10000b00010207d3", "10000a0001020000", "10000a0001020001"]


def test_a_point_is_written_with_a_function_the_device_has() -> None:
    word, kept, valve = (PROFILE.points[name] for name in ("word", "kept", "valve"))
    assert write(PROFILE, word, (7,)).pdu.hex() == "10000a0001020007"
    assert write(PROFILE, kept, words_of(kept, -2)).pdu.hex() == "10000c000204fffffffe"
    assert write(PROFILE, valve, (0,)).pdu.hex() == "050004ff00"
    assert write(PROFILE, valve, (1,)).pdu.hex() == "0500040000"
    both = registers.load(MAP.replace("5, 16", "5, 6, 16"), "f")
    assert write(both, word, (7,)).pdu.hex() == "06000a0007"


@pytest.mark.parametrize(
    ("wraps_at", "readings", "expected"),
    [
        (None, [5, 5, 9], [0, 0, 4]),
        (None, [9, 5, 6], [0, None, 1]),
        (1 << 16, [65_530, 4, 10], [0, 10, 6]),
        (1 << 16, [10, 4, 5], [0, None, 1]),
        (1000, [999, 0, 499, 999], [0, 1, 499, 500]),
        (1 << 32, [(1 << 32) - 1, 0], [0, 1]),
    ],
)
def test_a_totaliser_wraps_and_never_runs_backwards(
    wraps_at: int | None, readings: list[int], expected: list[int | None]
) -> None:
    totaliser = Totaliser(wraps_at)
    assert [totaliser.feed(raw) for raw in readings] == expected
