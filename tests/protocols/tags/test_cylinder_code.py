"""Cylinder codes: published examples, the noise a scanner adds, and what must never happen."""

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.tags.cylinder_code import (
    CODE_CHARS_MAX,
    PROVINCES,
    SCAN_CHARS_MAX,
    CodeError,
    candidates,
    fields,
    parse,
    parse_known,
)

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "golden" / "tags_and_codes.json").read_text(encoding="utf-8")
)
PUBLISHED = [
    (v["input"], {k: e for k, e in v["expect"].items() if not k.startswith("seed_")})
    for v in GOLDEN["cylinder"]
    if v["kind"] in {"cylinder_barcode", "cylinder_qr"}
]
"""The seed's labels of medium and range stand in its table, not in the code: nothing decodes them."""

CODE = "0110100001"
ID = "1100000110100001"
URL = f"http://teshe.org.cn/Q?id={ID}"
BEIJING = "110000"
JINAN = "370100"


@pytest.mark.parametrize(("text", "expected"), PUBLISHED)
def test_published_examples_parse_as_published(text: str, expected: dict[str, Any]) -> None:
    try:
        found = fields(parse_known(text))
    except CodeError as exc:
        found = {"error": exc.reason, "got_digits": exc.got_digits}
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    "text",
    [
        URL,
        f"  {URL}\t",
        f"{URL}\r\n",
        f"\ufeff{URL}\u3000",
        URL.upper(),
        URL.replace("id=", "ID="),
        URL.replace("id=", "Id="),
        URL.replace("/Q?", "/q?"),
        URL.replace("/Q?", "/Q/?"),
        URL.replace("http:", "https:"),
        URL.replace("http://", "HTTPS://WWW."),
        URL.replace("http://", "www."),
        URL.removeprefix("http://"),
        URL.replace("teshe.org.cn", "Teshe.Org.CN"),
        URL.replace("teshe.org.cn", "teshe.org.cn:80"),
        f"{URL}；",
        f"{URL};",
        f"{URL}。",
        f"{URL}，\n",
        f"{URL}&from=label&v=2",
        URL.replace("?id", "?v=2&id"),
        URL.replace("?id", "?pid=999&id"),
        f"{URL}#top",
        f"{URL}&ID={ID}",
        URL.replace(CODE, f" {CODE}"),
        URL.replace(CODE, f"\r\n{CODE}"),
        URL.replace(CODE, f"%20{CODE}"),
        "http://teshe.org.cn/Q？id＝1100000110100001",
        "http：／／teshe．org．cn／Q？id＝１１００００　０１１０１００００１；",
        "ｈｔｔｐ://ｔｅｓｈｅ.org.cn/Ｑ?ＩＤ=1100000110100001",
        "\u200bhttp://teshe.org.cn/Q?id=110000\u200b0110100001",
    ],
)
def test_noise_around_a_qr_never_changes_its_id(text: str) -> None:
    found = parse(text)
    assert (found.kind, found.id16, found.region6, found.code10) == ("qr", ID, BEIJING, CODE)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (CODE, "code10"),
        (f" {CODE}\r", "code10"),
        ("01101 00001", "code10"),
        ("０１１０１００００１", "code10"),
        (f"{CODE}；", "code10"),
        (ID, "code16"),
        (f"110000 {CODE}", "code16"),
        ("１１００００　０１１０１００００１；\r\n", "code16"),
    ],
)
def test_bare_digits_are_a_code_whatever_stands_around_them(text: str, kind: str) -> None:
    found = parse(text)
    assert (found.kind, found.code10) == (kind, CODE)
    assert found.id16 == (ID if kind == "code16" else None)


@given(
    digits=st.text(string.digits, min_size=14, max_size=14),
    province=st.sampled_from(sorted(PROVINCES)),
    noise=st.lists(st.tuples(st.integers(0, 60), st.sampled_from(" \t\r\n\u3000\u00a0\ufeff"))),
    full_width=st.booleans(),
    tail=st.sampled_from(["", ";", "；", "。", "&x=1", "#f", "；\r\n"]),
)
def test_no_mixture_of_noise_changes_the_id(
    *, digits: str, province: int, noise: list[tuple[int, str]], full_width: bool, tail: str
) -> None:
    expected = f"{province}{digits}"
    text = f"http://teshe.org.cn/Q?id={expected}{tail}"
    if full_width:
        text = text.translate({i: i + 0xFEE0 for i in range(0x21, 0x7F)})
    for place, blank in noise:
        text = text[:place] + blank + text[place:]
    assert parse(text).id16 == expected


@pytest.mark.parametrize(
    ("text", "reason", "got"),
    [
        (URL[:-1], "bad_length", 15),
        (f"{URL}0", "bad_length", 17),
        (f"http://teshe.org.cn/Q?id={CODE}", "bad_length", 10),
        ("http://teshe.org.cn/Q?id=", "bad_digits", None),
        ("http://teshe.org.cn/Q?id=11000001101O0001", "bad_digits", None),
        ("http://teshe.org.cn/Q?id=①1000001101000010", "bad_digits", None),
        ("http://teshe.org.cn/Q?id=9900000110100001", "bad_region", None),
        ("http://teshe.org.cn/Q?id=0000000110100001", "bad_region", None),
        ("http://teshe.org.cn/Q", "no_id", None),
        ("http://teshe.org.cn/Q?pid=1100000110100001", "no_id", None),
        ("http://teshe.org.cn/", "no_id", None),
        ("teshe.org.cn", "no_id", None),
        (f"{URL}&id=1100000110100002", "two_ids", None),
        ("", "empty", None),
        (" \r\n", "empty", None),
        ("AB\x00CD", "control_character", None),
        ("AB\x1bCD", "control_character", None),
        (f"{CODE}\r\n0110100002", "control_character", None),
        ("A" * (CODE_CHARS_MAX + 1), "too_long", None),
        ("http://example.org/" + "a" * CODE_CHARS_MAX, "too_long", None),
        (URL + "&x=" + "1" * SCAN_CHARS_MAX, "too_long", None),
    ],
)
def test_a_damaged_code_is_refused_with_its_reason(text: str, reason: str, got: int | None) -> None:
    with pytest.raises(CodeError) as refused:
        parse(text)
    assert (refused.value.reason, refused.value.got_digits) == (reason, got)
    with pytest.raises(CodeError):
        parse_known(text)


@pytest.mark.parametrize(
    ("text", "kind", "reason", "got"),
    [
        ("http://example.org/Q?id=1100000110100001", "url", "foreign_url", None),
        ("http://teshe.org.cn.example.org/Q?id=1100000110100001", "url", "foreign_url", None),
        ("http://teshe.org.cn@example.org/Q?id=1100000110100001", "url", "foreign_url", None),
        ("http://example.org/?u=teshe.org.cn/Q?id=1100000110100001", "url", "foreign_url", None),
        ("www.qpsafe.cn", "url", "foreign_url", None),
        ("weixin://dl/business", "url", "foreign_url", None),
        ("110000011010000", "text", "bad_length", 15),
        ("11000001101000012", "text", "bad_length", 17),
        ("1", "text", "bad_length", 1),
        ("9900000110100001", "text", "bad_region", None),
        ("A-7421 ü 气瓶", "text", "not_a_cylinder_code", None),
        ("A" * CODE_CHARS_MAX, "text", "not_a_cylinder_code", None),
        ("[a,b,c]", "text", "not_a_cylinder_code", None),
        ("[QP,1,AG,3,2015年13月,2045年09月]", "text", "not_a_cylinder_code", None),
    ],
)
def test_an_unknown_form_is_looked_up_as_it_is_but_is_no_label(
    text: str, kind: str, reason: str, got: int | None
) -> None:
    found = parse(text)
    assert (found.kind, found.text, found.code10, found.id16) == (kind, text, None, None)
    assert candidates(found, BEIJING) == (text,)
    with pytest.raises(CodeError) as refused:
        parse_known(text)
    assert (refused.value.reason, refused.value.got_digits) == (reason, got)


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        (CODE, BEIJING, (CODE, ID)),
        (CODE, JINAN, (CODE, f"{JINAN}{CODE}")),
        ("01101 00001", BEIJING, ("01101 00001", CODE, ID)),
        (ID, BEIJING, (ID, CODE)),
        (ID, JINAN, (ID,)),
        (URL, BEIJING, (URL, ID, CODE)),
        (URL, JINAN, (URL, ID)),
        (f"{URL}\r\n", JINAN, (URL, ID)),
        (f"{URL}&x={'1' * CODE_CHARS_MAX}", JINAN, (ID,)),
    ],
)
def test_ten_digits_of_another_region_are_another_cylinder(
    text: str, region: str, expected: tuple[str, ...]
) -> None:
    assert candidates(parse(text), region) == expected


QPSAFE = "[QP02001,132020000001,AG,323232,2015年09月,2045年09月]"


def test_a_jiangsu_label_is_read_between_its_last_brackets() -> None:
    found = parse(f"x[]{QPSAFE}气瓶安全云www.qpsafe.cn\r\n")
    assert found.kind == "qpsafe"
    assert found.label is not None
    assert (found.label.cylinder_no, found.label.made, found.label.scrap) == (
        "323232",
        "2015-09",
        "2045-09",
    )
    assert QPSAFE in candidates(found, BEIJING)


def test_a_jiangsu_label_in_full_width_is_the_same_cylinder() -> None:
    plain = QPSAFE.translate({ord(","): "，", ord("["): "［", ord("]"): "］"})
    assert parse(plain).label == parse(QPSAFE).label
    assert QPSAFE in candidates(parse(plain), BEIJING)


@given(st.text(max_size=100) | st.text("0123456789 ［］[],;?=&%/:.Qid\r\n\x00", max_size=100))
def test_any_text_is_a_code_or_is_refused_by_name(text: str) -> None:
    for ask in (parse, parse_known):
        try:
            found = ask(text)
        except CodeError:
            continue
        assert all(0 < len(c) <= CODE_CHARS_MAX for c in candidates(found, BEIJING))
        assert not set("\r\n\t\x00") & set(found.text)


@given(st.text(max_size=40), st.text(max_size=40))
def test_an_id_only_ever_comes_from_its_own_sixteen_digits(before: str, after: str) -> None:
    try:
        found = parse(f"{before}{URL}{after}")
    except CodeError:
        return
    assert found.id16 in {ID, None}
