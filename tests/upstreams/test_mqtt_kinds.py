"""A broker whose rights let one kind of record through and another not; a real one, with its ACL."""

from dataclasses import replace
from pathlib import Path

from gatewayd.store.model import Record
from gatewayd.upstreams.mqtt_kinds import NOT_AUTHORIZED, Kinds
from gatewayd.upstreams.mqtt_terms import Answer
from gatewayd.upstreams.pump import BATCH_MAX
from tests.support.brokers import Mosquitto
from tests.support.outpost import QUICK, ROOT, Outpost, bodies, drained, running
from tests.support.subscribers import Subscriber
from tests.support.waiting import until

OPEN = "topic readwrite #\n"
NO_REFUSALS = (
    f"topic write {ROOT}/status\n"
    f"topic write {ROOT}/records/fill\ntopic write {ROOT}/records/alarm\ntopic read #\n"
)
NO_RECORDS = f"topic write {ROOT}/status\ntopic read #\n"
SOON = replace(QUICK, barred_s=0.3)


async def mixed(outpost: Outpost) -> list[Record]:
    """Refusals alone, then with others, and one at the end."""
    committed = await outpost.commit(3, "refusal")
    for kind in ("fill", "refusal", "fill", "alarm"):
        committed += await outpost.commit(2, kind)
    committed += await outpost.commit(BATCH_MAX, "fill")
    return committed + await outpost.commit(1, "refusal")


async def test_what_one_kind_may_not_becomes_dead_letters_and_all_others_flow(
    outpost: Outpost, tmp_path: Path
) -> None:
    committed = await mixed(outpost)
    refused = [one for one in committed if one.kind == "refusal"]
    others = [one for one in committed if one.kind != "refusal"]
    with (
        Mosquitto(tmp_path, acl=NO_REFUSALS) as broker,
        Subscriber(broker.port, f"{ROOT}/records/#") as seen,
    ):
        upstream = outpost.upstream(broker.url, pace=SOON)
        async with running(upstream):
            await outpost.until_state("refused", error="Not authorized (0x87)")
            await drained(upstream)
            letters = outpost.store.dead_letters("platform")
            assert [letter.record_id for letter in letters] == [one.id for one in refused]
            assert "no refusal for 0.3 s" in letters[0].reason
            await seen.until(lambda: set(bodies(others)) <= _payloads(seen))
            payloads = [message.payload for message in seen.messages()]
            assert sorted(set(payloads)) == sorted(bodies(others))
            assert len(payloads) <= len(others) + BATCH_MAX, "one window at most came twice"
            broker.set_acl(OPEN)
            await outpost.store.retry_dead()
            await seen.until(lambda: seen.messages()[-1].payload == bodies(refused)[-1])
            await until(lambda: outpost.store.dead_letters("platform") == ())
    assert set(bodies(committed)) == {message.payload for message in seen.messages()}


async def test_a_broker_that_lets_no_record_through_makes_no_dead_letter(
    outpost: Outpost, tmp_path: Path
) -> None:
    committed = await mixed(outpost)
    with (
        Mosquitto(tmp_path, acl=NO_RECORDS) as broker,
        Subscriber(broker.port, f"{ROOT}/records/#") as seen,
    ):
        upstream = outpost.upstream(broker.url, pace=replace(SOON, barred_s=0.0))
        async with running(upstream):
            await outpost.until_state("refused", error="Not authorized (0x87)")
            await outpost.commit(1)
            await outpost.until_state("refused")
            assert outpost.store.cursor("platform") == 0
            assert outpost.store.dead_letters("platform") == ()
            broker.set_acl(OPEN)
            await drained(upstream)
            await seen.until(lambda: len(seen.messages()) > len(committed))
    payloads = [one.payload for one in seen.messages()]
    assert set(bodies(committed)) <= set(payloads)
    assert len(payloads) == len(set(payloads)), "each came once"


async def test_what_goes_ahead_to_find_out_is_of_another_rig_where_one_waits(
    outpost: Outpost, tmp_path: Path
) -> None:
    await outpost.commit(3, "refusal")
    here = await outpost.commit(3, "fill")
    there = await outpost.store.append(replace(outpost.draft(hours_ago=0), rig_id="rig-2"))
    with (
        Mosquitto(tmp_path, acl=NO_REFUSALS) as broker,
        Subscriber(broker.port, f"{ROOT}/records/#") as seen,
    ):
        # A window of refusals only: nothing else goes along with them.
        upstream = outpost.upstream(broker.url, pace=SOON, in_flight_max=1)
        async with running(upstream):
            await drained(upstream)
            await seen.until(lambda: {*bodies(here), *bodies([there])} <= _payloads(seen))
    came = [message.payload for message in seen.messages()]
    assert came.index(bodies([there])[0]) < came.index(bodies(here)[-1])


def _payloads(seen: Subscriber) -> set[bytes]:
    return {message.payload for message in seen.messages()}


def test_a_kind_is_barred_only_when_it_lasts_and_others_are_taken() -> None:
    now = [0.0]
    kinds = Kinds(lambda: now[0], 60.0)
    no, yes = Answer(NOT_AUTHORIZED, "Not authorized"), Answer(0)
    kinds.judged("fill", yes)
    now[0] = 1.0
    assert not kinds.judged("refusal", no).permanent
    now[0] = 61.0
    assert not kinds.judged("refusal", no).permanent, "nothing was taken since it was refused"
    kinds.judged("fill", yes)
    assert kinds.judged("refusal", no).permanent
    assert not kinds.judged("alarm", no).permanent, "each kind by itself"
    kinds.judged("refusal", yes)
    now[0] = 62.0
    assert not kinds.judged("refusal", no).permanent, "it was taken meanwhile: a new doubt"
    other = Answer(0x97, "Quota exceeded")
    now[0] = 1_000.0
    assert kinds.judged("refusal", other) == other
