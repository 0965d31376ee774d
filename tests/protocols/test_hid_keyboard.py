"""Keyboard scanners: reports to keys, keys to text in three layouts, GS in its disguises."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import anatomy, decode
from protocols.framing import FrameError
from protocols.scanners.hid_keyboard import (
    GS,
    UNKNOWN,
    BootReport,
    Keys,
    Typist,
    build_report,
    decode_report,
)
from protocols.scanners.hid_keymaps import (
    CAPS_LOCK,
    ENTER,
    FUNCTION_KEYS,
    KEYMAPS,
    LEFT_ALT,
    LEFT_CTRL,
    LEFT_SHIFT,
    RIGHT_ALT,
    SPACE,
    LayoutName,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"] == "hid_keyboard"]
KEYPAD = range(0x54, 0x64)
LAYOUTS: tuple[LayoutName, ...] = ("us", "cn", "de", "fr")
Strokes = list[tuple[int, ...]]


def strokes(layout: LayoutName, text: str) -> Strokes:
    """The keys a scanner of this layout holds, one tuple a character, modifiers first."""
    keymap = KEYMAPS[layout]
    levels = (((), keymap.plain), ((LEFT_SHIFT,), keymap.shift), ((RIGHT_ALT,), keymap.altgr))
    names = ("plain", "shift", "altgr")
    found: Strokes = []
    for char in text:
        held, usage, level = next(
            (held, usage, name)
            for (held, table), name in zip(levels, names, strict=True)
            for usage, typed in table.items()
            if typed == char and usage not in KEYPAD
        )
        found.append((*held, usage))
        if (usage, level) in keymap.dead:
            found.append((SPACE,))
    return found


def typed(typist: Typist, keys: Strokes) -> str:
    text = ""
    for held in keys:
        text += "".join(typist.key(usage, pressed=True) for usage in held)
        text += "".join(typist.key(usage, pressed=False) for usage in reversed(held))
    return text


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_every_golden_message_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    found = decode(vector["hex"], frame="hid_keyboard")
    assert found.valid, found.error
    assert found.fields == vector["decoded"]
    parts = anatomy(vector["hex"], found)
    assert "".join(part.raw for part in parts).replace(" ", "") == vector["hex"]


@pytest.mark.parametrize("size", [0, 1, 7, 9, 12])
def test_what_is_no_report_is_refused(size: int) -> None:
    with pytest.raises(FrameError):
        decode_report(bytes(size))
    assert not decode(bytes(size).hex(), frame="hid_keyboard").valid


@given(st.integers(0, 255), st.lists(st.integers(4, 255), max_size=6))
def test_reports_go_both_ways(modifiers: int, usages: list[int]) -> None:
    report = BootReport(modifiers, tuple(usages))
    assert decode_report(build_report(report)) == report


def test_a_pos_descriptor_says_what_it_is() -> None:
    pos = next(v["hex"] for v in GOLDEN if v["name"] == "descriptor_plain")
    found = decode(pos, frame="hid_keyboard").fields
    assert found == {"usage": "bar code scanner", "is_pos_scanner": True}


def reports_of(*reports: tuple[int, ...], modifiers: int = 0) -> str:
    return "".join(build_report(BootReport(modifiers, usages)).hex() for usages in reports)


def test_reports_in_a_row_type_their_text() -> None:
    rolled = reports_of((4,), (4, 5), (5,), (), (5,), ())
    assert decode(rolled, frame="hid_keyboard").fields["text"] == "abb"


def test_a_phantom_report_presses_and_releases_nothing() -> None:
    phantom = reports_of((4,), (1, 1, 1, 1, 1, 1), (4,), (3,), ())
    found = decode(phantom, frame="hid_keyboard").fields
    assert found["text"] == "a"
    assert found["frames"][1]["meaning"] == "too many keys: ignored"


def test_a_held_key_types_once() -> None:
    keys, typist = Keys(), Typist()
    for _ in range(3):
        assert typist.type(keys.feed(BootReport(0, (4,)))) in {"a", ""}
    assert typist.key(4, pressed=True) == ""
    typist.key(4, pressed=False)
    assert typist.key(4, pressed=True) == "a"


@pytest.mark.parametrize("layout", LAYOUTS)
@given(text=st.text(st.sampled_from("".join(map(chr, range(0x20, 0x7F))) + "\t\n"), max_size=30))
def test_any_ascii_text_survives_any_layout(layout: LayoutName, text: str) -> None:
    assert typed(Typist(layout), strokes(layout, text)) == text


@pytest.mark.parametrize(
    ("layout", "text", "on_us"),
    [("de", "yz-/", "zy/&"), ("fr", "aqzw1", "qawz!"), ("de", "@[]{}", ""), ("fr", "(2", "")],
)
def test_layouts_differ_where_they_do(layout: LayoutName, text: str, on_us: str) -> None:
    keys = strokes(layout, text)
    if on_us:
        assert typed(Typist("us"), keys) == on_us
    assert typed(Typist(layout), keys) == text


def test_caps_lock_turns_letters_until_it_is_pressed_again() -> None:
    typist = Typist()
    caps: Strokes = [(CAPS_LOCK,)]
    text = typed(typist, [*caps, (4,), (LEFT_SHIFT, 4), (0x1E,), *caps, (4,)])
    assert text == "Aa1a"


def test_caps_lock_on_digits_is_sure_on_us_alone() -> None:
    for layout in ("de", "fr"):
        text = typed(Typist(layout), [(CAPS_LOCK,), (0x1E,), (5,), (ENTER,)])
        assert text == UNKNOWN + "B\n"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gs_is_found_in_every_disguise(layout: LayoutName) -> None:
    typist = Typist(layout, gs_key=FUNCTION_KEYS["f8"])
    digits = {"0": 0x62, "2": 0x5A, "9": 0x61}
    assert typed(typist, [(LEFT_CTRL, 0x30)]) == GS
    assert typed(typist, [(0x41,)]) == GS
    for said in ("0029", "29"):
        assert typed(typist, [(LEFT_ALT, *(digits[n] for n in said))]) in {GS, ""}
    typist.key(LEFT_ALT, pressed=True)
    assert typed(typist, [(digits[n],) for n in "0029"]) == ""
    assert typist.key(LEFT_ALT, pressed=False) == GS


@pytest.mark.parametrize("keys", [(0x41,), (LEFT_ALT, 0x04), (0xE3, 0x04), (LEFT_CTRL, 0x1E)])
def test_a_key_that_means_nothing_is_never_passed_over(keys: tuple[int, ...]) -> None:
    assert typed(Typist(), [keys]) == UNKNOWN


def test_alt_and_a_number_beyond_ascii_is_never_guessed() -> None:
    typist = Typist()
    typist.key(LEFT_ALT, pressed=True)
    typed(typist, [(0x59,), (0x5B,), (0x60,)])
    assert typist.key(LEFT_ALT, pressed=False) == UNKNOWN


def test_a_dead_key_waits_for_the_space_and_nothing_else() -> None:
    assert typed(Typist("de"), [(0x35,), (SPACE,)]) == "^"
    assert typed(Typist("de"), [(0x35,), (4,), (5,)]) == UNKNOWN + "b"
    assert typed(Typist("de"), [(0x35,), (ENTER,)]) == UNKNOWN + "\n"


def test_lost_keys_leave_nothing_held() -> None:
    typist = Typist("de")
    typist.key(LEFT_SHIFT, pressed=True)
    typist.key(0x35, pressed=True)
    typist.release_all()
    assert typed(typist, [(4,)]) == "a"


@given(st.lists(st.binary(min_size=8, max_size=8), max_size=8), st.sampled_from(LAYOUTS))
def test_any_reports_type_something_or_nothing(reports: list[bytes], layout: LayoutName) -> None:
    keys, typist = Keys(), Typist(layout)
    for report in reports:
        assert isinstance(typist.type(keys.feed(decode_report(report))), str)
