"""Sentences that others say in English, known by that form and said in the operator's language.

The library of the command line has no Chinese, and an error of the store or of a file is worded where it
happens.
One that is not known is shown as it is.
"""

import re
from functools import cache

from gatewayd.texts import TEXTS, Language, text

LIBRARY = "usage.click."
"""How the keys of the library's own sentences begin."""
KNOWN = (
    LIBRARY,
    "usage.name.",
    "verify.problem.",
    "store.error.",
    "archive.error.",
    "config.error.",
)
"""Of those sentences that are known by their English form."""


def translated(said: str, lang: Language) -> str:
    """A sentence of the library, or of a chain, in that language; what is none of them as it is."""
    for pattern, key in _known():
        found = pattern.fullmatch(said)
        if found is not None:
            inner = {name: translated(value, lang) for name, value in found.groupdict().items()}
            return text(key, lang, **inner)
    return said


@cache
def _known() -> tuple[tuple[re.Pattern[str], str], ...]:
    keys = (key for key in TEXTS if key.startswith(KNOWN))
    return tuple((pattern(TEXTS[key].en), key) for key in keys)


def pattern(sentence: str) -> re.Pattern[str]:
    """What fits a sentence with its `{placeholders}` filled."""
    parts = re.split(r"\{(\w+)\}", sentence)
    made = (f"(?P<{part}>.*?)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
    return re.compile("".join(made), re.DOTALL)
