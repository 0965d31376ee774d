"""GS1's table of application identifiers and the grammar of Digital Links, as biip knows them.

The only file that imports biip. It costs 15 MB and 75 ms, so `gs1.py` imports this file with the
first code that says it is GS1: a station whose labels are numbers never pays for it.
"""

from dataclasses import dataclass
from functools import lru_cache

from biip import ParseError
from biip.gs1_application_identifiers import GS1ApplicationIdentifier
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString


@dataclass(frozen=True, slots=True)
class Identifier:
    """One application identifier: its form as text and as a pattern, and what it means."""

    ai: str
    form: str
    pattern: str
    separator_required: bool
    description: str


@lru_cache(maxsize=1024)
def identifier(front: str) -> Identifier | None:
    """The identifier that these characters begin with, None when there is none."""
    try:
        found = GS1ApplicationIdentifier.extract(front)
    except ParseError:
        return None
    return Identifier(
        found.ai, found.format, found.pattern, found.separator_required, found.description
    )


def element(segment: str) -> tuple[str, str] | None:
    """The identifier and value at the front of a segment, None when the form is broken."""
    try:
        found = GS1ElementString.extract(segment)
    except ParseError:
        return None
    return found.ai.ai, found.value


def link(text: str) -> list[tuple[str, str]] | None:
    """The identifiers and values of a Digital Link, None when it is none.

    Raises ValueError when the text is not even an address.
    """
    try:
        found = GS1DigitalLinkURI.parse(text)
    except ParseError:
        return None
    return [(each.ai.ai, each.value) for each in found.element_strings]
