"""What a rig may ask of a platform, and what `check` says of it."""

import os
from pathlib import Path

import pytest

from gatewayd.settings.load import examine
from tests.settings.test_mappings import UPSTREAM
from tests.support.configs import GATEWAY, RIGS, write_config

ASKS = "    voucher: {upstream: city}\n"
RIG_1 = RIGS.replace("    rules: [cn-lpg]\n", "    rules: [cn-lpg]\n" + ASKS, 1)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    directory = write_config(tmp_path, {"gateway.yaml": GATEWAY + UPSTREAM, "rigs/all.yaml": RIG_1})
    (directory / "secrets.yaml").write_text("city: s3cret-of-city\n", encoding="utf-8")
    os.chmod(directory / "secrets.yaml", 0o600)  # noqa: PTH101 - as a technician does
    return directory


def with_rig(site: Path, old: str, new: str) -> None:
    assert old in RIG_1
    (site / "rigs/all.yaml").write_text(RIG_1.replace(old, new, 1), encoding="utf-8")


def test_a_rig_asks_within_five_seconds_and_refuses_without_an_answer(site: Path) -> None:
    settings = examine(site).settings
    assert settings is not None
    asked = settings.rigs["rig-1"].voucher
    assert asked is not None
    assert (asked.within_s, asked.tries, asked.offline) == (5, 2, "refuse")
    assert settings.rigs["rig-2"].voucher is None


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("upstream: town", "upstream 'town' does not exist"),
        ("upstream: platform", "upstream 'platform' cannot be asked for a voucher"),
        ("upstream: city, within_s: 31", "less than or equal to 30"),
        ("upstream: city, tries: 0", "greater than or equal to 1"),
        ("upstream: city, offline: allow", "voucher"),
        ("upstream: city, offline: {allow_until: '2026-12-31'}", "'reason' is missing"),
        (
            "upstream: city, offline: {allow_until: soon, reason: no line here, approved_by: L}",
            "not a date",
        ),
    ],
)
def test_what_cannot_be_is_told(site: Path, new: str, told: str) -> None:
    with_rig(site, "upstream: city", new)
    found = [str(problem) for problem in examine(site).problems]
    assert any(told in each and "all.yaml:" in each for each in found), found


def test_a_mapping_without_a_voucher_cannot_be_asked(site: Path) -> None:
    text = (site / "gateway.yaml").read_text(encoding="utf-8")
    head = text.partition("    mapping:")[0]
    things = "    mapping: thingsboard\n    values: {token: !secret city}\n"
    (site / "gateway.yaml").write_text(head + things, encoding="utf-8")
    (told,) = (str(problem) for problem in examine(site).problems)
    assert "driver: http with a mapping that has voucher:" in told


def test_going_on_without_the_platform_is_a_warning_at_every_check(site: Path) -> None:
    loosened = "{allow_until: '2026-12-31', reason: the line is cut, approved_by: 李四}"
    with_rig(site, "upstream: city", f"upstream: city, offline: {loosened}")
    examined = examine(site)
    assert examined.problems == ()
    (told,) = (str(each) for each in examined.warnings if "without a voucher" in each.what)
    for words in ("rig-1", "'city'", "2026-12-31", "the line is cut", "李四", "all.yaml:"):
        assert words in told


def test_a_rig_whose_fills_no_platform_can_take_is_a_warning(site: Path) -> None:
    told = [str(each) for each in examine(site).warnings if "dead letter" in str(each)]
    assert len(told) == 1, told
    assert "rig-2: asks 'city' for no voucher" in told[0]
    assert "all.yaml:" in told[0]


def test_a_rig_that_asks_by_a_mapping_with_mistakes_is_told_of_both(site: Path) -> None:
    text = (site / "gateway.yaml").read_text(encoding="utf-8")
    (site / "gateway.yaml").write_text(text.replace("station_num:", "station_no:"))
    found = [str(problem) for problem in examine(site).problems]
    assert any("has no value 'station_no'" in each for each in found), found
    assert any("upstream 'city' does not exist, or is wrong" in each for each in found), found
