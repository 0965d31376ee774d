"""`gatewayd decode --format` takes a layout of `tags/*.yaml`; `check` runs its examples."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatewayd.cli.root import main
from gatewayd.settings.load import examine, load
from tests.support.configs import write_config

LAYOUT = """\
tags:
  station-tag:
    title: {zh: 本站标签, en: our tag}
    source: made up for this test
    fields:
      - {name: code, length: 5, type: bcd}
      - {name: finding, length: 4, type: ascii}
    finding: {field: finding}
    examples:
      - {hex: "011010000100000000", fields: {code: "0110100001", finding: ""}}
"""


def decode(directory: Path, *words: str) -> tuple[int, str]:
    got = CliRunner().invoke(main, ["decode", "-c", str(directory), *words])
    return got.exit_code, got.output


def test_a_layout_of_the_station_decodes(tmp_path: Path) -> None:
    site = write_config(tmp_path, {"tags/ours.yaml": LAYOUT})
    code, out = decode(site, "--json", "--format", "station-tag", "01 10 10 00 01 48 45 4C 44")
    assert code == 0, out
    said = json.loads(out)
    assert (said["kind"], said["format"], said["valid"]) == ("tag", "station-tag", True)
    assert said["fields"] == {"code": "0110100001", "finding": "HELD", "tag_finding": "HELD"}
    code, out = decode(site, "--json", "--format", "station-tag", "0110")
    assert (code, json.loads(out)["valid"]) == (1, False)
    code, out = decode(site, "--format", "station-tag", "011010000148454C44")
    assert code == 0
    assert "HELD" in out


def test_another_name_is_still_told_what_is_known(tmp_path: Path) -> None:
    code, out = decode(write_config(tmp_path), "--format", "station-tag", "00")
    assert code == 2
    assert "unknown format" in out


def test_a_layout_is_part_of_the_settings(tmp_path: Path) -> None:
    settings = load(write_config(tmp_path, {"tags/ours.yaml": LAYOUT}))
    assert settings.layouts["station-tag"].size_bytes == 9


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"0110100001", f',
            '"0110100002", f',
            "tags/ours.yaml:10:9: station-tag: example 1 read as",
        ),
        (
            "station-tag:",
            "epc_tds:",
            "tags/ours.yaml:2:3: layout 'epc_tds' has the name of a format",
        ),
        ("type: bcd", "type: float", "tags/ours.yaml:6:9: tags.station-tag.fields.0"),
        ("length: 5", "length: 5, offset: 1", "field 'code' begins at 0, not at 1"),
        ("source:", "origin:", "unknown key 'origin'"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    site = write_config(tmp_path, {"tags/ours.yaml": LAYOUT.replace(old, new)})
    found = [str(problem) for problem in examine(site).problems]
    assert any(said in problem for problem in found), found
    code, out = decode(site, "--format", "station-tag", "00")
    assert code == 1
    assert "tags/ours.yaml" in out
