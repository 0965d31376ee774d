"""What a tag holds is told of that tag only, in time, and never at the price of the inventory."""

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.contract import MemoryArea, TagContents, TagRead
from drivers.rfid import hf, m100, r2000, uhfreader
from drivers.rfid.contents import (
    ACCESS_S_MAX,
    AGAIN_S,
    GONE_S,
    PAUSE_S,
    TAGS_MAX,
    TRIES_MAX,
    TRY_AGAIN_S,
    Contents,
)
from drivers.suite import Bench, on_tcp, running
from protocols.readers.r2000 import codes as r2000_codes
from protocols.readers.uhfreader import Tag, codes
from tests.support.devices.r2000 import ScriptedR2000
from tests.support.readers import ScriptedReader

AREA = MemoryArea("user", 0, 4)
A, B = bytes.fromhex("E280689400005005B2210861"), bytes.fromhex("49440000000000000A000334")
ANTENNA = 1
S = 1_000_000_000


def gun(link: dict[str, Any], **more: Any) -> uhfreader.UhfReader:
    text = json.dumps({"link": link, **more})
    return uhfreader.UhfReader("gun-1", uhfreader.Settings.model_validate_json(text))


def told(bench: Bench, uid: bytes) -> list[TagContents]:
    name = uid.hex().upper()
    reads = (r for r in bench.readings if isinstance(r, TagRead) and r.uid == name)
    return [read.contents for read in reads if read.contents is not None]


# --- the wire ---


async def test_nobody_asks_and_no_memory_is_read() -> None:
    reader = ScriptedReader(tags=[Tag(A, 60)])
    async with on_tcp(reader.plugged) as link, running(gun(link)) as bench:
        await bench.until(lambda: len(bench.readings) > 5)
    assert not told(bench, A)
    assert codes.READ not in {command.code for command in reader.heard}


async def test_a_tag_that_stays_is_read_once_and_not_every_round() -> None:
    reader = ScriptedReader(tags=[Tag(A, 60)], memory={(A, 3): bytearray(b"ABCDEFGH")})
    bench = Bench(memory=AREA)
    async with on_tcp(reader.plugged) as link, running(gun(link, poll_ms=10), bench):
        await bench.until(lambda: len(told(bench, A)) > 20)
    assert [command.code for command in reader.heard].count(codes.READ) == 1
    assert {contents.data for contents in told(bench, A)} == {b"ABCDEFGH"}


class Late:
    """A reader whose answers about memory, code `code` at byte `at`, come late after all else."""

    def __init__(self, reader: Any, late_s: float, *, code: int = codes.READ, at: int = 2) -> None:
        self._reader = reader
        self._late_s = late_s
        self._mark = slice(at, at + 1), bytes((code,))

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        loop = asyncio.get_running_loop()

        def sent(data: bytes) -> None:
            where, code = self._mark
            if data[where] == code:
                loop.call_later(self._late_s, send, data)
            else:
                send(data)

        heard: Callable[[bytes], None] = self._reader.plugged(sent, unplug)
        return heard


async def test_an_answer_that_comes_too_late_is_not_taken_for_another_tags() -> None:
    """The answer to a read does not say which tag it is of; only the pause keeps them apart.

    And the longest pause between two sightings is one attempt, however the reader behaves.
    """
    reader = ScriptedReader(
        tags=[Tag(A, 60), Tag(B, 60)],
        memory={(A, 3): bytearray(b"tag A .."), (B, 3): bytearray(b"tag B ..")},
    )
    late = Late(reader, ACCESS_S_MAX + PAUSE_S / 2)
    async with on_tcp(late.plugged) as link, running(gun(link), Bench(memory=AREA)) as bench:
        await bench.until(lambda: [c.code for c in reader.heard].count(codes.READ) > 2)
    assert not [contents for tag in (A, B) for contents in told(bench, tag) if contents.data]
    times = [read.at_ns for read in bench.readings if isinstance(read, TagRead)]
    assert max(b - a for a, b in pairwise(times)) < (ACCESS_S_MAX + 1.0) * S


async def test_an_attempt_that_was_cut_short_leaves_no_tag_selected() -> None:
    """An R2000 that stays on one tag would hide what another one holds."""
    reader = ScriptedR2000(tags=[A])
    mute = Late(reader, 3600.0, code=r2000_codes.READ, at=3)
    async with on_tcp(mute.plugged) as link:
        settings = r2000.Settings.model_validate_json(json.dumps({"link": link}))
        async with running(r2000.R2000("gun-1", settings), Bench(memory=AREA)) as bench:
            await bench.until(lambda: reader.match == A)
            await bench.until(lambda: not reader.match)
    assert bench.error is None


async def test_a_truncated_memory_is_no_memory() -> None:
    reader = ScriptedReader(tags=[Tag(A, 60)], memory={(A, 3): bytearray(b"short!")})
    async with on_tcp(reader.plugged) as link, running(gun(link), Bench(memory=AREA)) as bench:
        await bench.until(lambda: told(bench, A), 60)
    assert {contents.data for contents in told(bench, A)} == {b""}
    assert "6 bytes read of 8" in told(bench, A)[0].why


@pytest.mark.parametrize("module", [uhfreader, m100, r2000])
def test_a_reader_that_pushes_is_not_asked_for_memory(module: Any) -> None:
    text = json.dumps({"link": {"tcp": "127.0.0.1:1"}, "mode": "push", "memory": "sample-tag"})
    with pytest.raises(ValidationError, match="set mode: poll"):
        module.Settings.model_validate_json(text)


def test_a_family_without_blocks_is_not_asked_for_memory() -> None:
    text = json.dumps({"link": {"tcp": "127.0.0.1:1"}, "family": "aa_bb", "memory": "sample-tag"})
    with pytest.raises(ValidationError, match="reads no blocks"):
        hf.Settings.model_validate_json(text)


# --- who is read when ---


def test_a_tag_is_told_unreadable_after_so_many_attempts_and_tried_on() -> None:
    contents, now_ns = Contents(AREA), 0
    for attempt in range(1, TRIES_MAX + 1):
        known = contents.seen(A, ANTENNA, now_ns)
        assert known is None, attempt
        assert contents.due(now_ns, now_ns) == (A, ANTENNA)
        contents.failed(A, "no answer", now_ns)
        assert contents.due(now_ns, now_ns) is None
        now_ns += int(TRY_AGAIN_S * S)
    known = contents.seen(A, ANTENNA, now_ns)
    assert known is not None
    assert known.why == "no answer"
    later_ns = now_ns
    while later_ns < now_ns + AGAIN_S * S:
        later_ns += S
        contents.seen(A, ANTENNA, later_ns)
    assert contents.due(later_ns, later_ns) == (A, ANTENNA)
    contents.learned(A, b"8 bytes.", later_ns)
    assert contents.seen(A, ANTENNA, later_ns) == TagContents(
        "user", 0, b"8 bytes.", at_ns=later_ns
    )


def test_what_was_read_stands_while_the_tag_stays_even_when_it_cannot_be_read_again() -> None:
    contents = Contents(AREA)
    contents.seen(A, ANTENNA, 0)
    contents.learned(A, b"8 bytes.", 0)
    for attempt in range(2 * TRIES_MAX):
        contents.failed(A, "no answer", attempt * S)
        known = contents.seen(A, ANTENNA, attempt * S)
        assert known is not None
        assert known.data == b"8 bytes."


def test_one_tag_more_than_can_be_remembered_is_told_unreadable() -> None:
    contents = Contents(AREA)
    uids = [number.to_bytes(4) for number in range(TAGS_MAX + 1)]
    for uid in uids[:-1]:
        assert contents.seen(uid, ANTENNA, 0) is None
    known = contents.seen(uids[-1], ANTENNA, 0)
    assert known is not None
    assert str(TAGS_MAX) in known.why
    assert contents.seen(uids[-1], ANTENNA, int(GONE_S * S) + 1) is None  # The others have left.


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("see", "read", "fail", "missed")), st.integers(0, 3), st.integers(0, 4000)
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_a_tag_is_told_only_what_was_read_of_it_since_it_came(
    steps: list[Step],
) -> None:
    """A walk against a naive model: what was read of which tag, and when it was last seen."""
    contents, now_ns = Contents(AREA), 0
    read: dict[bytes, bytes] = {}
    seen_ns: dict[bytes, int] = {}
    refused_until_ns = 0
    for number, (what, which, after_ms) in enumerate(steps):
        now_ns += after_ms * 1_000_000
        uid = bytes((which,)) * 4
        if what == "see":
            if uid in seen_ns and now_ns - seen_ns[uid] > GONE_S * S:
                read.pop(uid, None)
            known = contents.seen(uid, ANTENNA, now_ns)
            seen_ns[uid] = now_ns
            assert (known.data if known else b"") == read.get(uid, b"")
            continue
        due = contents.due(now_ns, 0)
        assert due is None or now_ns >= refused_until_ns, "asked while an answer is owed"
        if what == "missed":
            contents.pause(now_ns)
            refused_until_ns = now_ns + int(PAUSE_S * S)
        elif due is not None and what == "read":
            read[due[0]] = number.to_bytes(8)
            contents.learned(due[0], read[due[0]], now_ns)
        elif due is not None:
            contents.failed(due[0], "no answer", now_ns, owed=True)
            refused_until_ns = now_ns + int(PAUSE_S * S)


@pytest.mark.parametrize("failed", [False, True])
def test_a_tag_that_was_forgotten_while_it_was_read_breaks_nothing(*, failed: bool) -> None:
    """A crowd that is pushed while one tag is read drives it out: its driver must not end of that."""
    contents = Contents(AREA)
    contents.seen(A, ANTENNA, 0)
    assert contents.due(0, 0) == (A, ANTENNA)
    later_ns = int(GONE_S * S) + 1
    for number in range(TAGS_MAX):
        contents.seen(number.to_bytes(12, "big"), ANTENNA, later_ns)
    if failed:
        contents.failed(A, "no answer", later_ns, owed=True)
    else:
        contents.learned(A, bytes(8), later_ns)
    full = contents.seen(A, ANTENNA, later_ns)
    assert full is not None
    assert full.why, "what was read is nobody's"
    assert contents.due(later_ns, later_ns) is None or not failed, "what is owed is waited for"
