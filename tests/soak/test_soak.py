"""The soak itself, short and with a seed: one of each fault that no test of `e2e` has.

A stopped daemon and a full disk are there, in `test_main_job.py` and `test_bad_store.py`.
"""

from pathlib import Path

import pytest

from tests.soak.main import arguments
from tests.soak.shortly import HANGS_S, needs_brokers, soaked

OF_ROOT = ("readonly", "cable")


@pytest.mark.e2e
@needs_brokers
@pytest.mark.timeout(HANGS_S)
def test_one_of_each_fault_loses_nothing(tmp_path: Path) -> None:
    words = ("--only", "readonly,ack,cable", "--faults", "1", "--at-once")
    groups = soaked(tmp_path, *words)
    assert len(groups) == 3
    for group in groups.values():
        assert not group["skipped"] or group["group"] in OF_ROOT, group
    assert sum(group["counts"].get("openings of valves", 0) for group in groups.values()) > 0


@pytest.mark.parametrize("words", [("--only", "kills,nothing"), ("--kills", "many")])
def test_what_is_not_there_is_wrong_usage(
    words: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(words)
    assert ended.value.code == 2
    assert words[1].split(",")[-1] in capsys.readouterr().err
