"""Import, export, holds and locks are said in the operator's language; what is recorded is not."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gatewayd import archive, store
from gatewayd.cli.known import translated
from gatewayd.cli.root import main
from gatewayd.store.reads import Reader
from gatewayd.texts import TEXTS
from tests.support.configs import write_config

CODE = "3701000110100001"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(
    r"\b(the|is|was|are|expected|row|column|nothing|unknown|cells|grams|more|added|writing)\b"
)
ZH = "zh_CN.UTF-8"
WHO = ("--reason", "recall", "--by", "bureau")
GOOD = f"code,medium,tag_uids\n{CODE},LPG,E2001234\n"
WRONG = {
    "cylinders": (
        "code,medium,made_on,tag_uids,stamped_tare_g,refurbished,design_life_years,status,kind\n"
        ",LPX,2026-13,XYZ,heavy,maybe,300,scraped,\n"
        "1E+15,LPG,soon,E2;E2,-1,true,1,in_use,\n"
        "1\n"
        f"7,,,{'A1;' * 17},1,,,,\n"
        "7,,,E2001111,1,,,,\n"
        f"{'8' * 65},,,E2001111,99999999999,,,Zzz,\n"
    ),
    "operators": "id,name,cards,media,roles\n,,A;A,LPX,chef\n1,Li,C1,,\n1,Wu,C1,,\n",
    "retired": "kind,value,reason\nuid,XYZ,torn\n,7,\ncode,8,copied\ncode,8,copied\ntag,9,torn\n",
}
HEADERS = {
    "cylinders": ("", "codes,medium\n", "code;medium\n", "code,code\n", "code,,x\n"),
    "operators": ("", "ids,name\n", "id,id\n", "name\n"),
    "retired": ("", "value\n", "value,reason,zzzz\n"),
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_config(tmp_path / "site")


def run(site: Path, *words: str, locale: str = ZH) -> Result:
    runner = CliRunner(env={"LC_ALL": "", "LANG": locale})
    return runner.invoke(main, ["-c", str(site), *words])


def chinese(lines: list[str], *names: Path) -> None:
    """Nothing of the sentence is English; what a file is called or says may be."""
    assert lines
    for line in lines:
        said = line
        for name in names:
            said = said.replace(str(name), "")
        assert CHINESE.search(said), line
        assert not ENGLISH.search(said), line


def both(site: Path, *words: str, code: int = 0) -> list[str]:
    """What a Chinese terminal is told; `--lang` goes before it."""
    found = run(site, *words)
    assert found.exit_code == code, found.output
    english = run(site, *words, "--lang", "en")
    assert english.exit_code == code, english.output
    assert not CHINESE.search(english.output), english.output
    return found.output.splitlines()


def file_of(site: Path, text: str) -> Path:
    path = site / "given.csv"
    path.write_text(text, "utf-8")
    return path


def test_what_an_import_and_an_export_did_is_said_in_chinese(site: Path) -> None:
    file = file_of(site, GOOD)
    told = both(site, "import", "cylinders", str(file), "--dry-run")
    assert told == [f"{file}：将新增 1，变更 0，未变 0，删除 0（试运行，未作任何更改）"]
    as_asked = ("import", "cylinders", str(file), "--dry-run", "--lang", "zh")
    assert run(site, *as_asked, locale="C.UTF-8").stdout.splitlines() == told
    assert run(site, "import", "cylinders", str(file)).stdout == (
        f"{file}：新增 1，变更 0，未变 0，删除 0\n"
    )
    assert run(site, "import", "cylinders", str(file), "--lang", "en").stdout == (
        f"{file}: 0 added, 0 updated, 1 unchanged, 0 removed\n"
    )
    out = site / "out.csv"
    for kind, said in (("cylinders", "1 只气瓶"), ("operators", "0 名人员")):
        assert both(site, "export", kind, "-o", str(out)) == [f"{out}：{said}"]
    assert both(site, "export", "retired", "-o", str(out)) == [f"{out}：0 个停用的编码或标签"]
    as_json = ("import", "cylinders", str(file), "--json")
    assert run(site, *as_json).stdout == run(site, *as_json, locale="C.UTF-8").stdout


@pytest.mark.parametrize("kind", WRONG)
def test_every_mistake_in_a_file_is_said_in_chinese(site: Path, kind: str) -> None:
    file = file_of(site, WRONG[kind])
    told = both(site, "import", kind, str(file), code=1)
    chinese(told, file)
    assert "没有导入任何内容" in told[-1]
    for header in HEADERS[kind]:
        chinese(both(site, "import", kind, str(file_of(site, header)), code=1), file)


@pytest.mark.parametrize(
    "damaged",
    [
        b"\xff\xfea",
        b"code\na\x00",
        b"code\n\xe6\xb0\x94\xe6\xb0\x94\xe6\xb0\x94\xe6\xb0\x94\xe6\xb0\x94\n\xff\n",
        b"code\n\xff\xff\xff\n",
        b'code\n"a"b\n',
        b"PK\x03\x04 no workbook",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_chinese(site: Path, damaged: bytes) -> None:
    file = site / "given.csv"
    file.write_bytes(damaged)
    (told,) = both(site, "import", "cylinders", str(file), code=1)
    chinese([re.sub(r"（.*?）", "", told)], file)


def test_what_the_store_says_of_a_file_is_said_in_chinese(site: Path) -> None:
    file = file_of(site, GOOD)
    assert run(site, "retire", CODE, *WHO).exit_code == 0
    told = both(site, "import", "cylinders", str(file), code=1)
    chinese([line.replace("recall", "") for line in told], file)
    assert "已随气瓶" in told[0]
    operators = file_of(site, "id\n1\n")
    chinese(both(site, "import", "operators", str(operators), code=1), operators)
    known = file_of(site, "id,name,cards\n1,Li,C1\n")
    assert run(site, "import", "operators", str(known)).exit_code == 0
    other = file_of(site, "id,name,cards\n2,Wu,C1\n")
    chinese(both(site, "import", "operators", str(other), code=1), other)
    listed = file_of(site, f"value,reason\n7,{' ' * 3}x\n{'7' * 64},{'y' * 201}\n")
    chinese(both(site, "import", "retired", str(listed), code=1), listed)
    chinese(both(site, "export", "cylinders", "-o", str(site / "no" / "x.csv"), code=3), site)
    assert "没有这个配置目录" in run(site / "elsewhere", "holds").stderr


ORDERS = (
    (("hold", CODE, *WHO), 0),
    (("hold", CODE, *WHO), 0),
    (("lock", "rig-1", *WHO), 0),
    (("lock", "rig-1", *WHO), 0),
    (("lock", "rig-9", *WHO), 1),
    (("holds",), 0),
    (("unlock", "rig-1", *WHO), 0),
    (("unlock", "rig-1", *WHO), 1),
    (("release", CODE, *WHO), 0),
    (("release", CODE, *WHO), 1),
    (("hold", CODE, "--reason", " "), 1),
    (("retire", CODE, *WHO), 0),
    (("retire", CODE, *WHO), 0),
    (("retire", "--uid", "E2001234", *WHO), 0),
    (("retired",), 0),
    (("reinstate", CODE, *WHO), 0),
    (("reinstate", CODE, *WHO), 1),
    (("clock",), 0),
    (("clock", "accept", "--by", "Li", "--reason", "radio"), 0),
)


def _recorded(site: Path) -> list[Any]:
    with Reader.open(site / "gatewayd.db") as store:
        bodies = [json.loads(each.body) for each in store.records()]
    return [(each["type"], each["data"].get("by"), each["data"].get("event")) for each in bodies]


@pytest.mark.parametrize("configured", ["zh", "en"])
def test_orders_answer_as_the_terminal_speaks_and_record_the_same(
    tmp_path: Path, configured: str
) -> None:
    """Whatever `log.language` says: that is the language of the log."""
    sites = [write_config(tmp_path / name) for name in ("zh", "en")]
    for site in sites:
        gateway = site / "gateway.yaml"
        gateway.write_text(gateway.read_text("utf-8") + f"log: {{language: {configured}}}\n")
        run(site, "import", "cylinders", str(file_of(site, GOOD)))
    for words, code in ORDERS:
        zh = run(sites[0], *words)
        en = run(sites[1], *words, "--lang", "en")
        assert (zh.exit_code, en.exit_code) == (code, code), (words, zh.output, en.output)
        assert not CHINESE.search(en.output), en.output
        chinese(zh.output.splitlines())
    assert _recorded(sites[0]) == _recorded(sites[1]) != []


def test_every_sentence_about_a_file_is_found_again() -> None:
    """The English of the catalogue is that of the code: one that was reworded has to follow."""
    sources = [Path(archive.__file__).parent, Path(store.__file__).parent]
    files = (path.read_text("utf-8") for each in sources for path in each.glob("*.py"))
    code = re.sub(r"""["']\s+f?["']""", "", "".join(files))
    code = re.sub(r"\{_?[A-Z][A-Z_]+\}|\{.*?\}", "{}", code)
    keys = [key for key in TEXTS if key.startswith("archive.error.")]
    assert len(keys) > 60
    for key in keys:
        said = re.sub(r"\{\w+\}", "7", TEXTS[key].en)
        assert translated(said, "en") == said, key
        assert CHINESE.search(translated(said, "zh")), key
        for part in re.split(r"\{\w+\}|; |:row 1: ", TEXTS[key].en):
            assert part in code, (key, part)


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("probe",), "gun-1x"),
        (("profiles",), "reference-gate-v9"),
        (("upstreams", "show"), "city-platform-x"),
        (("drivers",), "plc.modbuss"),
        (("decode", "--frame"), "uhfreader28"),
    ],
)
def test_a_name_that_nothing_has_is_told_in_chinese(
    site: Path, words: tuple[str, ...], near: str
) -> None:
    for name in (near, "zz-zz-zz"):
        data = ("00",) if words[0] == "decode" else ()
        result = run(site, *words, name, *data)
        assert result.exit_code == 2, result.output
        said = result.stderr.splitlines()[-1]
        chinese([said])
        assert "已有：" in said
        assert ("是否为" in said) == (name == near)
