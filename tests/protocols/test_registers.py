"""Register maps: loading with every mistake told, and the codecs both ways."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import registers
from protocols.documents import DocumentError
from protocols.registers import Block, Profile, RegisterError, Value

CONFIG = Path(__file__).parents[2] / "config"
REFERENCE_PATH = CONFIG / "profiles/reference-gate-v1.yaml"
REFERENCE = registers.load(REFERENCE_PATH.read_text(encoding="utf-8"), "reference")
HEAD = "id: x\ntitle: {zh: 甲, en: a}\nsource: s\npoints:\n"

STATUS_BITS = (
    "ready",
    "cylinder_on",
    "permitted",
    "filling",
    "fine_flow",
    "stable",
    "done",
    "aborted",
    "over_limit",
    "e_stop",
    "lease_lost",
    "scale_fault",
    "valve_open",
)

MIXED = """
  a: {address: 10, type: int16, doc: d}
  b: {address: 11, type: uint32, word_order: low_first, doc: d}
  c: {address: 15, type: bits, bits: {c0: 0, c15: 15}, doc: d}
  d: {address: 16, type: int32, doc: d}
  w: {address: 3, type: uint32, word_order: low_first, writable: true, doc: d}
  v: {address: 5, type: int16, writable: true, doc: d}
"""


def mixed() -> Profile:
    points = MIXED.strip("\n").splitlines()
    return registers.load(HEAD + "\n".join(points[4:] + points[:4]), "mixed")


def problems(points: str) -> str:
    with pytest.raises(DocumentError) as caught:
        registers.load(HEAD + points, "f.yaml")
    return str(caught.value)


def test_the_reference_map_is_the_contracts_table() -> None:
    writes = [(p.address, p.name, p.type) for p in REFERENCE.writes.points]
    assert writes == [
        (0, "permit", "uint16"),
        (1, "lease", "uint16"),
        (2, "target_g", "uint32"),
        (4, "limit_gross_g", "uint32"),
        (6, "lease_ms", "uint16"),
    ]
    reads = [(p.address, p.name, p.type) for p in REFERENCE.reads.points]
    assert reads == [
        (100, "status", "bits"),
        (101, "permit_echo", "uint16"),
        (102, "gross_g", "int32"),
        (104, "net_g", "int32"),
        (106, "tare_g", "int32"),
        (108, "total_g", "uint32"),
        (110, "fills", "uint16"),
        (111, "end_reason", "uint16"),
        (112, "last_net_g", "int32"),
        (114, "last_permit", "uint16"),
        (115, "heartbeat", "uint16"),
    ]
    assert REFERENCE.reads.points[0].bits == tuple(
        (name, 1 << number) for number, name in enumerate(STATUS_BITS)
    )
    assert (REFERENCE.reads.address, REFERENCE.reads.count) == (100, 16)
    assert (REFERENCE.writes.address, REFERENCE.writes.count) == (0, 7)


def test_a_reply_of_the_reference_gate_is_decoded_high_word_first() -> None:
    numbers = [0x1004, 7, 0, 15_000, 0xFFFF, 0xFFFE, 1, 0, 0xFFFF, 0xFFFF, 9, 42, 0, 1, 6, 1234]
    assert registers.decode(REFERENCE, numbers) == {
        **dict.fromkeys(STATUS_BITS, False),
        "status": 0x1004,
        "permitted": True,
        "valve_open": True,
        "permit_echo": 7,
        "gross_g": 15_000,
        "net_g": -2,
        "tare_g": 65_536,
        "total_g": 4_294_967_295,
        "fills": 9,
        "end_reason": 42,
        "last_net_g": 1,
        "last_permit": 6,
        "heartbeat": 1234,
    }


def test_low_words_first_and_gaps_are_honoured() -> None:
    numbers = [0xFFFF, 0x0002, 0x0001, 777, 888, 0x8000, 0xFFFF, 0xFFFD]
    assert registers.decode(mixed(), numbers) == {
        "a": -1, "b": 0x0001_0002, "c": 0x8000, "c0": False, "c15": True, "d": -3,
    }  # fmt: skip


@pytest.mark.parametrize("bit", [13, 14, 15])
def test_a_bit_the_map_does_not_know_is_refused(bit: int) -> None:
    with pytest.raises(RegisterError, match=r"status = 0x.000 has bits"):
        registers.decode(REFERENCE, [1 << bit] + [0] * 15)


@pytest.mark.parametrize("count", [0, 1, 15, 17, 125])
def test_a_block_of_another_length_is_refused(count: int) -> None:
    with pytest.raises(RegisterError, match="bytes instead of 32"):
        registers.decode(REFERENCE, [0] * count)


RANGES = {
    "uint16": st.integers(0, 0xFFFF),
    "int16": st.integers(-0x8000, 0x7FFF),
    "uint32": st.integers(0, 0xFFFF_FFFF),
    "int32": st.integers(-0x8000_0000, 0x7FFF_FFFF),
}


def values_of(block: Block) -> st.SearchStrategy[dict[str, Value]]:
    fields: dict[str, st.SearchStrategy[Value]] = {}
    for point in block.points:
        if point.type == "bits":
            fields |= {name: st.booleans() for name, _ in point.bits}
        else:
            fields[point.name] = RANGES[point.type]
    return st.fixed_dictionaries(fields)


@given(
    st.sampled_from([REFERENCE.reads, REFERENCE.writes, mixed().reads, mixed().writes]), st.data()
)
def test_whatever_is_encoded_is_decoded_again(block: Block, data: st.DataObject) -> None:
    values = data.draw(values_of(block))
    raw = block.encode(values)
    assert len(raw) == 2 * block.count
    decoded = block.decode(raw)
    assert {name: decoded[name] for name in values} == values
    assert registers.register_bytes(registers.register_numbers(raw)) == raw


@given(st.binary(min_size=32, max_size=32))
def test_every_reply_is_decoded_whole_or_refused(data: bytes) -> None:
    try:
        values = REFERENCE.reads.decode(data)
    except RegisterError:
        assert data[0] & 0xE0
    else:
        values.pop("status")
        assert REFERENCE.reads.encode(values) == data


def test_values_that_do_not_fit_or_are_not_all_there_are_refused() -> None:
    good: dict[str, Value] = {"w": 1, "v": 2}
    assert mixed().writes.encode(good) == bytes.fromhex("000100000002")
    for wrong in ({"w": 1}, {**good, "x": 1}):
        with pytest.raises(RegisterError, match=r"missing or unknown: [vx]"):
            mixed().writes.encode(wrong)
    for wrong in ({"w": -1, "v": 2}, {"w": 1 << 32, "v": 2}, {"w": 1, "v": 40_000}):
        with pytest.raises(RegisterError, match="does not fit"):
            mixed().writes.encode(wrong)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ("  a: {address: 1, typ: int16, doc: d}", "5:19: unknown key 'typ'"),
        ("  a: {address: -1, type: int16, doc: d}", "greater than or equal to 0"),
        ("  a: {address: 65536, type: int16, doc: d}", "less than 65536"),
        ("  a: {address: 1, type: float16, doc: d}", "'uint16', 'int16'"),
        ("  a: {address: 65535, type: int32, doc: d}", "does not fit at 65535"),
        (
            "  a: {address: 1, type: int16, word_order: low_first, doc: d}",
            "means nothing for int16",
        ),
        ("  a: {address: 1, type: bits, doc: d}", "go together"),
        ("  a: {address: 1, type: int16, bits: {x: 1}, doc: d}", "go together"),
        ("  a: {address: 1, type: bits, bits: {x: 1, y: 1}, doc: d}", "one bit has two names"),
        ("  a: {address: 1, type: bits, bits: {x: 16}, doc: d}", "less than 16"),
        ("  a: {address: 1, type: bits, bits: {a: 1}, doc: d}", "second name 'a'"),
        (
            "  a: {address: 1, type: int32, doc: d}\n  b: {address: 2, type: int16, doc: d}",
            "6:7: b at 2 overlaps a at 1",
        ),
        (
            "  a: {address: 9, type: int16, doc: d}\n  b: {address: 2, type: int16, doc: d}",
            "6:7: b at 2 stands after a at 9",
        ),
        (
            "  a: {address: 0, type: int16, doc: d}\n  b: {address: 125, type: int16, doc: d}",
            "b: more than 125 registers after a",
        ),
        (
            "  a: {address: 0, type: int16, doc: d}\n  b: {address: 1, type: int16, table: input, doc: d}",
            "cannot read two tables",
        ),
        (
            "  a: {address: 0, type: int16, table: input, writable: true, doc: d}",
            "cannot be written",
        ),
        (
            "  a: {address: 0, type: int16, writable: true, doc: d}\n  b: {address: 2, type: int16, writable: true, doc: d}",
            "a gap among written points",
        ),
        ("  a: {address: 1, type: int16}", "key 'doc' is missing"),
        ("  {}", "at least 1 item"),
    ],
)
def test_a_wrong_map_is_refused_with_the_place(points: str, expected: str) -> None:
    assert expected in problems(points)


def test_all_problems_of_a_map_are_told_at_once() -> None:
    told = problems(
        "  a: {address: 1, type: int16, word_order: low_first, doc: d}\n"
        "  b: {address: 1, type: bits, doc: d}\n"
    )
    assert len(told.splitlines()) == 3


def test_the_schema_for_editors_is_current() -> None:
    """After a change: write `registers.schema()` to the file, as `dump()` here does it."""
    stored = (CONFIG / "schema/profile.schema.json").read_text(encoding="utf-8")
    assert stored == dump()


def test_the_shipped_map_names_its_schema() -> None:
    first = REFERENCE_PATH.read_text(encoding="utf-8").splitlines()[0]
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert (REFERENCE_PATH.parent / schema).resolve() == CONFIG / "schema/profile.schema.json"


def dump() -> str:
    return json.dumps(registers.schema(), ensure_ascii=False, indent=2) + "\n"
