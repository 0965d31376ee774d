"""Messages of a mapping: compiled like requests, each at its place, or a reason why not."""

from typing import Any

import pytest

from gatewayd.mapping.examples import run
from gatewayd.mapping.load import load
from gatewayd.mapping.manners import KAFKA, MQTT, NATS, TABLE, Manner
from gatewayd.mapping.mapping import Skipped, Tongue, Unfit
from gatewayd.mapping.messages import Letter
from protocols.documents import DocumentError
from tests.mapping.records import event, fill

ZONE = "Asia/Shanghai"
GOOD = """\
id: site
title: {zh: 站, en: site}
source: letter of the platform, 2026
verified: false
values: {line: {doc: our line, example: a/b}}
skip:
  - {records: [fill], when: outcome == "not_started", because: no gas moved}
messages:
  - records: [fill]
    when: net_g > 0
    to: plant/{value.line}/{rig_id}
    key: cylinder.code
    fields:
      ID: record.id
      NET: {value: kg(net_g), as: number}
      WHO: {value: operator.name, optional: true}
  - records: [refusal]
    fields: {WHO: {value: operator.name, optional: true}}
examples:
  - in: {kind: fill, id: "1", data: {outcome: completed, net_g: 1500, rig_id: rig-1, cylinder: {code: "7"}}}
    out: {to: plant/a/b/rig-1, key: "7", body: {ID: "1", NET: 1.5}}
"""


def tongue(text: str = GOOD, manner: Manner | None = MQTT, line: str = "a/b") -> Tongue:
    return Tongue(load(text, "site.yaml", ZONE), {"line": line}, manner=manner)


def test_a_record_becomes_exactly_this_message() -> None:
    record = event("fill", fill())
    assert tongue().said(record) == Letter(
        "plant/a/b/rig-1",
        record["data"]["cylinder"]["code"],
        f'{{"ID":"{record["id"]}","NET":14.8}}',
    )


@pytest.mark.parametrize(
    ("changes", "fate"),
    [
        ({"outcome": "not_started"}, Skipped("no gas moved")),
        ({"net_g": 0}, Unfit("mapping site: no message takes this fill, and no skip says that")),
        ({"rig_id": "a/#"}, Unfit("mapping site: to: 'a/#' cannot be a part of it")),
        ({"cylinder": {}}, Unfit("mapping site: key: the record has no cylinder.code")),
    ],
)
def test_what_has_no_message_says_why(changes: dict[str, Any], fate: Skipped | Unfit) -> None:
    found = tongue().said(event("fill", fill(**changes)))
    assert type(found) is type(fate)
    assert str(getattr(fate, "why", "")) in str(getattr(found, "why", ""))


def test_a_message_without_anything_in_it_is_a_dead_letter_and_no_message() -> None:
    found = tongue().said(event("refusal", {}))
    assert found == Unfit("mapping site: the message would be empty")
    assert tongue().said(event("alarm", {})) == Skipped("records of kind alarm are not mapped")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{rig_id}", "{rig}", "to: unknown name 'rig'; did you mean"),
        ("{rig_id}", "{point_id}", "point_id is never in a record of kind fill"),
        ("{rig_id}", "{rig_id", "a brace without its partner"),
        ("key: cylinder.code", "key: verdict.codes", "key"),
        ("key: cylinder.code", "kee: cylinder.code", "did you mean 'key'?"),
        ("kg(net_g)", "kg(net)", "NET: unknown name 'net'"),
        ("messages:", "massages:", "did you mean 'messages'?"),
        ("messages:", "voucher: {}\nmessages:", "voucher"),
        ("messages:", "requests: [{records: [fill], fields: {A: rig_id}}]\nmessages:", "both"),
        ("NET: 1.5}", 'NET: "1.5"}', ""),
    ],
)
def test_a_mistake_is_told_with_its_place(old: str, new: str, told: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if not told:
        (outcome,) = run(load(text, "site.yaml", ZONE), text)
        assert outcome.said == 'body: body.NET is 1.5, expected "1.5"'
        return
    with pytest.raises(DocumentError) as found:
        load(text, "site.yaml", ZONE)
    problems = [str(problem) for problem in found.value.problems]
    assert any(told in each for each in problems), problems
    assert all(each.split(":")[1].isdigit() for each in problems)


@pytest.mark.parametrize(
    ("manner", "good", "bad"),
    [
        (MQTT, ["v1/devices/me/telemetry", "/a", "$aws/rules/x", "站"], ["a/#", "+", "a\0"]),
        (NATS, ["a", "a.b-c.d_1"], [".", "a..b", "a.", "a b", "a.*", "a.>", "$JS.API"]),
        (KAFKA, ["a.b_C-1", "x" * 249], [".", "..", "a b", "a/b", "x" * 250]),
        (TABLE, ["fills", "plant.fills"], ["Fills", "a.b.c", "fills; drop", 'f"', "1a"]),
    ],
    ids=lambda each: each.name if isinstance(each, Manner) else "",
)
def test_an_address_is_what_its_server_takes(
    manner: Manner, good: list[str], bad: list[str]
) -> None:
    assert [each for each in good if manner.fault(each)] == []
    assert [each for each in bad if not manner.fault(each)] == []


def test_what_the_station_gave_may_have_parts_of_its_own_but_must_make_an_address() -> None:
    record = event("fill", fill())
    assert isinstance(tongue(manner=MQTT, line="a/#").said(record), Unfit)
    found = tongue(GOOD.replace("plant/", "plant."), manner=NATS, line="a/b").said(record)
    assert isinstance(found, Letter)
    assert found.to == "plant.a/b/rig-1"
