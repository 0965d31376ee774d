"""Wrong usage is said in the operator's language, by the terminal or by `--lang`; exit 2 in any."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.known import LIBRARY, translated
from gatewayd.cli.root import main
from gatewayd.store.beside import import_cylinders
from gatewayd.texts import TEXTS
from tests.rigs.bench import LEGAL
from tests.support.configs import write_config

CHINESE = re.compile(r"[\u4e00-\u9fff]")
WRONG = (
    ("verdict",),
    ("verdict", "--rigg", "x"),
    ("verdict", "--rig"),
    ("verdict", "--rig", "rig-1"),
    ("verdict", "--rig", "rig-9", "--code", "1"),
    ("verdict", "--rig", "rig-1", "--code", "1", "--at", "soon"),
    ("verdict", "--rig", "rig-1", "--code", "1", "--set", "x"),
    ("verdict", "--rig", "rig-1", "--stage", "sold"),
    ("imprt",),
    ("import",),
    ("import", "cylinder"),
    ("import", "cylinders"),
    ("import", "cylinders", "nowhere.csv"),
    ("import", "cylinders", "."),
    ("shifts", "--limit", "0"),
    ("shifts", "--limit", "x"),
    ("shifts", "--json=1"),
    ("shifts", "a", "b"),
    ("export", "cylinders", "--json"),
    ("rules", "replay", "--since", "soon"),
    ("rules", "lst"),
    ("retire", "--uid", "xyz", "--reason", "r"),
    ("schemas", "nothing"),
    ("probe",),
    ("clock", "accept", "--by", "", "--reason", ""),
)


def run(site: Path, *words: str, locale: str) -> Result:
    runner = CliRunner(env={"LC_ALL": "", "LANG": locale})
    return runner.invoke(main, ["-c", str(site), *words])


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_usage_is_said_in_the_language_of_the_terminal(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    site = write_config(tmp_path, {"gateway.yaml": GATEWAY})
    import_cylinders(site / "gatewayd.db", (LEGAL,), station_id="3701000042", replace=True)
    chinese = run(site, *words, locale="zh_CN.UTF-8")
    assert chinese.exit_code == 2, chinese.output
    (said,) = (line for line in chinese.stderr.splitlines() if line.startswith("错误："))
    assert len(CHINESE.findall(said)) > 4, chinese.stderr
    english = run(site, *words, locale="C.UTF-8")
    assert english.exit_code == 2
    assert not CHINESE.search(english.stderr)
    assert "Error: " in english.stderr


PROGRAM = "main"
"""What the test's runner calls the program."""
GATEWAY = 'station: {id: "3701000042", media: [LPG]}\nstore: {path: gatewayd.db}\n'


def test_it_says_how_the_command_is_used_and_where_to_look(tmp_path: Path) -> None:
    said = run(tmp_path, "verdict", "--foo", locale="zh_CN.UTF-8").stderr.splitlines()
    assert said == [
        f"用法：{PROGRAM} verdict [选项]",
        f"查看帮助：{PROGRAM} verdict --help",
        "",
        "错误：没有选项 '--foo'",
    ]


def test_lang_decides_also_where_the_rest_is_not_understood(tmp_path: Path) -> None:
    for lang, said in (("zh", "错误："), ("en", "Error: ")):
        for words in (("--lang", lang, "--foo"), ("--foo", f"--lang={lang}")):
            result = run(tmp_path, "verdict", *words, locale="zh_CN.UTF-8")
            assert said in result.stderr


def test_a_sentence_of_the_library_that_nobody_knows_stays_as_it_is() -> None:
    assert translated("something new", "zh") == "something new"


@pytest.mark.parametrize("key", sorted(key for key in TEXTS if key.startswith(LIBRARY)))
def test_every_sentence_of_the_library_is_known_by_itself_alone(key: str) -> None:
    """Two that fit one text would make one of them unreachable."""
    names = ("hint", "said", "choices", "name", "near", "args", "value", "range", "kind")
    filled = TEXTS[key].en.format(**{name: f"'{name}'" for name in names})
    assert translated(filled, "zh") != filled
    assert CHINESE.search(translated(filled, "zh"))


def test_help_is_no_error() -> None:
    result = CliRunner(env={"LANG": "zh_CN.UTF-8"}).invoke(main, ["verdict", "--help"])
    assert result.exit_code == 0
    assert isinstance(main, click.Group)
