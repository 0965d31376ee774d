"""A rig judges by what a tag holds: an inspector's finding blocks, and what is not known does too."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from drivers.contract import MemoryArea, TagContents, TagRead
from drivers.rfid.contents import GONE_S, Contents
from gatewayd.clock import SECOND
from gatewayd.replay import scan
from gatewayd.rigs.assess import Bench, assess, at_rig, gather
from gatewayd.rigs.held import from_json, read
from gatewayd.rigs.identity import identify
from gatewayd.rigs.model import Identity, State, View
from gatewayd.rigs.objections import cause_at_cylinder
from gatewayd.rigs.presence import Presence
from gatewayd.rigs.tag_memory import TagMemories
from gatewayd.store.model import Permit
from rules_engine.verdict import Verdict
from tests.rigs.bench import LEGAL, RIG, STATION, UID, bench, standing
from tests.rigs.desk import START, Desk, ScriptedGate, living, open_store
from tests.rigs.test_identity import Shelf
from tests.support import tag_layouts
from tests.support.rules import cn_lpg

LAYOUT = tag_layouts.layout()
MEMORIES = TagMemories(lambda device: LAYOUT if device == "gun-1" else None)
ASKING = replace(bench(), sources=(MEMORIES,))
PERMIT = Permit(
    id="p",
    record_id="r",
    rig_id="rig-1",
    permit_no=1,
    cylinder_code=LEGAL.code,
    target_g=1,
    limit_gross_g=1,
    tare_g=1,
    lease_ms=2000,
    total_before_g=0,
    fills_before=0,
    issued_at=START,
    expires_at=START + timedelta(seconds=1),
    judged={},
)
CLEAN, WRITTEN = tag_layouts.memory(), tag_layouts.memory("涉嫌")


def contents(data: bytes = b"", why: str = "") -> TagContents:
    return TagContents("user", 0, data, why)


def who(told: TagContents | None, cylinder: Any = LEGAL) -> Identity:
    held = (read("gun-1", UID, LAYOUT, told),)
    return Identity("one", cylinder, uid=UID, elsewhere="", held=held)


def judged(told: TagContents | None, at: Bench = ASKING) -> Verdict:
    return at_rig(at, who(told), standing(), START)[0]


def denials(verdict: Verdict) -> list[tuple[str, str]]:
    return [(f.code, f.rule) for f in verdict.findings if f.severity == "deny"]


# --- the judgement ---


def test_a_clean_tag_fills_and_is_kept_with_the_record() -> None:
    verdict, plan = at_rig(ASKING, who(contents(CLEAN)), standing(), START)
    assert verdict.allowed
    assert plan is not None
    facts = gather(ASKING, who(contents(CLEAN)), standing(), START)
    assert facts["tag.finding"] == ""
    assert facts["tag.memory_read"] is True
    assert facts["tag.next_inspection_on"].isoformat() == "2030-12-31"


def test_a_finding_is_the_regulators_lock_with_the_packs_own_basis() -> None:
    verdict = judged(contents(WRITTEN))
    assert denials(verdict) == [("REGULATOR_LOCK", "cn-lpg.tag-finding")]
    (found,) = [each for each in verdict.findings if each.code == "REGULATOR_LOCK"]
    assert "涉嫌" in found.message.zh
    assert "涉嫌" in found.message.en
    assert "DB4114/T 185" in found.basis


def test_a_pack_without_a_rule_for_findings_lets_none_pass() -> None:
    pack = cn_lpg()
    kept = tuple(rule for rule in pack.rules if "tag.finding" not in rule.reads)
    assert len(kept) < len(pack.rules)
    mute = replace(ASKING, packs=(replace(pack, rules=kept),))
    assert denials(judged(contents(WRITTEN), mute)) == [("REGULATOR_LOCK", "rig.tag_finding")]
    assert judged(contents(CLEAN), mute).allowed


@pytest.mark.parametrize(
    ("told", "lack", "zh", "en"),
    [
        (None, "pending", "没有读到", "not read in time"),
        (contents(why="read failed: 0xFB no tag"), "unread", "0xFB", "0xFB"),
        (contents(CLEAN[:-1]), "not_of_layout", "格式不符", "15 bytes"),
        (contents(bytes(16)), "not_of_layout", "格式不符", "not of its layout"),
        (contents(CLEAN[:-1] + b"\x00"), "not_of_layout", "格式不符", "checksum"),
        (TagContents("tid", 0, CLEAN), "unread", "tid", "word 0 of tid"),
    ],
)
def test_what_is_not_known_denies_and_says_what_to_do(
    told: TagContents | None, lack: str, zh: str, en: str
) -> None:
    verdict = judged(told)
    assert denials(verdict) == [("DATA_MISSING", "rig.tag_memory")]
    (found,) = [each for each in verdict.findings if each.rule == "rig.tag_memory"]
    assert zh in found.message.zh
    assert en in found.message.en
    assert found.values["tag.memory_lack"] == lack


def test_where_nobody_asks_nothing_changes() -> None:
    """A tag's memory that happens to be told is nobody's business there."""
    plain = replace(bench(), sources=(TagMemories(lambda _device: None),))
    alone = Identity("one", LEGAL, uid=UID, elsewhere="")
    assert at_rig(plain, alone, standing(), START) == at_rig(bench(), alone, standing(), START)


def test_judged_in_theory_it_is_not_known_unless_somebody_says_so() -> None:
    """As `gatewayd verdict` judges: nobody stands there."""
    alone = Identity("one", LEGAL, uid=UID, elsewhere="")
    facts = gather(ASKING, alone, standing(), START)
    assert denials(assess(ASKING, facts)[0]) == [("DATA_MISSING", "rig.tag_memory")]
    assert assess(ASKING, facts | {"tag.memory_read": True, "tag.finding": ""})[0].allowed


def test_a_blank_tag_has_no_finding_only_where_the_layout_says_so() -> None:
    lenient = tag_layouts.layout(blank="nothing")
    for data in (bytes(16), b"\xff" * 16):
        assert read("gun-1", UID, lenient, contents(data)).finding == ""
        assert read("gun-1", UID, LAYOUT, contents(data)).lack == "not_of_layout"
    assert read("gun-1", UID, lenient, contents(bytes(15))).lack == "not_of_layout"


def test_the_hash_of_a_layout_is_of_all_that_it_says() -> None:
    assert LAYOUT.hash == tag_layouts.layout().hash
    assert LAYOUT.hash != tag_layouts.layout(facts={}).hash
    assert len(LAYOUT.hash) == 64


def test_a_record_gives_back_what_it_kept() -> None:
    for told in (None, contents(CLEAN), contents(WRITTEN), contents(why="no answer")):
        (held,) = who(told).held
        assert from_json(held.as_json()) == held


# --- who it is told of ---


def seen(presence: Presence, uid: str, at_s: float, told: TagContents | None = None) -> bool:
    return presence.saw(TagRead("gun-1", uid, 1, None, int(at_s * SECOND), contents=told))


def told_at(presence: Presence) -> dict[str, bytes | str | None]:
    return {
        s.text: None if s.contents is None else s.contents.data or s.contents.why
        for s in presence.sightings()
    }


def test_a_reading_stands_when_a_later_one_fails_and_not_the_other_way_round() -> None:
    presence = Presence(RIG)
    presence.weigh(standing())
    assert seen(presence, UID, 2)
    assert seen(presence, UID, 2.1, contents(why="no answer"))
    assert not seen(presence, UID, 2.2, contents(why="again no answer"))
    assert seen(presence, UID, 2.3, contents(CLEAN))
    assert not seen(presence, UID, 2.4, contents(CLEAN))
    assert not seen(presence, UID, 2.5, contents(why="no answer"))
    assert not seen(presence, UID, 2.6)
    assert told_at(presence) == {UID: CLEAN}
    assert seen(presence, UID, 2.7, contents(WRITTEN)), "somebody wrote to it while it lay there"
    assert told_at(presence) == {UID: WRITTEN}


def test_what_the_cylinder_before_held_is_gone_with_it() -> None:
    presence = Presence(RIG)
    presence.weigh(replace(standing(), at_ns=SECOND))
    seen(presence, UID, 2, contents(CLEAN))
    presence.weigh(replace(standing(), at_ns=3 * SECOND, cylinder_on=False))
    presence.weigh(replace(standing(), at_ns=4 * SECOND))
    assert told_at(presence) == {}
    assert not seen(presence, UID, 2.5, contents(CLEAN)), "told late, of the cylinder before"
    seen(presence, UID, 5)
    assert told_at(presence) == {UID: None}


def test_a_finding_written_since_the_permit_closes_the_gate_while_gas_flows() -> None:
    then = {"cylinder": {"tag_memory": [each.as_json() for each in who(contents(CLEAN)).held]}}
    permit = replace(PERMIT, judged=then)

    def cause(told: TagContents) -> str | None:
        view = View(SECOND, START, standing(), 1, who(told))
        return cause_at_cylinder(State(flowed=True), view, permit, RIG)

    assert cause(contents(CLEAN)) is None
    assert cause(contents(why="no answer")) is None
    assert cause(contents(WRITTEN)) == "cylinder_held"


# --- the actor ---


async def test_a_rig_waits_for_the_memory_then_refuses_once(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    try:
        async with living(store, clock, ScriptedGate(), at=ASKING) as desk:
            await desk.until(lambda: store.last_total_g("rig-1") is not None)
            await desk.bring()
            await desk.phase("identifying")
            waited_s = -clock.monotonic_ns() / SECOND
            await desk.phase("refused")
            waited_s += clock.monotonic_ns() / SECOND
            assert waited_s > RIG.identify_within_s - 1
            await desk.look(seconds=5)
            (refusal,) = [r for r in desk.records() if r["type"] == "gatewayd.refusal.v1"]
    finally:
        await store.close()
    assert [f["rule"] for f in refusal["data"]["verdict"]["findings"]] == ["rig.tag_memory"]
    (kept,) = refusal["data"]["cylinder"]["tag_memory"]
    assert (kept["lack"], kept["layout_hash"]) == ("pending", LAYOUT.hash)


async def told(desk: Desk, what: TagContents) -> None:
    """The reader tells what the tag holds."""
    desk.rig.take(TagRead("gun-1", UID, 1, None, desk.clock.monotonic_ns(), contents=what))
    await desk.look()


async def test_a_finding_that_is_written_under_a_permit_takes_it_back(tmp_path: Path) -> None:
    """The tag is read again while it lies there; nobody has started yet."""
    store, clock = await open_store(tmp_path)
    try:
        async with living(store, clock, ScriptedGate(), at=ASKING) as desk:
            await desk.until(lambda: store.last_total_g("rig-1") is not None)
            await desk.bring()
            await desk.look()
            await told(desk, contents(CLEAN))
            await desk.phase("permitted")
            await told(desk, contents(WRITTEN))
            await desk.phase("refused")
            fill, refusal = (r["data"] for r in desk.records() if "alarm" not in r["type"])
            record = next(r for r in store.records() if "fill" in r.body)
            assert scan(record, ASKING) is not None
    finally:
        await store.close()
    assert (fill["outcome"], fill["end_reason"]) == ("not_started", "verdict_changed")
    assert fill["cylinder"]["tag_memory"][0]["hex"] == CLEAN.hex().upper()
    assert [f["code"] for f in refusal["verdict"]["findings"]] == ["REGULATOR_LOCK"]
    assert refusal["cylinder"]["tag_memory"][0]["hex"] == WRITTEN.hex().upper()


async def test_a_finding_closes_also_where_a_second_tag_is_let_be(tmp_path: Path) -> None:
    """`on_second_tag: hold`: a stray tag must not hide what is written into that of the cylinder."""
    store, clock = await open_store(tmp_path)
    lenient = replace(ASKING, rig=ASKING.rig.model_copy(update={"on_second_tag": "hold"}))
    try:
        async with living(store, clock, ScriptedGate(), at=lenient) as desk:
            await desk.until(lambda: store.last_total_g("rig-1") is not None)
            await desk.bring()
            await desk.look()
            await told(desk, contents(CLEAN))
            await desk.phase("permitted")
            desk.gate.start()
            await desk.phase("filling")
            desk.gate.flow(3_000)
            desk.rig.take(
                TagRead(
                    "gun-1", OTHER_UID, 1, None, clock.monotonic_ns(), contents=contents(WRITTEN)
                )
            )
            for _ in range(5):
                await desk.look()
            assert desk.rig.state.phase == "filling", "the stray tag's finding is of another one"
            await told(desk, contents(WRITTEN))
            await desk.until(lambda: desk.rig.state.phase != "filling")
            await desk.until(lambda: bool(desk.records()))
            (fill,) = (r["data"] for r in desk.records() if r["type"] == "gatewayd.fill.v1")
    finally:
        await store.close()
    assert (fill["net_g"], fill["end_reason"]) == (3_000, "cylinder_held")


# --- swaps ---

OTHER_UID = "E2806803"
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("look", "look", "take off", "put on", "write", "spoil", "mend")),
        st.sampled_from((UID, OTHER_UID)),
        st.integers(1, 30),
    ),
    min_size=2,
    max_size=25,
)


class Plant:
    """Two tags, one scale, the reader's own memory of the field, and the rig's presence."""

    def __init__(self) -> None:
        self.memory = {UID: CLEAN, OTHER_UID: CLEAN}
        self.field: str | None = None
        self.spoilt = False
        self.now_ns = SECOND
        self.contents = Contents(MemoryArea("user", 0, 8))
        self.presence = Presence(RIG)

    def poll(self) -> None:
        """A tenth of a second: the scale, one round of the reader, and one attempt."""
        self.now_ns += SECOND // 10
        on = self.field is not None
        self.presence.weigh(replace(standing(), at_ns=self.now_ns, cylinder_on=on))
        if self.field is not None:
            known = self.contents.seen(bytes.fromhex(self.field), 1, self.now_ns)
            seen(self.presence, self.field, self.now_ns / SECOND, known)
        tag = self.contents.due(self.now_ns, self.now_ns)
        if tag is not None and self.spoilt:
            self.contents.failed(tag[0], "no answer", self.now_ns)
        elif tag is not None:
            self.contents.learned(tag[0], self.memory[tag[0].hex().upper()], self.now_ns)

    def judge(self) -> tuple[Identity, Verdict]:
        identity = identify(self.presence, Shelf(), region=STATION.region)
        tags = ((s.device, s.text, s.contents) for s in self.presence.sightings())
        identity = replace(identity, elsewhere="", held=MEMORIES.held(RIG, tags))
        return identity, at_rig(ASKING, identity, standing(), START)[0]


@effort(max_examples=60, deadline=None)
@given(STEPS)
def test_whoever_is_swapped_for_whom_no_tag_with_a_finding_is_ever_allowed(
    steps: list[tuple[str, str, int]],
) -> None:
    """An inspector writes where the tag is not in the field; the way back takes longer than GONE_S."""
    plant = Plant()
    for what, uid, polls in steps:
        if what == "take off":
            plant.field = None
        elif what == "put on" and plant.field is None:
            plant.field = uid
        elif what == "write" and plant.field is None:
            plant.memory[uid] = CLEAN if plant.memory[uid] == WRITTEN else WRITTEN
            polls += int(GONE_S * 10) + 1  # noqa: PLW2901 - the inspector's way
        elif what in {"spoil", "mend"}:
            plant.spoilt = what == "spoil"
        for _ in range(polls):
            plant.poll()
        identity, verdict = plant.judge()
        if plant.field is not None and identity.status == "one" and verdict.allowed:
            assert identity.uid is not None
            assert plant.memory[plant.field] == CLEAN, (what, identity)
