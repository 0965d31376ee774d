"""What an answer means by the words of a mapping: codes, what a yes has, each record. Pure.

In doubt a record is kept: a code in no list, an answer without what a yes has, a page of HTML.
"""

from collections.abc import Sequence
from typing import Any

from gatewayd.mapping.file import AnswerFile, Code
from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Outcome
from gatewayd.upstreams.http_answers import (
    DONE,
    Answer,
    at,
    cut,
    json_of,
    judge,
    refusal,
    settle,
    text_of,
    words_of,
)

REFUSING = range(400, 500)
PASSING = frozenset({401, 403, 404, 407, 408, 425, 429})
"""Not about the record: a key, an address, a limit. They are put right, and the record is kept."""


def judge_said(answer: Answer, batch: Sequence[Record], spec: AnswerFile) -> Outcome:
    """The fate of every record of one request."""
    assert batch
    if spec.has is None and spec.field is None and spec.each is None:
        return judge(answer, batch, trust_status=False, codes=None)
    value = json_of(answer)
    code = _code(value, spec)
    if _among(code, spec.duplicate):
        return settle(batch, answer, taken=True)
    if answer.status not in DONE:
        return _not_done(answer, batch, spec, value)
    if spec.each is not None:
        results = at(value, spec.each.at)
        if isinstance(results, list):
            return _each(results, batch, answer, spec)
        what = f"answered {answer.status} without the list {spec.each.at!r}: {words_of(answer)}"
        return Outcome(kept=what, wait_s=answer.retry_after_s)
    if _among(code, spec.accepted) or (spec.has is not None and at(value, spec.has)):
        return Outcome(frozenset(record.sequence for record in batch))
    if _among(code, spec.rejected):
        return settle(batch, answer, taken=False, why=_why(value, code, spec))
    if code is not None:
        unknown = "" if _among(code, spec.retry) else ", which the mapping does not know"
        return Outcome(kept=_why(value, code, spec) + unknown, wait_s=answer.retry_after_s)
    what = f"answered {answer.status} without {spec.field or spec.has!r}: {words_of(answer)}"
    return Outcome(kept=what, wait_s=answer.retry_after_s)


def _not_done(answer: Answer, batch: Sequence[Record], spec: AnswerFile, value: Any) -> Outcome:
    """A status that is no yes: a code may still say that the record itself is refused."""
    code = _code(value, spec)
    about_record = answer.status in REFUSING and answer.status not in PASSING
    if about_record and _among(code, spec.rejected):
        return settle(batch, answer, taken=False, why=_why(value, code, spec))
    if code is not None:
        why = f"{refusal(answer)} ({_why(value, code, spec)})"
        return Outcome(kept=why, wait_s=answer.retry_after_s)
    return judge(answer, batch, trust_status=False, codes=None)


def _each(
    results: Sequence[Any], batch: Sequence[Record], answer: Answer, spec: AnswerFile
) -> Outcome:
    """The fate of each record; one that is not named, or twice with two codes, is kept."""
    accepted: set[int] = set()
    rejected: dict[int, str] = {}
    kept = ""
    for index, record in enumerate(batch):
        said = _said_of(record, index, results, batch, spec)
        codes = {_code(each, spec) for each in said}
        code = codes.pop() if len(codes) == 1 else None
        if _among(code, (*spec.accepted, *spec.duplicate)):
            accepted.add(record.sequence)
        elif _among(code, spec.rejected):
            rejected[record.sequence] = _why(said[0], code, spec)
        else:
            why = _why(said[0], code, spec) if code is not None else "no one code for it"
            kept = kept or f"answered {answer.status}, record {record.id}: {why}"
    return Outcome(frozenset(accepted), rejected, kept, answer.retry_after_s if kept else 0.0)


def _said_of(
    record: Record, index: int, results: Sequence[Any], batch: Sequence[Record], spec: AnswerFile
) -> list[Any]:
    assert spec.each is not None
    if spec.each.id is None:
        # By position only when nothing is missing: a shorter list names nobody.
        return [results[index]] if len(results) == len(batch) else []
    return [each for each in results if at(each, spec.each.id) == record.id]


def _code(value: Any, spec: AnswerFile) -> str | None:
    said = at(value, spec.field) if spec.field is not None else None
    return None if said is None else text_of(said)


def _among(code: str | None, codes: Sequence[Code]) -> bool:
    return code is not None and code in {str(each) for each in codes}


def _why(value: Any, code: str | None, spec: AnswerFile) -> str:
    """The platform's code, what it means, and its own words."""
    meaning = spec.words.get(code or "", "")
    said = at(value, spec.reason) if spec.reason else None
    parts = [f"{spec.field} {cut(code or '')}", meaning, cut(text_of(said)) if said else ""]
    return ": ".join(part for part in parts if part)
