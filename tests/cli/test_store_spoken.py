"""Backup, restore, salvage and verify are said in the operator's language, line by line."""

import json
import re
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import apsw
import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.known import translated
from gatewayd.cli.root import main
from gatewayd.store.chain import FIRST_PREVHASH, Head, broken
from gatewayd.store.database import Ownership
from gatewayd.store.model import Record
from gatewayd.store.restoring import TAKEN_OVER
from gatewayd.store.verifying import TORN
from gatewayd.texts import TEXTS
from tests.support.configs import write_config
from tests.support.damage import DB, RECORDS, Made, pages, run_make, zeroed

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"\b(the|is|was|are|that|lost|missing|restored)\b")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return run_make(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def site(made: Made, tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    made.copy_to(folder)
    return write_config(folder)


def _run(site: Path, *words: str, locale: str = "") -> Result:
    runner = CliRunner(env={"LC_ALL": "", "LANG": locale})
    return runner.invoke(main, ["-c", str(site), *words])


def _lines(result: Result, code: int) -> list[str]:
    assert result.exit_code == code, result.output
    return result.output.splitlines()


def _chinese(lines: list[str]) -> None:
    assert lines
    for line in lines:
        assert CHINESE.search(line), line
        assert not ENGLISH.search(line), line


def _change(path: Path) -> None:
    """Somebody changed a record by hand."""
    connection = apsw.Connection(str(path))
    connection.execute("DROP TRIGGER records_never_change")
    connection.execute("UPDATE records SET body = replace(body, '14500', '1') WHERE sequence = 66")
    connection.close()


def test_each_says_it_in_chinese_on_a_chinese_terminal(site: Path) -> None:
    backup = str(site.parent / "backup.db")
    made = _lines(_run(site, "backup", "--to", backup, locale="zh_CN.UTF-8"), 0)
    assert made == [line for line in made if f"{RECORDS} 条记录" in line]
    _chinese(made)
    _chinese(_lines(_run(site, "records", "verify", locale="zh_CN.UTF-8"), 0))
    _change(site / DB)
    for words in (["salvage", str(site / DB)], ["verify"]):
        _chinese(_lines(_run(site, "records", *words, locale="zh_CN.UTF-8"), 1))
    zeroed(site / DB, 1)
    told = _lines(_run(site, "restore", backup, "--by", "li", locale="zh_CN.UTF-8"), 0)
    _chinese(told)
    assert any("rig-1" in line and "已锁定" in line for line in told)
    assert any("工位锁定（locks）" in line for line in told)
    _chinese(_lines(_run(site, "records", "verify", locale="zh_CN.UTF-8"), 1))


def test_lang_goes_before_the_terminal(site: Path) -> None:
    path = str(site / DB)
    for words in (["backup"], ["records", "verify"], ["records", "salvage", path]):
        english = _lines(_run(site, *words, "--lang", "en", locale="zh_CN.UTF-8"), 0)
        assert not CHINESE.search("".join(english))
    _chinese(_lines(_run(site, "records", "verify", "--lang", "zh"), 0))


def test_alarms_are_answered_and_dead_letters_told_in_chinese(site: Path) -> None:
    chinese = "zh_CN.UTF-8"
    for words in (["dead"], ["status", "--over", "0"]):
        _chinese(_lines(_run(site, "outbox", *words, locale=chinese), 0))
    _chinese(_lines(_run(site, "outbox", "retry", locale=chinese), 0))
    _chinese(_lines(_run(site, "outbox", "dead", locale=chinese), 0))
    assert "共 1 个报警" in _run(site, "alarms", locale=chinese).stderr
    alarm = ("alarms", "ack", "overfilled", "0000000009", "--by", "王工")
    _chinese(_lines(_run(site, *alarm, locale=chinese), 0))
    _chinese(_lines(_run(site, *alarm, locale=chinese), 1))
    english = _lines(_run(site, *alarm, "--lang", "en", locale=chinese), 1)
    assert english == [
        "overfilled 0000000009: no such alarm stands; `gatewayd alarms` shows what does"
    ]


def _refused(site: Path, *words: str) -> str:
    """What a Chinese and an English terminal are told; the file is named first in both."""
    english = _run(site, *words)
    chinese = _run(site, *words, locale="zh_CN.UTF-8")
    assert (english.exit_code, chinese.exit_code) == (3, 3), english.output
    (said,) = chinese.stderr.splitlines()
    assert said.split("：")[0] == english.stderr.split(": ")[0]
    assert not CHINESE.search(english.stderr)
    _chinese([said.split("（")[0]])
    return said


def test_what_the_store_refuses_is_said_in_chinese(site: Path) -> None:
    backup, path = str(site.parent / "b.db"), str(site / DB)
    assert _run(site, "backup", "--to", backup).exit_code == 0
    assert "已存在" in _refused(site, "backup", "--to", backup)
    assert "就是数据库本身" in _refused(site, "restore", path, "--by", "li")
    zeroed(Path(backup), pages(Path(backup))["records", "leaf"][0])
    assert "不是完好的备份" in _refused(site, "restore", backup, "--by", "li")
    with closing(apsw.Connection(backup)) as other:
        other.execute("UPDATE meta SET value = '3702000001' WHERE key = 'station_id'")
    assert "这是充装站 3702000001 的数据库" in _refused(site, "restore", backup, "--by", "li")
    owner = Ownership.take(site / DB)
    assert "正由进程" in _refused(site, "restore", backup, "--by", "li")
    owner.release()
    with closing(apsw.Connection(path)) as store:
        store.execute("UPDATE meta SET value = '9' WHERE key = 'schema_version'")
    assert "由更新版本的 gatewayd 写成" in _refused(site, "records", "list")
    zeroed(site / DB, 1)
    assert "数据库已损坏" in _refused(site, "records", "list")
    for file in site.glob(f"{DB}*"):
        file.unlink()
    assert "还没有数据库" in _refused(site, "records", "verify")


def test_every_problem_of_a_chain_is_known() -> None:
    """Their English is found again in the catalogue; one that is not would be shown in English."""
    body = '{"hash":"h","id":"i","prevhash":"p","sequence":1}'
    first = Head(0, FIRST_PREVHASH)
    record = Record(1, "i", "rig-1", "fill", body)
    problems = [
        broken(record, Head(4, "x")),
        broken(Record(1, "i", "rig-1", "fill", "["), first),
        broken(record, first),
        TORN,
        "record 7: its content was changed",
        "records 8 to 9 are missing at the end",
        "it follows a, the record before it has b",
        "its row says 1 x, its body another",
    ]
    for problem in problems:
        assert problem is not None
        for said in (problem, f"record 1: {problem}"):
            assert translated(said, "en") == said
            assert CHINESE.search(translated(said, "zh")), said


def test_every_group_that_a_restore_takes_over_has_words() -> None:
    assert {f"group.{name}" for name in TAKEN_OVER} == {
        key for key in TEXTS if key.startswith("group.")
    }


def test_the_outbox_is_told_in_the_time_of_the_station(site: Path) -> None:
    """`--json` stays in UTC."""
    told = _run(site, "outbox", "status", "--over", "0", "--json")
    (row,) = (each for each in json.loads(told.stdout)["upstreams"] if each["last_ack"])
    local = datetime.fromisoformat(row["last_ack"]).astimezone(ZoneInfo("Asia/Shanghai"))
    assert row["last_ack"].endswith("+00:00")
    for words in (("status", "--over", "0"), ("dead",)):
        assert local.isoformat(timespec="seconds") in _run(site, "outbox", *words).stdout
