"""What a rig file may ask of people, and check forms: every mistake with its place."""

from pathlib import Path

import pytest

from gatewayd.settings.load import examine
from tests.support.configs import RIGS, write_config

FORM = """\
checks:
  own:
    stage: prefill
    title: {zh: 检查, en: check}
    items: [{id: body, kind: yes_no, text: {zh: 瓶体, en: body}}]
"""
CHOICES = "{id: a, text: {zh: 一, en: a}}, {id: b, text: {zh: 二, en: b}}"


def problems(folder: Path, asks: str = "", form: str = FORM) -> list[str]:
    rigs = RIGS.replace("  rig-2:", f"{asks}  rig-2:")
    changes = {"rigs/all.yaml": rigs, "checks/own.yaml": form}
    return [str(problem) for problem in examine(write_config(folder, changes)).problems]


def test_a_rig_may_ask_for_everything(tmp_path: Path) -> None:
    asks = (
        "    operator: {device: qr-1, required: true, session_min: 1440, wait_s: 600}\n"
        "    precheck: {form: own, required: true}\n"
        "    postcheck: {form: lpg-postfill, required: true, open_max: 100}\n"
        '    batch: {number: "{date}-{shift}", shifts: {day: "08:00", night: "20:00"}}\n'
    )
    assert problems(tmp_path, asks) == []


@pytest.mark.parametrize(
    ("asks", "place", "what"),
    [
        (
            "    operator: {device: gone-1}\n",
            "rigs/all.yaml:8:16",
            "device 'gone-1' does not exist",
        ),
        ("    operator: {device: scale-1}\n", "rigs/all.yaml:8:16", "cannot read cards or codes"),
        ("    operator: {wait_s: 5}\n", "rigs/all.yaml:8:16", "operator.wait_s without required"),
        ("    operator: {session_min: 0}\n", "rigs/all.yaml:8:16", "session_min"),
        ("    operator: {session_min: 1441}\n", "rigs/all.yaml:8:16", "session_min"),
        ("    operator: {required: true, wait_s: 601}\n", "rigs/all.yaml:8:32", "wait_s"),
        ("    precheck: {form: lpg-prefil}\n", "rigs/all.yaml:8:16", "'lpg-prefil' does not exist"),
        ("    precheck: {form: lpg-postfill}\n", "rigs/all.yaml:8:16", "is a postfill form"),
        ("    postcheck: {form: own}\n", "rigs/all.yaml:8:17", "is a prefill form"),
        ("    postcheck: {form: lpg-postfill, open_max: 101}\n", "rigs/all.yaml:8:37", "open_max"),
        ('    batch: {number: "{day}"}\n', "rigs/all.yaml:8:13", "unknown 'day'"),
        ('    batch: {number: "a b"}\n', "rigs/all.yaml:8:13", "without blanks"),
        ('    batch: {number: "{shift}"}\n', "rigs/all.yaml:8:5", "belong together"),
        ('    batch: {number: "a{"}\n', "rigs/all.yaml:8:13", "braces"),
        (
            '    batch: {number: "{shift}", shifts: {day: "8"}}\n',
            "rigs/all.yaml:8:32",
            "not a time of day",
        ),
    ],
)
def test_a_mistake_of_a_rig_is_told_with_its_place(
    tmp_path: Path, asks: str, place: str, what: str
) -> None:
    found = problems(tmp_path, asks)
    assert len(found) == 1, found
    assert place in found[0]
    assert what in found[0]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("stage: prefill", "stage: fill", "stage"),
        ("    title: {zh: 检查, en: check}\n", "", "'title' is missing"),
        ("en: check", 'en: ""', "title.en"),
        ("kind: yes_no", "kind: maybe", "kind"),
        ("id: body,", "id: Body,", "id"),
        ("id: body,", "id: body, blocks: perhaps,", "blocks"),
        ("id: body,", "id: body, unit: kPa,", "unknown key 'unit'"),
        ("items: [", "items: [{id: body, kind: yes_no, text: {zh: 一, en: a}}, ", "there twice"),
        ("items: [{id: body, kind: yes_no, text: {zh: 瓶体, en: body}}]", "items: []", "items"),
        ("stage: prefill", "stage: postfill\n    scope: batch", "belongs to one cylinder"),
        ("stage: prefill", "stage: prefill\n    valid_min: 0", "valid_min"),
        ("stage: prefill", "stage: prefill\n    valid_min: 10081", "valid_min"),
        (
            "kind: yes_no,",
            f"kind: choice, choices: [{CHOICES}], blocks: [c],",
            "blocks 'c' is no choice",
        ),
        (
            "kind: yes_no,",
            "kind: number, unit: kPa, least: 0, most: 10, blocks_below: 11,",
            "least <= blocks_below",
        ),
    ],
)
def test_a_mistake_of_a_form_is_told_with_its_file(
    tmp_path: Path, old: str, new: str, what: str
) -> None:
    assert FORM.count(old) == 1
    found = problems(tmp_path, form=FORM.replace(old, new))
    assert found
    assert any("checks/own.yaml:" in one and what in one for one in found), found


def test_a_form_of_the_station_takes_the_place_of_a_shipped_one_and_says_so(tmp_path: Path) -> None:
    config = write_config(tmp_path, {"checks/own.yaml": FORM.replace("  own:", "  lpg-prefill:")})
    examined = examine(config)
    assert examined.settings is not None
    assert [item.id for item in examined.settings.checks["lpg-prefill"].items] == ["body"]
    assert any("takes the place of the shipped one" in str(each) for each in examined.warnings)
