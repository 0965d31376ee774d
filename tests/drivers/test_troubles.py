"""Troubles are told in both languages with what to change, and name drivers that exist."""

import re
from typing import get_args

import pytest

from drivers import troubles
from drivers.contract import Trouble
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.table import PluginError
from protocols.decode import FORMATS, LATER
from protocols.diagnose import BAUDS, Diagnosis, Kind, diagnose

UID = "E280689400005005B2210861"
ALL = (
    troubles.other_protocol("r2000_a0", "uhfreader288", "rfid.uhfreader"),
    troubles.wrong_dialect("18", "288"),
    troubles.wrong_baud(),
    troubles.left_pushing(),
    troubles.two_dialects(("uhfreader288", "m100_bb")),
    troubles.no_terminator(1024),
    troubles.lying_length("r2000_a0"),
    troubles.echo(),
    troubles.flood(500),
    troubles.several_tags(1, (UID, UID[::-1])),
    troubles.blank_tag(2),
    troubles.uid_reversed("3D2C1B0A500104E0", "E00401500A1B2C3D"),
    troubles.gs_lost("]C1"),
    troubles.power_refused(23, "26", "20, 26"),
    troubles.head_deaf("ssi"),
    troubles.head_refuses("ssi", "denied"),
    troubles.antenna_missing(3),
    troubles.other_client("tcp:reader:5084"),
    troubles.driver_hangs(),
    troubles.call_hangs("pcscd", "pcscd", "gatewayd"),
)


@pytest.mark.parametrize("trouble", ALL, ids=lambda trouble: trouble.kind)
def test_a_trouble_says_in_both_languages_what_was_seen_and_what_to_change(
    trouble: Trouble,
) -> None:
    assert re.fullmatch(r"[a-z_]+", trouble.kind)
    assert re.search(r"[\u4e00-\u9fff]", trouble.zh)
    assert "；" in trouble.zh or "。" in trouble.zh
    assert trouble.en.isascii()
    assert ";" in trouble.en or ". " in trouble.en


def test_the_speed_that_is_set_is_not_tried_again() -> None:
    found = troubles.wrong_baud(9600)
    assert "9600 is probably wrong" in found.en
    assert "9600" not in found.en.partition("try ")[2]
    assert all(str(baud) in troubles.wrong_baud().en for baud in BAUDS)


def test_a_crowd_of_tags_is_counted_not_listed() -> None:
    found = troubles.several_tags(1, tuple(f"E2{n:010X}" for n in range(20)))
    assert "and 16 more" in found.en
    assert "20" in found.zh


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_diagnosis_becomes_a_trouble(kind: Kind) -> None:
    found = Diagnosis(kind, ("uhfreader288", "uhfreader18"), BAUDS, 3, b"\x01")
    trouble = troubles.from_diagnosis(found, "r2000_a0")
    assert trouble is not None
    assert trouble.zh
    assert trouble.en


def test_no_diagnosis_is_no_trouble() -> None:
    assert troubles.from_diagnosis(None, "r2000_a0") is None


def test_a_reader_of_another_kind_is_told_with_the_driver_to_set() -> None:
    tag = bytes.fromhex("1500010301010ce280689400005005b22108614d2f50")
    trouble = troubles.from_diagnosis(diagnose(tag * 3, "scanner_serial"), "scanner_serial")
    assert trouble is not None
    assert trouble.kind == "wrong_dialect"
    assert "set driver: rfid.uhfreader" in trouble.en
    unknown = Diagnosis("other_format", ("yaohua",))
    assert "yaohua" in str(troubles.from_diagnosis(unknown, "r2000_a0"))


def test_another_protocol_beside_ones_own_is_a_second_device_on_the_cable() -> None:
    trouble = troubles.from_diagnosis(
        Diagnosis("other_format", ("uhfreader288",)), "r2000_a0", works=True
    )
    assert trouble is not None
    assert trouble.kind == "two_dialects"
    assert "r2000_a0, uhfreader288" in trouble.en


def test_the_driver_that_is_advised_declares_the_format() -> None:
    table = driver_table()
    assert set(troubles.DRIVER_OF) <= set(FORMATS) | LATER
    for format_, name in troubles.DRIVER_OF.items():
        try:
            declared = table.get(name).formats
        except PluginError:
            continue  # Not installed here, or not in this version.
        assert not declared or format_ in declared, f"{name} does not speak {format_}"
