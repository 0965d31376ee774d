"""`gatewayd import`, `records` and `outbox` as a person and a program run them."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import apsw
import pytest
from click.testing import CliRunner, Result

from gatewayd.archive.cells import TEMPLATE
from gatewayd.cli.root import main
from gatewayd.clock import SystemClock
from gatewayd.store.staging import Staging
from tests.support.outpost import WAIT_S_MAX
from tests.support.stores import NOON, STATION, draft, open_store

CONFIG = f"""\
station: {{id: "{STATION}", name: 示范站, region: "370100", media: [LPG]}}
store: {{path: gatewayd.db, quota_mb: 64}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A config directory with a station and nothing else."""
    (tmp_path / "gateway.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def _run(site: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "-c", str(site)])


def _json(site: Path, *words: str) -> Any:
    result = _run(site, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _csv(site: Path, *lines: str) -> str:
    file = site / "cylinders.csv"
    file.write_text("\n".join([TEMPLATE, *lines]) + "\n", encoding="utf-8")
    return str(file)


def _line(code: str, *, medium: str = "LPG") -> str:
    return f"{code},,,,,,{medium}" + "," * 18


def test_the_template_needs_neither_file_nor_config() -> None:
    result = CliRunner().invoke(main, ["import", "cylinders", "--template"])
    assert (result.exit_code, result.stdout) == (0, f"{TEMPLATE}\n")


def test_an_import_says_what_it_did(site: Path) -> None:
    file = _csv(site, _line("c1"), _line("c2"))
    done = {"kind": "cylinders", "file": file, "unchanged": 0, "removed": 0, "dry_run": False}
    assert _json(site, "import", "cylinders", file) == done | {"added": 2, "updated": 0}
    file = _csv(site, _line("c2", medium="O2"))
    result = _run(site, "import", "cylinders", file, "--replace")
    assert result.stdout == f"{file}: 0 added, 1 updated, 0 unchanged, 1 removed\n"


def test_a_bad_row_rejects_the_whole_file(site: Path) -> None:
    file = _csv(site, _line("c1"), _line("c2", medium="GAS"))
    result = _run(site, "import", "cylinders", file, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{file}:row 3, column medium: unknown 'GAS'; expected one of")
    assert not (site / "gatewayd.db").exists()


def test_wrong_usage_of_import_is_told(site: Path) -> None:
    for words in (["cylinders"], ["cars", "x.csv"], ["cylinders", "no-such-file.csv"]):
        assert _run(site, "import", *words).exit_code == 2


def test_without_a_store_there_is_nothing_to_look_at(site: Path) -> None:
    for words in (["records", "list"], ["records", "verify"], ["outbox", "status"]):
        result = _run(site, *words)
        assert result.exit_code == 3
        assert "no store here yet" in result.stderr


async def _commit(site: Path) -> list[str]:
    """Five records; one upstream took three of them and refused the second."""
    store = open_store(site)
    fill = {"cylinder": {"code": "c1"}, "outcome": "completed", "net_g": 14_500}
    refusal = {"cylinder": {"code": "c2"}, "verdict": {"findings": [{"code": "OVERDUE"}]}}
    drafts = [
        draft("fill", data=fill),
        draft("refusal", data=refusal, rig_id="rig-2"),
        draft("alarm", data={"code": "UNAUTHORISED_FLOW"}),
        draft("fill", data=fill),
        draft("fill", data=fill),
    ]
    made = [(await store.append(one)).id for one in drafts]
    await store.acknowledge("platform", 3, dead=[(2, "topic refused")])
    await store.close()
    return made


async def test_records_are_listed_and_shown(site: Path) -> None:
    made = await _commit(site)
    listed = _json(site, "records", "list")
    assert [record["id"] for record in listed["records"]] == made
    assert listed["last_sequence"] == 5
    newest = _json(site, "records", "list", "--limit", "2", "--kind", "fill")
    assert [record["sequence"] for record in newest["records"]] == [4, 5]
    since = _json(site, "records", "list", "--since-seq", "2", "--rig", "rig-1")
    assert [record["sequence"] for record in since["records"]] == [3, 4, 5]
    assert _json(site, "records", "show", "2") == _json(site, "records", "show", made[1])
    text = _run(site, "records", "list").stdout.splitlines()
    assert text[0].split()[3:] == ["fill", "c1", "completed", "14500", "g"]
    assert text[1].split()[2:] == ["rig-2", "refusal", "c2", "OVERDUE"]
    assert '"net_g": 14500' in _run(site, "records", "show", "1").stdout
    for missing in ("6", "x"):
        assert _run(site, "records", "show", missing).exit_code == 1


async def test_a_list_tells_what_became_of_an_alarm_and_who_answered(site: Path) -> None:
    store = open_store(site)
    told = {"subject": "rig-1", "code": "unauthorised_flow", "acknowledged": None}
    await store.append(draft("alarm", data={**told, "action": "raised"}))
    answer = {"by": "王工", "at": "now", "note": ""}
    await store.append(
        draft("alarm", data={**told, "action": "acknowledged", "acknowledged": answer})
    )
    await store.close()
    lines = [line.split()[3:] for line in _run(site, "records", "list").stdout.splitlines()]
    assert lines == [
        ["alarm", "rig-1", "unauthorised_flow", "raised"],
        ["alarm", "rig-1", "unauthorised_flow", "acknowledged", "王工"],
    ]


def _tamper(site: Path, sql: str) -> None:
    connection = apsw.Connection(str(site / "gatewayd.db"))
    connection.execute("DROP TRIGGER records_never_change; DROP TRIGGER records_are_never_lost")
    connection.execute(sql)
    connection.close()


async def test_an_untouched_chain_verifies(site: Path) -> None:
    await _commit(site)
    verdict = _json(site, "records", "verify")
    assert (verdict["ok"], verdict["records"], verdict["problem"]) == (True, 5, None)
    assert _run(site, "records", "verify").stdout.startswith("5 records, gap-free")


@pytest.mark.parametrize(
    ("sql", "good", "problem"),
    [
        (
            "UPDATE records SET body = replace(body, '14500', '14400') WHERE sequence = 4",
            3,
            "record 4: its content was changed",
        ),
        ("DELETE FROM records WHERE sequence = 2", 1, "record 3: sequence 2 is missing"),
        ("DELETE FROM records WHERE sequence > 3", 3, "records 4 to 5 are missing at the end"),
        ("UPDATE records SET body = 'x' WHERE sequence = 1", 0, "record 1: its body is not a"),
        ("UPDATE records SET body = '[]' WHERE sequence = 1", 0, "record 1: its body is not a"),
        ("UPDATE records SET id = 'x' WHERE sequence = 5", 4, "record 5: its row says 5 x"),
    ],
)
async def test_the_first_break_of_the_chain_is_named(
    site: Path, sql: str, good: int, problem: str
) -> None:
    await _commit(site)
    _tamper(site, sql)
    result = _run(site, "records", "verify", "--json")
    assert result.exit_code == 1
    verdict = json.loads(result.stdout)
    assert (verdict["ok"], verdict["records"]) == (False, good)
    assert verdict["problem"].startswith(problem)
    assert result.stderr.startswith(f"after {good} good records: {problem}")


async def test_the_outbox_shows_what_waits_and_sends_dead_letters_again(site: Path) -> None:
    await _commit(site)
    (row,) = _json(site, "outbox", "status", "--over", "0")["upstreams"]
    age_s = (SystemClock().wall() - NOON).total_seconds()
    assert max(0, age_s - WAIT_S_MAX) <= row.pop("oldest_waiting_s") <= max(0, age_s)
    assert row == {
        "upstream": "platform",
        "configured": False,
        "acknowledged": 3,
        "backlog": 2,
        "last_ack": "2026-08-01T04:00:00+00:00",
        "oldest_waiting": "2026-08-01T12:00:00.000+08:00",
        "rate_s": None,
        "drained_in_s": None,
        "dead": 1,
        "retrying": 0,
    }
    assert "backlog       2" in _run(site, "outbox", "status", "--over", "0").stdout
    told = _json(site, "outbox", "dead")
    (letter,) = told["dead"]
    assert told["total"] == 1
    assert (letter["sequence"], letter["reason"], letter["retrying"]) == (2, "topic refused", False)
    assert "topic refused" in _run(site, "outbox", "dead", "--upstream", "platform").stdout
    assert _json(site, "outbox", "retry", "--seq", "1") == {"retrying": 0}
    assert _json(site, "outbox", "retry") == {"retrying": 1}
    assert _json(site, "outbox", "retry", "--upstream", "platform") == {"retrying": 0}
    (row,) = _json(site, "outbox", "status", "--over", "0.2")["upstreams"]
    assert (row["dead"], row["retrying"]) == (0, 1)
    assert (row["rate_s"], row["drained_in_s"]) == (0.0, None), "nobody takes anything"


async def test_the_outbox_shows_how_fast_records_go_out(site: Path) -> None:
    await _commit(site)
    store = open_store(site)
    await asyncio.gather(*(store.append(draft("fill")) for _ in range(400)))
    last = store.last_sequence()

    async def take_some() -> None:
        for sequence in range(4, last - 1):
            await store.acknowledge("platform", sequence)
            await asyncio.sleep(0.005)  # the rate that is shown

    async with asyncio.TaskGroup() as group:
        taking = group.create_task(take_some())
        words = ("-c", str(site), "outbox", "status", "--over", "0.5")
        done = await asyncio.to_thread(CliRunner().invoke, main, [*words, "--json"])
        (row,) = json.loads(done.stdout)["upstreams"]
        told = await asyncio.to_thread(CliRunner().invoke, main, words)
        taking.cancel()
    await store.close()
    assert 0 < row["rate_s"] <= 200
    assert row["drained_in_s"] == round(row["backlog"] / row["rate_s"])
    assert re.search(r"rate [0-9.]+/s, done in 0:00:0", told.stdout)


def test_an_export_is_taken_back_unchanged(site: Path) -> None:
    lines = (_line("c1"), f"c2,E280 1170;AABB,,济南气瓶厂{',' * 21}".rstrip("\n"))
    _run(site, "import", "cylinders", _csv(site, *lines))
    for name in ("out.csv", "out.xlsx"):
        out = str(site / name)
        form = name.rpartition(".")[2]
        done = {"kind": "cylinders", "file": out, "format": form, "cylinders": 2}
        assert _json(site, "export", "cylinders", "-o", out) == done
        counts = _json(site, "import", "cylinders", out, "--replace")
        assert (counts["unchanged"], counts["updated"], counts["removed"]) == (2, 0, 0)
    told = _run(site, "export", "cylinders").stdout_bytes
    assert told == (site / "out.csv").read_bytes().removeprefix(b"\xef\xbb\xbf")
    assert (site / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert _run(site, "export", "cylinders", "--format", "xlsx").stdout_bytes[:2] == b"PK"


def test_an_export_that_cannot_be_written_says_so_and_leaves_nothing(site: Path) -> None:
    _run(site, "import", "cylinders", _csv(site, _line("c1")))
    result = _run(site, "export", "cylinders", "-o", str(site / "no" / "out.csv"))
    assert result.exit_code == 3
    assert "out.csv: cannot be written: No such file or directory" in result.stderr
    assert _run(site, "export", "cylinders", "--json").exit_code == 2
    assert not list(site.glob(".out*"))


def test_a_dry_run_changes_nothing(site: Path) -> None:
    file = _csv(site, _line("c1"), _line("c2"))
    done = {"added": 2, "updated": 0, "unchanged": 0, "removed": 0, "dry_run": True}
    assert _json(site, "import", "cylinders", file, "--dry-run").items() >= done.items()
    assert not (site / "gatewayd.db").exists()
    _run(site, "import", "cylinders", file)
    other = _csv(site, _line("c2", medium="O2"))
    done = {"added": 0, "updated": 1, "unchanged": 0, "removed": 1, "dry_run": True}
    assert (
        _json(site, "import", "cylinders", other, "--replace", "--dry-run").items() >= done.items()
    )
    result = _run(site, "import", "cylinders", other, "--dry-run")
    assert result.stdout.endswith("0 removed (dry run, nothing was changed)\n")
    same = _csv(site, _line("c1"), _line("c2"))
    assert _json(site, "import", "cylinders", same)["unchanged"] == 2


def test_a_template_is_a_workbook_when_asked(site: Path) -> None:
    result = CliRunner().invoke(main, ["import", "cylinders", "--template", "--format", "xlsx"])
    assert result.exit_code == 0
    (site / "t.xlsx").write_bytes(result.stdout_bytes)
    assert _json(site, "import", "cylinders", str(site / "t.xlsx"), "--replace")["added"] == 0


def test_an_import_while_another_is_on_is_refused(site: Path) -> None:
    file = _csv(site, _line("c1"))
    with Staging.open(site / "gatewayd.db"):
        result = _run(site, "import", "cylinders", file)
    assert result.exit_code == 3
    assert "is importing into this store; wait until it has ended" in result.stderr
