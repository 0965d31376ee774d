"""CEL behind its fence: strict types, exact reads, and only a BOOL counts."""

from datetime import date

import pytest

from rules_engine.cel import EXPRESSION_CHARS_MAX, Broken, Environment, ExpressionError
from rules_engine.facts import FACTS

ENVIRONMENT = Environment({name: fact.type for name, fact in FACTS.items()} | {"param.n": "int"})


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("true", ""),
        ("code.known", "code.known"),
        ("cylinder.owner in station.owners", "cylinder.owner station.owners"),
        ("cylinder\n.owner == code . text", "cylinder.owner code.text"),
        ('"cylinder.owner" == code.text', "code.text"),
        ("station.owners.exists(o, o == cylinder.owner)", "station.owners cylinder.owner"),
        ('station.owners.all(code, code == "x")', "station.owners"),
        ("code.known // || scale.stable", "code.known"),
        ("1 > param.n ? true : scale.stable", "param.n scale.stable"),
        ("true || size(cylinder.tag_uids) > 0", "cylinder.tag_uids"),
    ],
)
def test_the_variables_that_are_read_are_known_exactly(source: str, reads: str) -> None:
    assert ENVIRONMENT.compile(source).reads == frozenset(reads.split())


@pytest.mark.parametrize(
    ("source", "line", "column", "says"),
    [
        ("cylinder.owned == code.text", 1, 1, "unknown fact 'cylinder.owned'"),
        ("code.known ||\n  cylinder.foo > 1", 2, 3, "unknown fact 'cylinder.foo'"),
        ("cylinder.fills_done > cylinder.owner", 1, 21, "no matching overload"),
        ('clock.today > "2026-07-01"', 1, 13, "no matching overload"),
        ("cylinder.owner == null", 1, 16, "no matching overload"),
        ("cylinder.fills_done", 1, 1, "is INT"),
        ("cylinder.fills_done >", 1, 22, "Syntax error"),
        ("1.5 > 1.0", 1, 1, "uses a fraction"),
        ("double(cylinder.fills_done) > double(2)", 1, 1, "uses a fraction"),
        ("[[1.0]].size() == 1", 1, 1, "uses a fraction"),
        ('{"a": 0.5}.size() == 1', 1, 1, "uses a fraction"),
        ("dyn(cylinder.fills_done) == 1", 1, 1, "mixes types"),
        ('cylinder.owner in [1, "a"]', 1, 1, "mixes types"),
        ("code.known ||\nhas(code.known)", 2, 1, "has()"),
        ("true || " * EXPRESSION_CHARS_MAX + "true", 1, 1, "longer than"),
        ("", 1, 1, "Syntax error"),
    ],
)
def test_what_could_go_wrong_later_fails_when_compiled(
    source: str, line: int, column: int, says: str
) -> None:
    with pytest.raises(ExpressionError, match=says.replace("(", r"\(").replace(")", r"\)")) as got:
        ENVIRONMENT.compile(source)
    fault = got.value.faults[0]
    assert (fault.line, fault.column) == (line, column)


def test_every_mistake_of_an_expression_is_told() -> None:
    with pytest.raises(ExpressionError) as got:
        ENVIRONMENT.compile("cylinder.a == 1 || cylinder.b == 2")
    assert [fault.name for fault in got.value.faults] == ["cylinder.a", "cylinder.b"]


@pytest.mark.parametrize(
    "source",
    [
        "1 / cylinder.fills_done > 0",
        "cylinder.fills_done - 9223372036854775807 - 2 < 0",
        'cylinder.tag_uids[5] == "x"',
        "cylinder.owner.matches(code.text)",
        "cylinder.next_inspection_on > clock.today",
    ],
)
def test_an_error_is_never_taken_for_yes_or_no(source: str) -> None:
    program = ENVIRONMENT.compile(source)
    values = {"cylinder.fills_done": 0, "cylinder.tag_uids": (), "cylinder.owner": "a"}
    bound = ENVIRONMENT.bind({**values, "code.text": "["})
    if "9223372036854775807" in source:
        bound = ENVIRONMENT.bind({"cylinder.fills_done": -1})
    assert isinstance(program.holds(bound), Broken)


def test_a_value_that_slipped_past_its_type_is_broken_not_true() -> None:
    program = ENVIRONMENT.compile("code.known")
    assert isinstance(program.holds(ENVIRONMENT.bind({"code.known": "yes"})), Broken)


def test_a_text_that_the_library_cannot_convert_is_broken() -> None:
    program = ENVIRONMENT.compile('cylinder.owner != "x"')
    assert isinstance(program.holds(ENVIRONMENT.bind({"cylinder.owner": "\ud800"})), Broken)


def test_days_compare_as_days() -> None:
    program = ENVIRONMENT.compile("clock.today > cylinder.scrap_on")
    for today, later in ((date(2026, 7, 1), False), (date(2026, 7, 2), True)):
        bound = ENVIRONMENT.bind({"clock.today": today, "cylinder.scrap_on": date(2026, 7, 1)})
        assert program.holds(bound) is later
