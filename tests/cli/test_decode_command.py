"""`gatewayd decode`: one object as JSON, a table for people, exit codes of contract §2."""

import json

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main

SGTIN = "3074257BF7194E4000001A85"
URL = "http://teshe.org.cn/Q?id=1100000110100001"


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["decode", *arguments], input=typed)


def test_json_is_exactly_the_object_of_the_contract() -> None:
    result = run("--json", SGTIN)
    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    assert list(shown) == ["kind", "format", "valid", "fields", "error"]
    assert (shown["kind"], shown["format"], shown["valid"], shown["error"]) == (
        "tag",
        "epc_tds",
        True,
        None,
    )
    assert shown["fields"]["uri"] == "urn:epc:id:sgtin:0614141.812345.6789"


@pytest.mark.parametrize("data", [URL[:-1], "040021d9ba", "307C257BF7194E4000001A85", "x" * 65])
def test_what_is_not_valid_ends_with_1_and_still_prints_the_object(data: str) -> None:
    result = run("--json", data)
    assert result.exit_code == 1
    shown = json.loads(result.stdout)
    assert shown["valid"] is False
    assert shown["error"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "uhfreader", "00"), "did you mean"),
        (("--frame", "uhfreader18", "--format", "epc_tds", "00"), "expected one"),
        ((), "Missing argument"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert not result.stdout


def test_a_person_sees_the_bytes_beside_their_meaning() -> None:
    result = run("15 00 01 03 01 01 0c e280689400005005b2210861 4d 2f50")
    assert result.exit_code == 0
    for expected in ("frame uhfreader288: valid", "reader address: 0", "2f 50", "antenna"):
        assert expected in result.stdout


def test_a_person_sees_why_it_is_not_valid() -> None:
    result = run(URL[:-1])
    assert result.exit_code == 1
    assert "not valid" in result.stdout
    assert "bad_length: 15 digits; expected 10 or 16" in result.stderr


def test_markup_in_a_code_is_shown_as_it_is() -> None:
    assert "[red]x[/red]" in run("[red]x[/red]").stdout


def test_a_dash_reads_standard_input() -> None:
    assert (
        json.loads(run("--json", "-", typed=f"{URL}\r\n").stdout)["fields"]["region6"] == "110000"
    )


def test_hex_may_come_as_several_words() -> None:
    assert run("--frame", "epc_tds", *[SGTIN[i : i + 4] for i in range(0, 24, 4)]).exit_code == 0


def test_the_help_has_examples() -> None:
    shown = run("--help").stdout
    assert "gatewayd decode 3074257BF7194E4000001A85" in shown
    assert "uhfreader288" in shown
