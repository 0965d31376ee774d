"""`gatewayd checks`: what is asked, and the sheet for the wall that a scanner can read."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli import qr
from gatewayd.cli.root import main
from tests.support.configs import write_config

FORM = "lpg-prefill"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_config(tmp_path)


def run(site: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["checks", *words, "-c", str(site)])


def told(site: Path, *words: str) -> Any:
    return json.loads(run(site, *words, "--json").stdout)


def test_every_form_is_listed_with_its_items(site: Path) -> None:
    forms = {each["form"]: each for each in told(site, "list")["forms"]}
    assert set(forms) >= {"lpg-prefill", "lpg-postfill", "industrial-prefill"}
    assert forms[FORM]["items"][:2] == ["stamp", "body"]
    assert "钢印和标志清晰、齐全？" in run(site, "list", "--lang", "zh").stdout


def test_a_sheet_has_every_answer_that_fails_and_no_code_for_a_number(site: Path) -> None:
    texts = [each["text"] for each in told(site, "print", FORM)["codes"]]
    assert texts[0] == f"GW:CHECK:{FORM}:OK"
    assert f"GW:CHECK:{FORM}:residual:too_much" in texts
    assert f"GW:CHECK:{FORM}:valve:yes" not in texts, "a single good answer proves nothing"
    assert texts[-1] == "GW:LOGOUT"
    numbers = told(site, "print", "industrial-prefill")["codes"]
    assert not [each for each in numbers if each["text"].endswith((":OK", ":residual"))]
    assert "余压（表压）" in run(site, "print", "industrial-prefill", "--lang", "zh").stdout


def test_the_page_is_whole_and_in_both_languages(site: Path) -> None:
    file = site / "wall.html"
    assert run(site, "print", FORM, "-o", str(file)).exit_code == 0
    page = file.read_text(encoding="utf-8")
    codes = told(site, "print", FORM)["codes"]
    assert page.count("<svg") == len(codes)
    for code in codes:
        assert f"<code>{code['text']}</code>" in page
        for words in filter(None, (code["asks"], code["says"])):
            assert words["zh"] in page
            assert words["en"] in page
    assert "://" not in page.replace('xmlns="http://www.w3.org/2000/svg"', ""), "needs no network"


def test_text_of_a_form_cannot_break_the_page(tmp_path: Path) -> None:
    checks = (
        "checks:\n  own:\n    stage: prefill\n    title: {zh: <b>检查, en: <b>}\n    items:\n"
        "      - {id: a, kind: yes_no, text: {zh: 余量<5 & 无漏？, en: '<script>'}}\n"
    )
    site = write_config(tmp_path, {"checks/own.yaml": checks})
    file = site / "wall.html"
    assert run(site, "print", "own", "-o", str(file)).exit_code == 0
    page = file.read_text(encoding="utf-8")
    assert "余量&lt;5 &amp; 无漏？" in page
    assert "<script>" not in page


def test_a_code_is_drawn_in_millimetres_with_its_quiet_zone() -> None:
    text = f"GW:CHECK:{FORM}:OK"
    drawn = ET.fromstring(qr.svg(text))  # noqa: S314 - our own text
    side_mm = float(drawn.attrib["width"].removesuffix("mm"))
    modules = (side_mm / qr.MODULE_MM - 2 * qr.BORDER - 17) / 4
    assert (drawn.attrib["width"], modules % 1) == (drawn.attrib["height"], 0)
    lines = qr.blocks(text).splitlines()
    assert {len(line) for line in lines if line} == {17 + 4 * int(modules) + 2 * 2}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("print", "nothing"), 2, "no form nothing; forms: "),
        (("print", FORM, "-o", "/nowhere/at/all.html"), 3, "cannot be written"),
        (("print",), 2, "FORM"),
    ],
)
def test_what_cannot_be_printed_is_said(
    site: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    result = run(site, *words)
    assert (result.exit_code, said in result.stderr) == (code, True)
