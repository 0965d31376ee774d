"""A mapping file is checked as a whole: every mistake at once, each with its place and a hint."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewayd.mapping.examples import run
from gatewayd.mapping.load import load
from gatewayd.mapping.mapping import Fit, Skipped, Tongue, Unfit, call
from gatewayd.mapping.messages import Letter
from gatewayd.settings.shipped import shipped_dir
from protocols.documents import DocumentError, Tagged
from tests.mapping.records import event, fill, unauthorised

ZONE = "Asia/Shanghai"
SHIPPED = sorted((shipped_dir() / "upstreams").glob("*.yaml"))
GOOD = """\
id: site
title: {zh: 站, en: site}
source: letter of the platform, 2026
verified: false
values:
  token: {doc: token, secret: true, example: t0ken}
tables:
  gas: {LPG: "01"}
requests:
  - records: [fill]
    when: outcome != "not_started"
    path: /up/{cylinder.code}
    headers: {X-Key: value.token}
    fields:
      ID: record.id
      GAS: lookup(table.gas, cylinder.medium)
      NET: {value: kg(net_g), as: number}
      AT: format(ended_at, 'yyyy-MM-dd HH:mm:ss')
      WHO: {value: operator.name, default: "-"}
      NOTE: {value: cylinder.hold, optional: true}
      LIST: [1, {const: x}, rig_id]
      KEY: !secret site-key
examples:
  - in: {kind: fill, data: {outcome: not_started}}
    out: {refused: no request takes this fill}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as found:
        load(text, "site.yaml", ZONE)
    return [str(problem) for problem in found.value.problems]


def tongue(text: str = GOOD, **changes: Any) -> Tongue:
    mapping = load(text, "site.yaml", ZONE)
    given = {"values": {"token": "t0ken-secret"}, "hidden": ("k3y-hidden",), **changes}
    return Tongue(mapping, **given)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("cylinder.medium)", "cylinder.medum)", "GAS: unknown name 'cylinder.medum'; did you mean"),
        ("table.gas", "table.gass", "GAS: unknown name 'table.gass'; did you mean 'table.gas'?"),
        ("kg(net_g)", "kgs(net_g)", "NET: unknown name 'kgs'; did you mean 'kg'?"),
        ("kg(net_g)", "kg(outcome)", "NET: found no matching overload for 'kg'"),
        ("kg(net_g)", "net_g * 0.001", "NET: "),
        ("kg(net_g)", "net_g >", "NET: Syntax error"),
        ("as: number", "as: nummer", "as: 'nummer'"),
        ("as: number", "as: bool", "NET: kg(net_g) is text, as: bool"),
        ("record.id", "ended_at", "ID is a time; format(time"),
        ("ss')", "SS')", "in the pattern"),
        ("kg(net_g)", "subject", "subject is never in a record of kind fill; it is in alarm"),
        ("outcome !=", "net_g !=", "found no matching overload for '_!=_'"),
        ('!= "not_started"', "", "when: is STRING, expected a yes or no"),
        ("records: [fill]", "records: [fil]", "unknown kind of record; did you mean 'fill'?"),
        ("WHO:", "ID:", "duplicate key 'ID'"),
        ("optional: true", "optinal: true", "unknown key 'optinal'; value, first, as, optional"),
        ('default: "-"', "default: 5", "default 5"),
        ("verified: false", "verified: no idea", "verified"),
        ("source:", "sauce:", "did you mean 'source'?"),
        ("title: {zh: 站, en: site}", "title: {zh: 站}", "'en' is missing"),
        ("/up/{cylinder.code}", "/up/{cylinder.code", "a brace without its partner"),
        ("/up/{cylinder.code}", "up", "path"),
        ("X-Key", "Content-Length", "a header that gatewayd does not set"),
        ("LIST: [1,", "LIST: [1.5,", "a fraction"),
        ("verified: false", "verified: false\ntimezone: Mars/Olympus", "unknown time zone"),
        ("example: t0ken", "example: 5", "token: example 5; expected text"),
        ("!secret site-key", "!secrt site-key", "unknown tag !secrt"),
    ],
)
def test_a_mistake_is_told_with_its_place(old: str, new: str, told: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    found = problems(text)
    assert any(told in each for each in found), found
    for each in found:
        _, line, column, _ = each.split(":", 3)
        assert 0 < int(line) <= len(text.splitlines())
        assert int(column) > 0


def test_every_mistake_is_told_at_once() -> None:
    text = GOOD.replace("net_g", "net").replace("rig_id]", "rig]").replace("record.id", "recrd.id")
    assert len(problems(text)) == 3


@pytest.mark.parametrize(
    "part",
    [
        "field: code",
        "accepted: [1]",
        "field: code, accepted: [1], rejected: ['1']",
        "field: code, rejected: [2]",
    ],
)
def test_an_answer_has_one_meaning(part: str) -> None:
    found = problems(GOOD.replace("    fields:", f"    answer: {{{part}}}\n    fields:", 1))
    assert any("answer" in each for each in found), found


def test_a_form_is_flat() -> None:
    found = problems(GOOD.replace("    fields:", "    body: form\n    fields:", 1))
    assert any("LIST: a list in a form" in each for each in found), found


def test_a_record_becomes_exactly_this_request() -> None:
    record = event("fill", fill())
    fate = tongue().fate(record)
    assert isinstance(fate, Fit), fate
    made = call([fate])
    assert (made.method, made.path) == ("POST", f"/up/{record['data']['cylinder']['code']}")
    assert made.headers == {"X-Key": "t0ken-secret"}
    assert made.body.decode() == (
        f'{{"ID":"{record["id"]}","GAS":"01","NET":14.8,"AT":"2026-08-01 12:00:00",'
        '"WHO":"-","LIST":[1,"x","rig-1"],"KEY":"k3y-hidden"}'
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"net_g": None}, "NET: the record has no net_g"),
        ({"ended_at": "yesterday"}, "AT: the record has no ended_at"),
        ({"outcome": None}, "when:"),
        ({"outcome": "not_started"}, "no request takes this fill, and no skip says"),
    ],
)
def test_what_cannot_be_said_is_unfit_and_says_why(changes: dict[str, Any], why: str) -> None:
    fate = tongue().fate(event("fill", fill(**changes)))
    assert isinstance(fate, Unfit), fate
    assert "mapping site: " in fate.why
    assert why in fate.why


def test_a_request_without_anything_in_it_is_a_dead_letter_and_no_request() -> None:
    head, _, examples = GOOD.partition("      ID: record.id\n")
    hold = "      NOTE: {value: cylinder.hold, optional: true}\n"
    fate = tongue(head + hold + examples[examples.index("examples:") :], hidden=()).fate(
        event("fill", fill())
    )
    assert fate == Unfit("mapping site: the request would be empty")


def test_an_unknown_code_is_never_a_default() -> None:
    text = GOOD.replace(
        "GAS: lookup(table.gas, cylinder.medium)",
        'GAS: {value: "lookup(table.gas, cylinder.medium)", optional: true, default: "00"}',
    )
    data = fill()
    data["cylinder"]["medium"] = "O2"
    fate = tongue(text).fate(event("fill", data))
    assert isinstance(fate, Unfit)
    assert "no code for 'O2'" in fate.why


def test_a_kind_that_is_not_named_is_not_for_this_platform() -> None:
    fate = tongue().fate(event("alarm", {"code": "overfilled"}))
    assert fate == Skipped("records of kind alarm are not mapped")


def test_a_code_cannot_leave_its_place_in_the_path() -> None:
    data = fill()
    data["cylinder"]["code"] = "../admin?x=1#y"
    fate = tongue().fate(event("fill", data))
    assert isinstance(fate, Fit)
    assert fate.path == "/up/..%2Fadmin%3Fx%3D1%23y"


def test_a_secret_is_a_value_of_nobody_else() -> None:
    mapping = load(GOOD, "site.yaml", ZONE)
    assert mapping.secrets == (Tagged("!secret", "site-key"),)
    speaking = tongue()
    assert "t0ken-secret" not in repr(speaking)
    assert "k3y-hidden" not in repr(speaking)
    told = speaking.masked("token t0ken-secret, key k3y-hidden")
    assert told == "token ********, key ********"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_mappings_come_out_as_their_examples_say(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    mapping = load(text, str(path), ZONE)
    assert mapping.id == path.stem
    assert mapping.file.verified is False
    outcomes = list(run(mapping, text))
    assert outcomes
    assert [outcome.said for outcome in outcomes if not outcome.ok] == []


SECRETS = {"token": "s3cret-token-1", "sq_code": "s3cret-code-2", "api_key": "s3cret-key-3"}
SECRETS |= {"api_secret": "s3cret-word-4"}


def of_station(path: Path) -> Tongue:
    """A shipped mapping as a station would speak it, with secrets that can be recognised."""
    mapping = load(path.read_text(encoding="utf-8"), str(path), ZONE)
    told = {name: value.default for name, value in mapping.file.values.items()}
    told |= {name: value.example for name, value in mapping.file.values.items() if value.example}
    told |= {name: SECRETS[name] for name in mapping.file.values if name in SECRETS}
    tables = {name: table.example for name, table in mapping.file.station_tables.items()}
    return Tongue(mapping, told, tables)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_every_record_becomes_a_request_or_a_reason_and_no_secret(data: st.DataObject) -> None:
    """Whatever is missing from a record or stands in the wrong place of it."""
    record = data.draw(st.sampled_from([fill(), unauthorised()]))
    for name in data.draw(st.lists(st.sampled_from(sorted(record)), max_size=4)):
        record[name] = data.draw(JSON)
    cylinder = record["cylinder"]
    if isinstance(cylinder, dict) and cylinder:
        for name in data.draw(st.lists(st.sampled_from(sorted(cylinder)), max_size=3)):
            cylinder[name] = data.draw(JSON)
    made = {**event("fill", fill()), "data": record}
    speaking = of_station(data.draw(st.sampled_from(SHIPPED)))
    say = speaking.said if speaking.mapping.messages else speaking.fate
    fate, again = say(made), say(made)
    if isinstance(fate, Fit):
        assert isinstance(again, Fit)
        assert call([fate]) == call([again])
        return
    assert fate == again
    if isinstance(fate, Letter):
        assert json.loads(fate.body)
        return
    why = fate.why if isinstance(fate, Unfit) else fate.because
    assert why
    assert not [secret for secret in SECRETS.values() if secret in why + repr(fate)]
