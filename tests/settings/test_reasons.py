"""A reason that a person has to give is a sentence, also in a language of short sentences."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.filler.settings import Accepted
from gatewayd.settings.model import AcceptedSettings
from gatewayd.settings.offline import OfflineSettings


def _offline(reason: str) -> Any:
    return OfflineSettings(
        stale="warn", hours_max=24, reason=reason, approved_by="李四", until="2026-08-03"
    )


ASKED: tuple[Callable[[str], Any], ...] = (
    _offline,
    lambda reason: AcceptedSettings(reason=reason),
    lambda reason: Accepted(reason=reason),
)


@pytest.mark.parametrize("asked", ASKED)
def test_four_characters_of_chinese_say_why(asked: Callable[[str], Any]) -> None:
    assert asked("专线中断").reason == "专线中断"
    with pytest.raises(ValidationError, match="at least 4"):
        asked("无")
