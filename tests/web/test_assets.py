"""The files of the page: no HTML from text, nothing from elsewhere, every word in the catalogue."""

import re

import pytest

from gatewayd.texts import TEXTS
from gatewayd.texts_web import PAGE
from gatewayd.web.assets_read import assets
from gatewayd.web.looks import SHOWN_TEXTS

FILES = {path: asset.body.decode() for path, asset in assets().items()}
SCRIPTS = {path: text for path, text in FILES.items() if path.endswith(".js")}
BANNED = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function")
GROUPS = {"rig", "device", "record", "page.clock", "page.upstream", "page.severity"}
MADE = re.compile(
    r"^page\.(check|role|upstream|clock|severity)\.|^page\.(yes|no|lock|unlock|hold|release)$"
)


@pytest.mark.parametrize("path", sorted(FILES))
def test_a_file_takes_nothing_from_elsewhere_and_makes_no_html_of_text(path: str) -> None:
    text = FILES[path]
    for banned in BANNED:
        assert banned not in text, banned
    elsewhere = [url for url in re.findall(r"https?://[^\"' )]+", text) if "w3.org" not in url]
    assert elsewhere == []
    assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=\"", text)


def test_every_word_of_the_scripts_is_in_the_catalogue_and_sent_to_the_page() -> None:
    said = {
        key
        for text in SCRIPTS.values()
        for key in re.findall(r"\"((?:page|label|web|verdict)\.[a-z_.]+)\"", text)
    }
    assert said
    known = {key for key in TEXTS if key.startswith(SHOWN_TEXTS)}
    assert said - known - GROUPS == set()


def test_every_word_of_the_page_is_used() -> None:
    whole = "".join(SCRIPTS.values())
    unused = [key for key in PAGE if f'"{key}"' not in whole and not MADE.match(key)]
    assert unused == []


def test_the_page_is_served_whole() -> None:
    index = FILES["/"]
    for path in re.findall(r"(?:href|src)=\"(/[^\"]+)\"", index):
        assert path in FILES
    for text in SCRIPTS.values():
        for name in re.findall(r"from \"\./([a-z.]+)\"", text):
            assert f"/{name}" in FILES
