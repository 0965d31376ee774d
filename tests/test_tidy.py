"""House rules that no linter knows: each ban names what to write instead."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("protocols", "drivers", "rules_engine", "gatewayd")
TEXT_SUFFIXES = frozenset(
    {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".json", ".st", ".sql", ".service", ".csv", ""}
)
MADE_HERE = frozenset(
    {".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "dist"}
    | {"__pycache__", ".import_linter_cache", ".benchmarks"}
)
FILE_LINES_MAX = 300
TEST_LINES_MAX = 450
FUNCTION_LINES_MAX = 60
"""A file ends at 300 lines and a function at 60; tests are longer by their tables of cases."""

LONG_FILES: dict[str, str] = {}
"""Files allowed to be longer, each with the reason."""


@dataclass(frozen=True, slots=True)
class Ban:
    """A pattern nobody may write in our packages, what to write instead, and who may after all."""

    pattern: str
    instead: str
    allowed: frozenset[str] = frozenset()


BANS = (
    Ban(
        r"\bdatetime\.(now|utcnow|today)\(|\bdate\.today\(",
        "the clock you were given: clock.wall()",
        frozenset({"gatewayd/clock.py"}),
    ),
    Ban(
        r"\btime\.(time|time_ns|monotonic|monotonic_ns|perf_counter)\(",
        "the clock you were given: clock.monotonic_ns()",
        frozenset({"gatewayd/clock.py"}),
    ),
    Ban(r"\btime\.sleep\(", "an event, a deadline, or asyncio.timeout"),
    Ban(r"\b(asyncio|loop|get_running_loop\(\))\.create_task\(", "a TaskGroup that owns the task"),
    Ban(r"\bensure_future\(", "a TaskGroup that owns the task"),
    Ban(r"\basyncio\.wait_for\(", "async with asyncio.timeout(SECONDS_MAX)"),
    Ban(r"\basyncio\.(Queue|LifoQueue)(\[[^]]*\])?\(\)", "a queue with a named maxsize"),
    Ban(r"(?<![.\w])print\(", "click.echo in cli, structlog elsewhere"),
    Ban(r"^\s*except\s*:", "the exceptions you expect, by name"),
    Ban(r"^\s*(import|from) sqlite3\b", "apsw, in gatewayd/store"),
    Ban(r"^\s*(import|from) (yaml|serial)\b", "protocols.documents for YAML, serialx for serial"),
    Ban(r"\byaml\.(load|safe_load)\(|\bYAML\(typ=.safe", "protocols.documents.parse"),
    Ban(r"\.compile\(\)", "the interpreted construct layout: a compiled one takes truncated data"),
    Ban(r"\bcontextlib\.suppress\((Base)?Exception\)", "the exceptions you expect, by name"),
    Ban(r"\brandom\.seed\(|\bnp\.random\b", "random.Random(seed), handed in"),
)
TEST_BANS = (
    Ban(r"\bunittest\.mock\b|\bMagicMock\b|\bmocker\b", "the real thing, made small"),
    Ban(r"\bmonkeypatch\.setattr\(|\bpatch\.object\(", "the real thing, made small"),
    Ban(
        r"\btime\.sleep\((?!.*# noqa: ASYNC251 - )",
        "a condition with a deadline; a stall of the loop is ASYNC251 with its reason",
    ),
    Ban(
        r"\basyncio\.sleep\((?!0\))[\d._]+\)(?!\s+# \S)",
        "`until` of tests/support/waiting.py; where the time itself is meant: `# why` beside it",
    ),
)
_NOQA = re.compile(r"#\s*noqa(?!: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)* - \S)")
_UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X{3}|HA" + r"CK)\b")
_MACHINE = re.compile(
    r"(?<![\w.])/(root|work|home/[a-z]+|tmp/(try|bash|design))\b"
    r"|pypi\.org|pythonhosted|registry\.npmjs|proxy\.golang|(?:[0-9]{1,3}\.){3}[0-9]{1,3}/simple"
)
_RECURSION = Path(__file__).name


def _files(*tops: str) -> Iterator[Path]:
    for top in tops:
        for path in sorted((ROOT / top).rglob("*")):
            if path.is_file() and not MADE_HERE & set(path.relative_to(ROOT).parts):
                yield path


def _sources(*tops: str) -> Iterator[tuple[str, str]]:
    for path in _files(*tops):
        if path.suffix == ".py":
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def _hits(pattern: str | re.Pattern[str], name: str, text: str, instead: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        if re.search(pattern, line):
            yield f"{name}:{number}: {line.strip()}\n    write {instead}"


def _code_only(text: str) -> str:
    """The text with its docstrings blanked: they may show what our packages must not do."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    return "\n".join(lines)


def _report(found: list[str]) -> None:
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("ban", BANS, ids=lambda ban: ban.pattern)
def test_our_packages_use_what_the_house_has(ban: Ban) -> None:
    sources = [(n, _code_only(t)) for n, t in _sources(*PACKAGES) if n not in ban.allowed]
    _report([hit for n, t in sources for hit in _hits(ban.pattern, n, t, ban.instead)])


@pytest.mark.parametrize("ban", TEST_BANS, ids=lambda ban: ban.pattern)
def test_tests_use_real_things(ban: Ban) -> None:
    sources = [(n, t) for n, t in _sources("tests") if n not in ban.allowed]
    sources = [(n, t) for n, t in sources if Path(n).name != _RECURSION]
    _report([hit for n, t in sources for hit in _hits(ban.pattern, n, t, ban.instead)])


def test_a_wide_except_says_why_it_is_safe() -> None:
    found = []
    for name, text in _sources(*PACKAGES):
        lines = text.splitlines()
        for number, line in enumerate(lines, start=1):
            if re.match(r"\s*except\s.*\b(Base)?Exception\b", line):
                near = lines[max(0, number - 2) : number + 1]
                if not any("#" in other for other in near):
                    found.append(f"{name}:{number}: {line.strip()}\n    add why widening is safe")
    _report(found)


def test_a_silenced_rule_is_named_and_says_why() -> None:
    instead = "# noqa: RULE - reason"
    sources = [(n, t) for n, t in _sources(*PACKAGES, "tests") if Path(n).name != _RECURSION]
    _report([hit for n, t in sources for hit in _hits(_NOQA, n, t, instead)])


def _texts() -> Iterator[tuple[str, str]]:
    for path in _files("."):
        if path.suffix in TEXT_SUFFIXES and path.name not in {_RECURSION, "LICENSE"}:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def test_nothing_is_left_unfinished() -> None:
    instead = "the finished thing, or an issue"
    _report([hit for n, t in _texts() for hit in _hits(_UNFINISHED, n, t, instead)])


def test_no_text_names_a_machine_or_a_registry() -> None:
    instead = "a relative path, or nothing"
    _report([hit for n, t in _texts() for hit in _hits(_MACHINE, n, t, instead)])


def test_a_file_ends_where_one_idea_does() -> None:
    found = []
    for name, text in _sources(*PACKAGES, "tests"):
        lines = len(text.splitlines())
        if lines > _lines_max(name) and name not in LONG_FILES:
            found.append(f"{name}: {lines} lines\n    split it by idea, or list it with a reason")
    _report(found)


def test_the_list_of_long_files_is_needed() -> None:
    for name, reason in LONG_FILES.items():
        assert reason, name
        lines = len((ROOT / name).read_text(encoding="utf-8").splitlines())
        assert lines > _lines_max(name), name


def _lines_max(name: str) -> int:
    return TEST_LINES_MAX if name.startswith("tests/") else FILE_LINES_MAX


def test_a_function_ends_at_60_lines() -> None:
    found = []
    for name, text in _sources(*PACKAGES, "tests"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    found.append(f"{name}:{node.lineno}: {node.name} has {lines} lines\n    split")
    _report(found)


def test_a_text_file_ends_with_one_newline_and_has_no_blank_ends() -> None:
    found = []
    written = [(n, t) for n, t in _texts() if not n.startswith("tests/golden/")]
    for name, text in written:
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            found.append(f"{name}: end it with exactly one newline")
        found += [
            f"{name}:{number}: blanks at the end of the line"
            for number, line in enumerate(text.split("\n"), start=1)
            if line != line.rstrip(" \t\r")
        ]
    _report(found)
