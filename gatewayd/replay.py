"""Past scans judged again under other rules, from what their records keep; nothing is guessed.

A fact that a record does not keep makes a rule undecided, unless the very same rule was judged then:
what it said stands in the record. A verdict that hangs on an undecided rule is `unknown`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from gatewayd.rigs.assess import Bench, gather
from gatewayd.rigs.evidence import ARCHIVE_KEYS
from gatewayd.rigs.held import from_json
from gatewayd.rigs.model import Identity
from gatewayd.rigs.tag_memory import known as known_of_tags
from gatewayd.store.model import Cylinder, Record
from rules_engine.engine import in_force, judge
from rules_engine.facts import group, parse_date, sound
from rules_engine.pack import Pack, Rule
from rules_engine.verdict import Decision, PackRef
from rules_engine.vocabulary import FACTS

KINDS = frozenset({"fill", "refusal"})
SCALE = frozenset({"scale.tare_g", "scale.gross_g", "scale.stable"})
CONTEXT = (
    frozenset(
        name
        for name, fact in FACTS.items()
        if not fact.derived and name.partition(".")[0] in {"operator", "checks", "history"}
    )
    | {"code.duplicate", "code.elsewhere", "code.retired", "rig.lock", "rig.postcheck_open"}
    | {f"rig.{what}_required" for what in ("operator", "precheck", "postcheck")}
)
"""What people, checks and history said; of it a record keeps what its findings rest on."""
_COMES_FROM: Mapping[str, frozenset[str]] = {
    "cylinder.life_ends_on": frozenset(
        f"cylinder.{name}"
        for name in ("life_extended_to", "scrap_on", "made_on", "design_life_years")
    ),
    "cylinder.net_limit_g": frozenset(
        f"cylinder.{name}" for name in ("allowed_net_g", "water_capacity_ml", "medium")
    ),
    "cylinder.age_years": frozenset({"cylinder.made_on"}),
    "cylinder.inspection_age_years": frozenset({"cylinder.last_inspection_on"}),
}


@dataclass(frozen=True, slots=True)
class Scan:
    """One judged cylinder as its record tells it. `unkept` are facts it had and nobody kept."""

    record: Record
    time: datetime
    code: str
    facts: Mapping[str, Any]
    unkept: frozenset[str]
    decision: Decision
    findings: tuple[Mapping[str, Any], ...]
    packs: tuple[str, ...]
    """The hashes of the packs that decided."""


@dataclass(frozen=True, slots=True)
class Again:
    """What other rules say of a scan. `undecided` are the unkept facts it hangs on."""

    decision: Literal["allow", "deny", "unknown"]
    findings: tuple[Mapping[str, Any], ...]
    undecided: frozenset[str] = frozenset()


def codes(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The reason codes of findings that deny, each once, in their order."""
    return list(dict.fromkeys(each["code"] for each in findings if each["severity"] == "deny"))


def time_of(record: Record) -> datetime:
    """When the record says it happened."""
    return datetime.fromisoformat(json.loads(record.body)["time"])


def scan(record: Record, bench: Bench) -> Scan | None:
    """The scan behind a record; None when no rule decided it: nobody was judged, or the rig said no.

    The facts of station and rig are those of the configuration of today.
    """
    body = json.loads(record.body)
    data = body["data"]
    verdict, cylinder = data.get("verdict"), data.get("cylinder")
    if not verdict or not cylinder or "findings" not in verdict:
        return None
    if any(each["rule"].startswith("rig.") for each in verdict["findings"]):
        return None
    time = datetime.fromisoformat(data.get("issued_at") or body["time"])
    facts, unkept = _facts(data, bench, time)
    facts = dict(_told(verdict["findings"])) | facts
    unkept = (unkept | (CONTEXT - facts.keys())) - facts.keys()
    if any(each["code"] == "CLOCK_UNTRUSTED" for each in verdict["findings"]):
        facts["clock.trusted"] = False  # The time of such a record is no day to judge by.
    return Scan(
        record=record,
        time=time,
        code=str(cylinder.get("code") or cylinder.get("tag_uid") or ""),
        facts=facts,
        unkept=unkept,
        decision=verdict["decision"],
        findings=tuple(verdict["findings"]),
        packs=tuple(_hashes(verdict.get("packs", ()))),
    )


def _told(findings: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The facts that the findings rest on: they stand there with their values."""
    for name, value in (pair for each in findings for pair in each["values"].items()):
        fact = FACTS.get(name)
        if fact is None or fact.derived or value is None:
            continue
        if fact.type == "date":
            value = parse_date(str(value))  # noqa: PLW2901 - JSON knows no dates
        if fact.type == "texts":
            value = tuple(value)  # noqa: PLW2901 - JSON knows no tuples
        if sound(fact.type, value):
            yield name, value


def _hashes(packs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for pack in packs:
        yield pack["hash"]


def _facts(
    data: Mapping[str, Any], bench: Bench, time: datetime
) -> tuple[dict[str, Any], frozenset[str]]:
    cylinder = data["cylinder"]
    seen = Identity("one", None, uid=cylinder.get("tag_uid"), code=cylinder.get("scanned"))
    known = "medium" in cylinder
    kept = {name: cylinder[name] for name in ("code", *ARCHIVE_KEYS) if name in cylinder}
    stamped_g = data.get("tare_stamped_g")
    if "tare_stamped_g" in data:
        kept.setdefault("stamped_tare_g", stamped_g)
    facts = gather(bench, seen, None, time)
    facts |= group("cylinder", kept) if known else {}
    facts["code.known"] = known
    facts |= known_of_tags(from_json(each) for each in cylinder.get("tag_memory", ()))
    unkept = {f"cylinder.{name}" for name in Cylinder.__dataclass_fields__ if name not in kept}
    if "tare_g" in data:
        facts |= {"scale.tare_g": data["tare_g"], "scale.gross_g": data["tare_g"]}
        facts |= {"scale.stable": True}
    gone = (unkept if known else set()) | (SCALE - facts.keys())
    return facts, frozenset(gone)


def again(seen: Scan, packs: Sequence[Pack], known: Mapping[str, Pack]) -> Again:
    """What `packs` say of a scan; `known` are packs by hash, to tell which rules are the same."""
    verdict = judge(packs, seen.facts)
    today = seen.facts["clock.today"]
    doubtful = {
        rule.name: (rule, pack)
        for pack in packs
        for rule in in_force(pack, "permit", today)
        if _touched(rule, seen)
    }
    settled = {
        n: said
        for n, (rule, pack) in doubtful.items()
        if (said := _then(rule, pack, seen, known)) is not None
    }
    findings: list[Mapping[str, Any]] = [
        each.as_json()
        for each in verdict.findings
        if each.rule not in doubtful and not _lacks_unkept(each.values, seen)
    ]
    findings += [each for said in settled.values() for each in said]
    open_rules = [rule for name, (rule, _) in doubtful.items() if name not in settled]
    undecided = frozenset(
        fact for rule in open_rules if rule.severity == "deny" for fact in _touched(rule, seen)
    )
    if any(each["severity"] == "deny" for each in findings):
        return Again("deny", tuple(findings))
    return Again("unknown" if undecided else "allow", tuple(findings), undecided)


def _touched(rule: Rule, seen: Scan) -> frozenset[str]:
    """The facts nobody kept that could change what the rule says.

    A rule that waits for people, checks or history, of which the record tells nothing, did not apply.
    """
    if CONTEXT & seen.unkept & set(rule.applies_if_known):
        return frozenset()
    read = rule.reads | set(rule.applies_if_known)
    base = {source for name in read for source in _COMES_FROM.get(name, frozenset({name}))}
    if "cylinder.life_ends_on" in read and "cylinder.life_extended_to" in seen.facts:
        base -= _COMES_FROM["cylinder.life_ends_on"]
    return frozenset(base) & seen.unkept


def _lacks_unkept(values: Mapping[str, Any], seen: Scan) -> bool:
    missing = values.get("missing")
    sources = _COMES_FROM.get(missing, frozenset({missing})) if missing else frozenset()
    return bool(sources & seen.unkept)


def _then(
    rule: Rule, pack: Pack, seen: Scan, known: Mapping[str, Pack]
) -> list[Mapping[str, Any]] | None:
    """What the very same rule said when the scan was judged; None when it was not judged then."""
    today = seen.facts["clock.today"]
    for old in (known[each] for each in seen.packs if each in known):
        for each in in_force(old, "permit", today):
            if each.name == rule.name and _same(each, old, rule, pack, seen):
                return [said for said in seen.findings if _of(said, rule.name)]
    return None


def _of(said: Mapping[str, Any], name: str) -> bool:
    return said["rule"] == name or name in said["values"].get("rules", ())


def _same(old: Rule, old_pack: Pack, new: Rule, new_pack: Pack, seen: Scan) -> bool:
    today = seen.facts["clock.today"]
    texts = [
        (
            rule.when.source,
            rule.given.source if rule.given else None,
            rule.applies_if_known,
            rule.severity,
            {n: pack.values_on(today)[n] for n in rule.reads if n.startswith("param.")},
        )
        for rule, pack in ((old, old_pack), (new, new_pack))
    ]
    return texts[0] == texts[1]


def by_hash(packs: Sequence[Pack]) -> dict[str, Pack]:
    """Packs by the hash that records name them with."""
    return {pack.ref.hash: pack for pack in packs}


def on_trial(named: Sequence[str], packs: Mapping[str, Pack]) -> tuple[Pack, ...]:
    """The packs that would decide: of each named one that which extends it, if there is one."""
    chosen: dict[str, Pack] = {}
    for name in named:
        extending = [p for p in packs.values() if p.id != name and _extends(p.ref, name)]
        for pack in extending or [packs[name]]:
            chosen[pack.id] = pack
    return tuple(chosen.values())


def _extends(ref: PackRef, name: str) -> bool:
    return ref.extends is not None and ref.extends.id == name
