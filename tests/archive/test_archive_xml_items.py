"""The usual form of a sheet is read by a pattern; whatever it is, the parser would say the same."""

import io
from collections.abc import Iterable
from typing import Any
from xml.parsers import expat

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl.reader.strings import read_string_table

from gatewayd.archive import texts_xml
from gatewayd.archive.sheet_xml import SheetXml

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PARSER_ONLY = "<!-- -->"
"""Right behind the parent's first tag it leaves everything to the parser."""


class Dripping(io.BytesIO):
    """A part that arrives in pieces: the head at once, then so many bytes at a time."""

    def __init__(self, head: str, body: str, drops: Iterable[int]) -> None:
        self._sizes = [len(head.encode()), *drops]
        super().__init__(f"{head}{body}".encode())

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._sizes.pop(0) if self._sizes else size)


def rows(body: str, *, extra: str = "", drops: Iterable[int] = ()) -> Any:
    """The rows, or that it is damaged; the error itself may be told at another place."""
    head = f'<worksheet xmlns="{MAIN}"><sheetData>{extra}<row r="1"/>'
    source = Dripping(head, f"{body}</sheetData></worksheet>", drops)
    try:
        return list(SheetXml(source).rows())
    except (expat.ExpatError, ValueError):
        return "damaged"


CELLS = (
    '<c r="A{n}" t="inlineStr"><is><t>3701{n}</t></is></c><c r="B{n}" s="1"><v>12</v></c>',
    '<c r="A{n}" s="3" t="s"><v>7</v></c><c r="C{n}"/>',
    '<c r="A{n}" t="s" s="3"><v>7</v></c><c r="AA{n}" s="2"></c>',
    '<c r="A{n}" t="inlineStr"><is><t xml:space="preserve"> a </t></is></c>\n ',
    '<c r="A{n}" t="inlineStr"><v>1</v></c><c r="B{n}"><is><t>no</t></is></c>',
    '<c r="A{n}" t="str"><f>1+1</f><v>2</v></c>',
    '<c r="A{n}" t="s"><v>a&amp;b</v></c>',
    '<c r="A{n}"><v>1</v><!-- </row><row r="9"> --></c>',
    '<c r="A{n}"><v><![CDATA[<row>]]></v></c>',
    '<c r="A{n}" s="1" t="n" s="2"><v>1</v></c>',
    '<c r="B{n}"/><c r="A{n}"/>',
    "<c><v>5</v></c><c t='b'><v>1</v></c>",
    '<c r="A{n}" t="str"><v>济南\x7f\U0001f600</v></c>',
    '<c r="A{n}" t="str"><v>\x02</v></c>',
    '<c r="A{n}" t="str"><v>a>b\r\nc</v></c>',
    '<c r="a{n}"/>',
    '<c r="XFE{n}"/>',
    "",
)
ROWS = (
    '<row r="{n}" spans="1:25" x14ac:dyDescent="0.25">{c}</row>',
    '<row r="{n}">{c}</row>\n',
    "<row>{c}</row>",
    '<row r="{n}" />',
    '<row r="{n}" ht="1" ht="2">{c}</row>',
    '<row ht=">" r="{n}">{c}</row>',
    '<row r="{n}"/><!-- <row r="7">{c}</row> -->',
    '<row ht=">"/><!-- <row r="7">{c}</row>--><row r="{n}">{c}</row>',
    '<row r="{n}">{c}<row>{c}</row></row>',
    "<?x </row>?><row>{c}</row>",
    '<rowX r="{n}">{c}</rowX>',
    '<row r="{n}">{c}</row >',
    '<row r="{n}">{c}',
    '<row r="2">{c}</row>',
)


@st.composite
def sheets(draw: st.DrawFn) -> str:
    """Rows as programs write them, odd ones between, and now and then a character too few or many."""
    body = ""
    for number in range(2, 2 + draw(st.integers(1, 5))):
        shape = draw(st.sampled_from(ROWS[:2] * 4 + ROWS))
        cells = draw(st.sampled_from(CELLS[:2] * 3 + CELLS)).replace("{n}", str(number))
        body += shape.replace("{n}", str(number)).replace("{c}", cells)
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(body)))
        cut = draw(st.integers(0, 3))
        body = (
            body[:at]
            + draw(st.sampled_from(["", "<", ">", '"', "&", "/", "</row>"]))
            + body[at + cut :]
        )
    return body


@given(body=sheets(), drops=st.lists(st.integers(1, 90), max_size=12))
@example(body='<row ht=">"/><!-- </row><row r="3"/> --><row r="4"/>', drops=[9, 9, 9])
@settings(max_examples=400, deadline=None)
def test_any_sheet_says_what_the_parser_alone_says(body: str, drops: list[int]) -> None:
    assert rows(body, drops=drops) == rows(body, extra=PARSER_ONLY)


def test_every_cut_of_a_sheet_between_two_reads_changes_nothing() -> None:
    cells = [each.replace("{n}", "2") for each in CELLS[:9]]
    body = "".join(f"<row>{each}</row>" for each in cells).replace('<!-- </row><row r="9"> -->', "")
    whole = rows(body)
    assert len(whole) == 1 + len(cells)
    for cut in range(1, len(body.encode())):
        assert rows(body, drops=[cut]) == whole


@pytest.mark.parametrize(
    "head",
    [
        '<?xml version="1.0" encoding="ISO-8859-1"?>',
        '<!DOCTYPE worksheet [<!ATTLIST c t CDATA "str">]>',
        '<?xml version="1.0"?><!-- <sheetData> -->',
    ],
)
def test_a_sheet_that_begins_otherwise_is_the_parsers(head: str) -> None:
    """In the second one every cell is a text, although no cell says so."""
    body = '<sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData>'
    xml = f'{head}<worksheet xmlns="{MAIN}">{body}</worksheet>'
    kind = "str" if "ATTLIST" in head else "n"
    assert list(SheetXml(io.BytesIO(xml.encode())).rows()) == [(1, [[0, kind, 0, "1"]])]


TEXTS = (
    "<si><t>{t}</t></si>",
    '<si><t xml:space="preserve"> {t} </t></si>',
    '<si><t>{t}</t><phoneticPr fontId="1" type="noConversion"/></si>',
    "<si><r><rPr><b/></rPr><t>{t}</t></r><r><t>b</t></r><rPh sb='0' eb='1'><t>no</t></rPh></si>\n",
    "<si><t>_x005F_{t}</t></si>",
    "<si><t>a&lt;{t}&#20013;</t></si>",
    "<si/>",
    "<si><t/></si>",
    "<si><t><![CDATA[{t}]]></t></si>",
)


@given(
    st.lists(
        st.tuples(st.sampled_from(TEXTS), st.sampled_from(["", "x", "济南", "0012"])), max_size=8
    ),
    st.lists(st.integers(1, 60), max_size=8),
)
@settings(max_examples=150, deadline=None)
def test_the_texts_are_those_that_the_library_reads(
    given_: list[tuple[str, str]], drops: list[int]
) -> None:
    head = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n<sst xmlns="{MAIN}"><si/>'
    body = "".join(shape.replace("{t}", text) for shape, text in given_) + "</sst>"
    expected = read_string_table(io.BytesIO(f"{head}{body}".encode()))
    assert texts_xml.read(Dripping(head, body, drops)) == expected


def test_texts_that_are_damaged_or_declare_entities_are_refused() -> None:
    for text in (
        f'<sst xmlns="{MAIN}"><si><t>a</t></si>',
        f'<!DOCTYPE sst [<!ENTITY a "b">]><sst xmlns="{MAIN}"><si><t>&a;</t></si></sst>',
        f'<sst xmlns="{MAIN}"><si><t>a\x01</t></si></sst>',
    ):
        with pytest.raises((expat.ExpatError, ValueError)):
            texts_xml.read(io.BytesIO(text.encode()))
