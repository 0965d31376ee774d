"""A span of time in a sentence is told in hours and minutes; at a boundary it is still told apart."""

import pytest

from rules_engine.template import Template


@pytest.mark.parametrize(
    ("age_s", "zh", "en"),
    [
        (0, "0 秒", "0 s"),
        (59, "59 秒", "59 s"),
        (61, "1 分 1 秒", "1 min 1 s"),
        (3_600, "1 小时", "1 h"),
        (3_661, "1 小时 1 分", "1 h 1 min"),
        (108_199, "30 小时 3 分", "30 h 3 min"),
        (None, "未知", "unknown"),
    ],
)
def test_nobody_counts_a_day_in_seconds(age_s: int | None, zh: str, en: str) -> None:
    told = Template("{station.archive_age_s}", "{station.archive_age_s}")
    assert told.render({"station.archive_age_s": age_s}).zh == zh
    assert told.render({"station.archive_age_s": age_s}).en == en


def test_other_numbers_stay_as_they_are() -> None:
    told = Template("{scale.net_g} g {nothing.of_ours}", "{scale.net_g} g {nothing.of_ours}")
    assert told.render({"scale.net_g": 3_600, "nothing.of_ours": 61}).en == "3600 g 61"
