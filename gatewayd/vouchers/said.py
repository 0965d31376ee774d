"""What a platform's answer to the question means: yes, no, or nothing that is either. Pure.

Only the codes that the mapping calls valid are a yes; in every doubt it is none.
"""

from typing import Any

from gatewayd.mapping.file import VoucherFile
from gatewayd.rigs.vouched import Answer as Word
from gatewayd.upstreams.http_answers import (
    DONE,
    Answer,
    at,
    cut,
    json_of,
    refusal,
    text_of,
    words_of,
)

TEXT_CHARS_MAX = 128
"""A longer voucher number is none."""


def said(answer: Answer, spec: VoucherFile) -> Word:
    """The platform's word; what no code is in, is the same as no answer."""
    value = json_of(answer)
    code = _text(at(value, spec.field))
    if code is None:
        what = refusal(answer) if answer.status not in DONE else _no_code(answer, spec)
        return Word(valid=False, reason=what, offline=True)
    codes = (spec.findings[code],) if code in spec.findings else ()
    why = _why(value, code, spec)
    if answer.status not in DONE:
        return Word(valid=False, reason=f"{refusal(answer)} ({why})", code=code, codes=codes)
    objection = _objection(value, code, spec)
    return Word(
        valid=not objection,
        reason=f"{why}: {objection}" if objection and code in _texts(spec.valid) else why,
        code=code,
        number=_at(value, spec.number),
        station=_at(value, spec.station),
        codes=codes,
    )


def _no_code(answer: Answer, spec: VoucherFile) -> str:
    return f"answered {answer.status} without {spec.field!r}: {words_of(answer)}"


def _objection(value: Any, code: str, spec: VoucherFile) -> str:
    """Why this is no yes; empty when it is one."""
    if code not in _texts(spec.valid):
        return "not a yes"
    for path, wanted in spec.also.items():
        if _text(at(value, path)) not in _texts(wanted):
            return f"{path} is {cut(text_of(at(value, path)))}"
    if spec.number is not None and _at(value, spec.number) is None:
        return f"no voucher number in {spec.number}"
    return ""


def _why(value: Any, code: str, spec: VoucherFile) -> str:
    words = at(value, spec.reason) if spec.reason else None
    parts = (f"{spec.field} {cut(code)}", spec.words.get(code, ""), cut(text_of(words or "")))
    return ": ".join(part for part in parts if part)


def _at(value: Any, path: str | None) -> str | None:
    found = None if path is None else _text(at(value, path))
    return found if found and len(found) <= TEXT_CHARS_MAX and found.isprintable() else None


def _text(value: Any) -> str | None:
    """A plain value as text; null, lists and objects are none."""
    if value is None or isinstance(value, dict | list | float):
        return None
    return text_of(value)


def _texts(values: tuple[Any, ...]) -> frozenset[str]:
    return frozenset(text_of(value) for value in values)
