"""The path of a GS1 Digital Link, told from any other address without GS1's dear tables."""

import re
from urllib.parse import urlsplit, urlunsplit

_URL = re.compile(r"https?://", re.IGNORECASE)
_PRIMARY = re.compile(
    r"/(?:01/[0-9]{8,14}|00/[0-9]{18}|8003/0[0-9]{13}[^/?#]*|8004/[^/?#]+|8006/[0-9]{18})(?=[/?#]|$)"
)
"""A path that means to be a Digital Link; one that merely has a /01/ in it is any other address."""


SHORT_NAMES = dict(
    zip(
        [
            "gtin",
            "cpv",
            "lot",
            "ser",
            "sscc",
            "grai",
            "giai",
            "itip",
            "gdti",
            "gcn",
            "gln",
            "glnx",
            "gsrn",
            "gsrnp",
            "srin",
            "cpid",
            "cpsn",
            "gmn",
            "ginc",
            "gsin",
        ],
        [
            "01",
            "22",
            "10",
            "21",
            "00",
            "8003",
            "8004",
            "8006",
            "253",
            "255",
            "414",
            "254",
            "8018",
            "8017",
            "8019",
            "8010",
            "8011",
            "8013",
            "401",
            "402",
        ],
        strict=True,
    )
)
"""Short name -> AI in the path of a Digital Link 1.0 (GS1 Digital Link toolkit; later dropped)."""
_MAYBE = re.compile(rf"/(?:[0-9]{{2,4}}|{'|'.join(SHORT_NAMES)})/[^/]")


def numbered(text: str) -> str | None:
    """The address with its identifiers by number, None when it cannot be a Digital Link.

    Names and values take turns from the first key on.
    """
    if not _URL.match(text):
        return None
    try:
        address = urlsplit(text)
    except ValueError:
        return None
    if not _MAYBE.search(address.path):
        return None
    words = address.path.split("/")
    start = next((at for at, word in enumerate(words) if word in SHORT_NAMES), len(words))
    for at in range(start, len(words), 2):
        words[at] = SHORT_NAMES.get(words[at], words[at])
    return urlunsplit(address._replace(path="/".join(words)))


def means_a_key(link: str) -> bool:
    """Whether the path of a numbered address has the whole form of a key."""
    return _PRIMARY.search(urlsplit(link).path) is not None
