"""The command line as a person and a script use it: help, exit codes, JSON, `-c` anywhere."""

import asyncio
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.sim.cylinders import Fleet, make_fleet, write_csv
from tests.support.configs import write_config
from tests.support.stores import STATION, draft, open_store
from tests.support.waiting import WITHIN_S

pytestmark = pytest.mark.e2e

FLEET: Fleet = make_fleet(today=datetime.now(UTC).astimezone().date(), seed=7)
LEGAL = FLEET.legal[0]
VERDICT_KEYS = {"decision", "findings", "packs", "masses"}
AGE = re.compile(r'"[a-z_]*_s":\d+')
"""What grows while nothing happens: seconds since something."""
FINDING_KEYS = {"code", "severity", "message", "basis", "rule", "values"}


def run(*words: str) -> Result:
    """A command in this process."""
    return CliRunner().invoke(main, list(words))


def process(*words: str) -> subprocess.CompletedProcess[str]:
    """A command as its own process."""
    command = [sys.executable, "-m", "gatewayd", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WITHIN_S)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A station with two rigs, an archive and three records."""
    directory = write_config(tmp_path_factory.mktemp("site"))
    write_csv(FLEET.archive(), directory / "cylinders.csv")
    result = run("import", "cylinders", str(directory / "cylinders.csv"), "-c", str(directory))
    assert result.exit_code == 0, result.output
    asyncio.run(_records(directory))
    return directory


async def _records(directory: Path) -> None:
    store = open_store(directory)
    for kind in ("fill", "refusal", "fill"):
        await store.append(draft(kind))
    await store.close()


def _every_command(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            found.append((*path, name))
            if isinstance(command, click.Group):
                found += _every_command(command, *path, name)
    return found


COMMANDS = _every_command(main)


def test_help_lists_every_command_with_a_word_about_it() -> None:
    done = process("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name, *rest in COMMANDS:
        lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
        assert rest or any(len(words) == 2 and words[0] == name for words in lines), name


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_shows_an_example(path: tuple[str, ...]) -> None:
    result = run(*path, "--help")
    assert result.exit_code == 0
    example = f"gatewayd {path[0]}"
    assert any(line.strip().startswith(example) for line in result.stdout.splitlines()[1:])


READS = (
    ("check",),
    ("config", "show"),
    ("drivers",),
    ("rules", "list"),
    ("rules", "test"),
    ("records", "list"),
    ("records", "show", "2"),
    ("records", "verify"),
    ("outbox", "status"),
    ("outbox", "dead"),
    ("outbox", "retry"),
    ("verdict", "--rig", "rig-1", "--code", LEGAL.code),
)


@pytest.mark.parametrize("words", READS, ids=" ".join)
def test_every_reading_command_works_for_people_and_programs_and_takes_c_anywhere(
    site: Path, words: tuple[str, ...]
) -> None:
    before = run("-c", str(site), *words, "--json")
    after = run(*words, "--json", "-c", str(site))
    assert (before.exit_code, after.exit_code) == (0, 0), before.output + after.output
    assert AGE.sub("", before.stdout) == AGE.sub("", after.stdout)
    assert isinstance(json.loads(after.stdout), dict)
    person = run(*words, "-c", str(site))
    assert person.exit_code == 0
    assert person.output.strip()


def test_the_schema_is_json_with_and_without_a_name() -> None:
    for words in ((), ("rigs",)):
        result = run("config", "schema", *words)
        assert result.exit_code == 0
        assert isinstance(json.loads(result.stdout), dict)


def test_the_newest_records_are_as_committed(site: Path) -> None:
    listed = json.loads(run("records", "list", "--json", "-c", str(site)).stdout)
    assert [record["sequence"] for record in listed["records"]] == [1, 2, 3]
    assert listed["last_sequence"] == 3
    shown = json.loads(run("records", "show", "2", "--json", "-c", str(site)).stdout)
    assert shown == listed["records"][1]
    assert run("records", "show", "4", "-c", str(site)).exit_code == 1


DECODES: tuple[tuple[tuple[str, ...], str, str, dict[str, Any]], ...] = (
    (("--frame", "uhfreader18", "04 00 01 db 4b"), "frame", "uhfreader18", {}),
    (("1500010301010ce280689400005005b22108614d2f50",), "frame", "uhfreader288", {}),
    (("--frame", "uhfreader288", "0700010101001e4b"), "frame", "uhfreader288", {}),
    (("0110100001",), "barcode", "cylinder_barcode", {"code10": "0110100001"}),
    ((LEGAL.code,), "barcode", "cylinder_barcode", {"id16": LEGAL.code}),
    ((LEGAL.qr_text,), "barcode", "cylinder_qr", {"id16": LEGAL.code}),
    (
        (f"\ufeff HTTP://TESHE.ORG.CN/q?ID={LEGAL.code}&t=1\r\n",),
        "barcode",
        "cylinder_qr",
        {"id16": LEGAL.code, "region6": "370100"},
    ),
    (
        ("3074257BF7194E4000001A85",),
        "tag",
        "epc_tds",
        {"uri": "urn:epc:id:sgtin:0614141.812345.6789"},
    ),
)


@pytest.mark.parametrize(("words", "kind", "format_", "fields"), DECODES)
def test_decode_knows_what_it_sees(
    words: tuple[str, ...], kind: str, format_: str, fields: dict[str, Any]
) -> None:
    result = run("decode", "--json", *words)
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    assert (shown["kind"], shown["format"], shown["valid"], shown["error"]) == (
        kind,
        format_,
        True,
        None,
    )
    assert {key: shown["fields"].get(key) for key in fields} == fields


def test_decode_says_no_with_exit_code_1(site: Path) -> None:
    done = process("decode", "--json", "--frame", "uhfreader18", "04 00 21 d9 ba", "-c", str(site))
    assert done.returncode == 1
    shown = json.loads(done.stdout)
    assert shown["valid"] is False
    assert shown["error"]


def _verdict(site: Path, *words: str) -> tuple[int, dict[str, Any]]:
    result = run("verdict", "--rig", "rig-1", "--json", "-c", str(site), *words)
    shown: dict[str, Any] = json.loads(result.stdout)
    assert set(shown) == VERDICT_KEYS
    for found in shown["findings"]:
        assert set(found) == FINDING_KEYS
        assert set(found["message"]) == {"zh", "en"}
        assert found["basis"]
    for pack in shown["packs"]:
        assert pack["id"] == "cn-lpg"
    return result.exit_code, shown


def _denials(shown: dict[str, Any]) -> list[str]:
    return [found["code"] for found in shown["findings"] if found["severity"] == "deny"]


def test_a_legal_cylinder_is_allowed_by_code_label_and_tag(site: Path) -> None:
    for words in (("--code", LEGAL.code), ("--code", LEGAL.qr_text), ("--uid", LEGAL.epc)):
        code, shown = _verdict(site, *words)
        assert (code, shown["decision"]) == (0, "allow"), words


@pytest.mark.parametrize("reason", sorted({one.reason or "" for one in FLEET.illegal}))
def test_every_illegal_cylinder_is_denied_with_its_reason(site: Path, reason: str) -> None:
    cylinder = next(one for one in FLEET.illegal if one.reason == reason)
    code, shown = _verdict(site, "--code", cylinder.code)
    assert (code, shown["decision"]) == (1, "deny")
    assert reason in _denials(shown)


def test_a_fact_and_the_time_can_be_changed_for_a_question(site: Path) -> None:
    overdue = ("--set", "cylinder.next_inspection_on=2020-01")
    code, shown = _verdict(site, "--code", LEGAL.code, *overdue)
    assert (code, _denials(shown)) == (1, ["OVERDUE"])
    code, shown = _verdict(site, "--code", LEGAL.code, "--at", "2099-01-01")
    assert code == 1
    assert {"OVERDUE", "LIFE_EXCEEDED"} <= set(_denials(shown))
    code, shown = _verdict(site, "--code", LEGAL.code, "--set", "cylinder.medium=")
    assert (code, _denials(shown)) == (1, ["DATA_MISSING"])


def test_two_cylinders_at_once_are_ambiguous(site: Path) -> None:
    code, shown = _verdict(site, "--code", LEGAL.code, "--uid", FLEET.legal[1].epc)
    assert (code, _denials(shown)) == (1, ["AMBIGUOUS"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rig", "rig-9", "--code", LEGAL.code), "rig-1"),
        (("--rig", "rig-1"), "--code"),
        (("--rig", "rig-1", "--code", "x", "--set", "cylinder.wieght=1"), "cylinder.wieght"),
        (("--rig", "rig-1", "--code", "x", "--set", "nonsense"), "FACT=VALUE"),
        (("--rig", "rig-1", "--code", "x", "--at", "soon"), "RFC 3339"),
    ],
)
def test_a_question_asked_wrongly_ends_with_2_and_a_hint(
    site: Path, words: tuple[str, ...], said: str
) -> None:
    result = run("verdict", *words, "-c", str(site))
    assert result.exit_code == 2
    assert said in result.stderr
    assert not result.stdout


def test_a_store_that_is_not_there_ends_with_3(tmp_path: Path) -> None:
    directory = write_config(tmp_path)
    for words in (("records", "list"), ("verdict", "--rig", "rig-1", "--code", "x")):
        result = run(*words, "-c", str(directory))
        assert result.exit_code == 3, result.output
        assert str(directory / "gatewayd.db") in result.stderr


def test_the_template_comes_back_in_and_a_bad_row_brings_nothing(site: Path) -> None:
    header = process("import", "cylinders", "--template").stdout.strip()
    file = site / "more.csv"
    row = "3701000110199999,,,," + STATION
    file.write_text(f"{header}\n{row}{',' * (header.count(',') - row.count(','))}\n")
    good = run("import", "cylinders", str(file), "--json", "-c", str(site))
    assert (good.exit_code, json.loads(good.stdout)["added"]) == (0, 1)
    mistakes = f"{row},,,heavy".ljust(len(row) + 8)
    file.write_text(f"{header}\n{mistakes}{',' * (header.count(',') - mistakes.count(','))}\n")
    bad = run("import", "cylinders", str(file), "-c", str(site))
    assert bad.exit_code == 1
    assert f"{file}:row 2, column water_capacity_ml" in bad.stderr
    assert "nothing was imported" in bad.stderr


@pytest.mark.parametrize("words", [("nonsense",), ("check", "--nonsense"), ("records", "show")])
def test_wrong_usage_ends_with_2(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert not done.stdout
