"""What an HTTP answer means for the records of the request. Pure; nothing here waits.

A status code alone can settle one record; a batch it settles only when it is 2xx. What stays in
doubt is kept, and the pump then offers the records one at a time.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Outcome
from gatewayd.upstreams.http_settings import CodeSettings

ANSWER_BYTES_MAX = 1 << 20
"""A longer answer is not read on: nobody needs it to say what became of a hundred records."""
WORDS_MAX = 200
"""Characters of a platform's own words in a reason."""

DUPLICATE = 409
FOR_EVER = frozenset({400, 413, 422})
"""The record itself is what the platform cannot take, and it never changes."""
REDIRECTS = range(300, 400)
DONE = range(200, 300)

TAKEN = frozenset({"accepted", "duplicate"})
NEVER = "rejected"
LATER = "retry"
_FINE_CODES = frozenset({"0", "00", "200", "201", "202", "ok", "success", "true"})
_FINE_STATES = frozenset({"ok", "success", "succeeded", "accepted", "duplicate", "created"})
_REASON_KEYS = ("reason", "message", "msg", "error", "detail", "title", "errors")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a platform, as much of it as was read. `readable`: whole and not compressed."""

    status: int
    body: bytes
    readable: bool = True
    retry_after_s: float = 0.0
    location: str = ""


def judge(
    answer: Answer, batch: Sequence[Record], *, trust_status: bool, codes: CodeSettings | None
) -> Outcome:
    """The fate of every record of one request."""
    assert batch
    if answer.status in DONE and trust_status:
        return all_accepted(batch)
    if answer.status not in DONE and answer.status not in FOR_EVER | {DUPLICATE}:
        return Outcome(kept=refusal(answer), wait_s=answer.retry_after_s)
    value = None if trust_status else json_of(answer)
    results = _results(value, batch)
    if results is not None:
        return _each(results, batch, answer)
    if answer.status == DUPLICATE:
        return settle(batch, answer, taken=True)
    if answer.status in FOR_EVER:
        return settle(batch, answer, taken=False)
    if codes is not None:
        return _by_code(value, codes, batch, answer)
    doubt = doubt_of(answer, value)
    return Outcome(kept=doubt, wait_s=answer.retry_after_s) if doubt else all_accepted(batch)


# The whole request


def all_accepted(batch: Sequence[Record]) -> Outcome:
    """Every record of the request was taken."""
    return Outcome(frozenset(record.sequence for record in batch))


def settle(batch: Sequence[Record], answer: Answer, *, taken: bool, why: str = "") -> Outcome:
    """One record is settled; which of several was meant, nobody knows: they go one at a time."""
    why = why or refusal(answer)
    if len(batch) > 1:
        return Outcome(kept=f"{why} (a batch; each record will be sent alone)")
    return all_accepted(batch) if taken else Outcome(rejected={batch[0].sequence: why})


def _by_code(value: Any, codes: CodeSettings, batch: Sequence[Record], answer: Answer) -> Outcome:
    said = at(value, codes.field)
    if said is None:
        what = f"answered {answer.status} without {codes.field!r}: {words_of(answer)}"
        return Outcome(kept=what, wait_s=answer.retry_after_s)
    code = text_of(said)
    if code in {str(each) for each in codes.accepted}:
        return all_accepted(batch)
    words = at(value, codes.reason) if codes.reason else None
    why = f"{codes.field} {cut(code)}" + (f": {cut(text_of(words))}" if words else "")
    if code in {str(each) for each in codes.rejected}:
        return settle(batch, answer, taken=False, why=why)
    return Outcome(kept=why, wait_s=answer.retry_after_s)


def doubt_of(answer: Answer, value: Any) -> str:
    """Why a 2xx answer is no yes; empty when it is one."""
    if answer.readable and not answer.body.strip():
        return ""
    if not isinstance(value, dict):
        return f"answered {answer.status} with {words_of(answer)}, expected JSON or nothing"
    if _error_in(value):
        return f"answered {answer.status} with an error inside: {words_of(answer)}"
    return ""


def _error_in(value: Mapping[str, Any]) -> bool:
    """Whether an object says no, in one of the ways that platforms have of saying it beside a 200."""
    if value.get("error") or value.get("errors"):
        return True
    if any(key in value and not value[key] for key in ("success", "ok")):
        return True
    said = (value.get("status"), value.get("code"))
    fine = _FINE_CODES | _FINE_STATES
    return any(each is not None and text_of(each).lower() not in fine for each in said)


# Each record


def _results(value: Any, batch: Sequence[Record]) -> list[Any] | None:
    """What an answer says of single records: `results`, or, to one record, the answer itself."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("results"), list):
        return list(value["results"])
    state = value.get("status")
    if len(batch) == 1 and isinstance(state, str) and state in TAKEN | {NEVER, LATER}:
        return [{**value, "id": batch[0].id}]
    return None


def _each(results: Sequence[Any], batch: Sequence[Record], answer: Answer) -> Outcome:
    said: dict[str, list[Mapping[str, Any]]] = {}
    for result in results:
        if isinstance(result, dict) and isinstance(result.get("id"), str):
            said.setdefault(result["id"], []).append(result)
    accepted: set[int] = set()
    rejected: dict[int, str] = {}
    kept = ""
    for record in batch:
        state, why = _state_of(said.get(record.id, []))
        if state in TAKEN:
            accepted.add(record.sequence)
        elif state == NEVER:
            rejected[record.sequence] = f"answered {answer.status}: {why}"
        else:
            kept = kept or f"answered {answer.status}, record {record.id}: {why}"
    return Outcome(frozenset(accepted), rejected, kept, answer.retry_after_s if kept else 0.0)


def _state_of(said: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The state of one record and why; a record named with two states is kept."""
    states = {text_of(each.get("status")) for each in said}
    if not states:
        return "", "it is not among the results"
    if len(states) > 1:
        return "", f"results say {cut(' and '.join(sorted(states)))}"
    (state,) = states
    if state not in TAKEN | {NEVER, LATER}:
        return "", f"unknown status {cut(state)!r}; expected accepted, duplicate, rejected, retry"
    return state, _reason(said[0]) or f"{state} without a reason"


# Words


def refusal(answer: Answer) -> str:
    """What a status that is no yes says."""
    if answer.status in REDIRECTS:
        where = f" to {cut(answer.location)}" if answer.location else ""
        return f"answered {answer.status}: it redirects{where}; write the final address into url"
    try:
        phrase = f" {HTTPStatus(answer.status).phrase}"
    except ValueError:
        phrase = ""
    value = json_of(answer)
    words = _reason(value) if isinstance(value, dict) else ""
    return f"answered {answer.status}{phrase}: {words or words_of(answer)}"


def words_of(answer: Answer) -> str:
    """The first words of a body, or what it is when they say nothing."""
    text = answer.body[: 4 * WORDS_MAX].decode("utf-8", "replace").strip()
    size = "" if answer.readable else f" (compressed, cut, or over {ANSWER_BYTES_MAX} bytes)"
    if not text:
        return f"an empty body{size}"
    if text.startswith("<"):
        return f"a page of HTML{size}: {cut(text)}"
    return f"{cut(text)}{size}"


def _reason(value: Mapping[str, Any]) -> str:
    found = next((value[key] for key in _REASON_KEYS if value.get(key)), "")
    return cut(text_of(found))


def cut(text: str) -> str:
    """A platform's words, short and on one line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= WORDS_MAX else f"{line[:WORDS_MAX]}…"


def text_of(value: Any) -> str:
    """A value of an answer as text."""
    try:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "something nested too deep"


def at(value: Any, path: str) -> Any:
    """What stands at a path with dots; None when nothing does."""
    for key in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def json_of(answer: Answer) -> Any:
    """The body as JSON; None when it is none, which `null` is as well."""
    if not answer.readable:
        return None
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
