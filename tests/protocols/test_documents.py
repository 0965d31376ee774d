"""Strict YAML: every value knows its place, every mistake is a problem, nothing crashes."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from drivers.contract import Strict
from protocols.documents import (
    DEPTH_MAX,
    DIGITS_MAX,
    DOCUMENT_BYTES_MAX,
    Document,
    DocumentError,
    Mark,
    Problem,
    Tagged,
    parse,
    parse_leniently,
    replace_tagged,
    validate,
)


class Inner(Strict):
    mass_g: int = Field(ge=1)


class Outer(Strict):
    name: str
    inner: Inner
    many: tuple[Inner, ...] = ()


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        parse(text, "f")
    return [str(problem) for problem in caught.value.problems]


def test_every_value_knows_its_line_and_column() -> None:
    document = parse("a:\n  b: [1, {c: x}]\n", "f")
    assert document.value == {"a": {"b": [1, {"c": "x"}]}}
    assert document.mark(("a", "b")) == Mark("f", 2, 3)
    assert document.mark(("a", "b", 1, "c")) == Mark("f", 2, 11)
    assert document.mark(("a", "b", 1, "missing")) == document.mark(("a", "b", 1))


def test_a_duplicate_key_names_both_places_and_hides_nothing_else() -> None:
    document, found = parse_leniently("a: 1\nb: 2\na: 3\n", "f")
    assert document is not None
    assert document.value == {"a": 1, "b": 2}
    assert found == (
        Problem(Mark("f", 3, 1), "duplicate key 'a'", "first at line 1", "remove one of the two"),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1", "f:1:6: not YAML: expected ',' or ']', but got '<stream end>'"),
        ("? [a]\n: b", "f:1:3: a key must be text"),
        ("a: !python/object x", "f:1:4: unknown tag !python/object; allowed tags: none"),
        ("--- a\n--- b", "f:2:1: not YAML: but found another document"),
        ('a: "\\ud800"', "f:1:4: half a character (a surrogate escape)"),
        ("[" * 5_000, f"f:0:0: more than {DEPTH_MAX} levels"),
        ("a: *nowhere", "f:1:4: not YAML: found undefined alias 'nowhere'"),
    ],
)
def test_a_bad_text_is_one_problem_with_its_place(text: str, problem: str) -> None:
    assert problems(text) == [problem]


def test_the_size_limit_is_exact() -> None:
    fits = "a: " + "x" * (DOCUMENT_BYTES_MAX - 3)
    assert parse(fits, "f").value["a"].startswith("x")
    assert problems(fits + "x") == [f"f:0:0: larger than {DOCUMENT_BYTES_MAX} bytes"]


def test_the_depth_limit_is_exact() -> None:
    parse("[" * DEPTH_MAX + "1" + "]" * DEPTH_MAX, "f")
    (problem,) = problems("[" * (DEPTH_MAX + 1) + "1" + "]" * (DEPTH_MAX + 1))
    assert f"{DEPTH_MAX} levels" in problem


def test_aliases_cannot_grow_a_small_text_without_bound() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    (problem,) = problems("\n".join(lines))
    assert "more than" in problem


def test_an_anchor_may_be_used_again_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse("- &a x\n- &a y\n- *a", "f").value == ["x", "y", "y"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("true", True),
        ("012", 12),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2024-01-31", "2024-01-31"),
        ("1.5", 1.5),
        ("~", None),
        ("9" * DIGITS_MAX, int("9" * DIGITS_MAX)),
        ("9" * (DIGITS_MAX + 1), "9" * (DIGITS_MAX + 1)),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says_and_never_more(text: str, value: object) -> None:
    parsed = parse(f"a: {text}", "f").value["a"]
    assert parsed == value
    assert type(parsed) is type(value)


def test_a_model_reports_every_mistake_with_hints() -> None:
    document = parse("name: 7\ninner: {mass: 1, mass_g: 0}\nmany: [{mass_g: x}]\n", "f")
    with pytest.raises(DocumentError) as caught:
        validate(document, Outer)
    assert str(caught.value).splitlines() == [
        "f:1:1: name: Input should be a valid string; got 7",
        "f:2:9: unknown key 'mass'; known keys: mass_g; did you mean 'mass_g'?",
        "f:2:18: inner.mass_g: Input should be greater than or equal to 1; got 0",
        "f:3:9: many.0.mass_g: Input should be a valid integer; got 'x'",
    ]


def test_a_missing_key_is_told_where_it_belongs() -> None:
    with pytest.raises(DocumentError) as caught:
        validate(parse("name: x\ninner: {}\n", "f"), Outer)
    assert str(caught.value) == "f:2:1: inner: key 'mass_g' is missing"


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(DocumentError) as caught:
        validate(parse("name: x\ninner: {mass_g: " + "9" * 5_000 + "}", "f"), Outer)
    assert len(str(caught.value)) < 300


def test_tagged_values_are_replaced_and_failures_collected() -> None:
    tags = frozenset({"!secret"})
    document = parse("a: !secret good\nb: [!secret bad, !secret worse]\n", "f", tags=tags)

    def resolve(tagged: Tagged, mark: Mark) -> str:
        if tagged.text != "good":
            raise DocumentError([Problem(mark, tagged.text)])
        return "value"

    with pytest.raises(DocumentError) as caught:
        replace_tagged(document, resolve)
    assert [p.what for p in caught.value.problems] == ["bad", "worse"]
    only_good = Document("f", {"a": document.value["a"]}, document.marks)
    assert replace_tagged(only_good, resolve).value == {"a": "value"}


TOKENS = [
    *("a", "b", ": ", "\n", "\n  ", "- ", "? ", "&x ", "*x", "!t ", "|\n", "<<", "1e9"),
    *("---\n", "...\n", "%TAG", "[", "]", "{", "}", ", ", "'", '"', "#", "\t", "\x00", "\ufeff"),
]
YAMLISH = st.lists(st.sampled_from(TOKENS), max_size=40).map("".join)


@given(YAMLISH | st.text(max_size=60))
def test_no_text_whatsoever_crashes_the_parser(text: str) -> None:
    document, found = parse_leniently(text, "f")
    assert document is not None or found
    for problem in found:
        assert str(problem).encode()
        assert "\n" not in str(problem)
