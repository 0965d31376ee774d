"""Judge: every rule runs, every reason comes back; what cannot be decided denies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from rules_engine.cel import Bound, Broken, Program
from rules_engine.clock_words import WAITING, why
from rules_engine.facts import FACTS, Facts, derive, remedy, sound
from rules_engine.limits import fill_limits
from rules_engine.pack_model import Pack, Rule
from rules_engine.pressure import pressure_limit
from rules_engine.reasons import REASONS
from rules_engine.template import Template
from rules_engine.verdict import Finding, Message, Severity, Stage, Verdict

ENGINE_BASIS = "GB/T 38059-2019; gatewayd"
_NET_LIMIT = "cylinder.net_limit_g"
_SETTLED_LIMIT = "cylinder.settled_limit_kpa"
_CLOCK = "clock.trusted"
_TOLD_BY_CLOCK = frozenset({"clock.today", "clock.now"})
"""What an untrusted clock says is not believed, and neither is what follows from it."""
_SAID_OF_CLOCK = ("clock.doubt", "clock.against", "clock.now")
_DATED = _TOLD_BY_CLOCK | {"cylinder.age_years", "cylinder.inspection_age_years"}

JUDGED: Mapping[Stage, frozenset[Stage]] = {
    "receive": frozenset({"receive"}),
    "prefill": frozenset({"receive", "prefill"}),
    "permit": frozenset({"receive", "prefill", "permit"}),
    "fill": frozenset({"fill"}),
    "postfill": frozenset({"postfill"}),
    "dispatch": frozenset({"dispatch"}),
}
"""Whose rules are judged at each stage: before gas flows, also those of every stage before."""

_SEVERITIES: tuple[Severity, ...] = ("deny", "warn", "observe")
_CODES = {code: index for index, code in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule says. `missing` are the facts it lacks, `why` what broke."""

    says: Literal["hold", "clear", "missing", "broken", "not_applicable"]
    missing: tuple[str, ...] = ()
    why: str = ""


_HOLD, _CLEAR, _NOT_APPLICABLE = Outcome("hold"), Outcome("clear"), Outcome("not_applicable")


def judge(packs: Sequence[Pack], facts: Facts, stage: Stage = "permit") -> Verdict:
    """The verdict of all rules of all packs on these facts; never raises on any facts.

    Deny wins, and so does doubt: a missing fact, a broken rule, a wrong fact, an unknown code, a
    clock that is not trusted, and having no rules at all each deny.
    """
    known, wrong = usable(packs, facts)
    return judge_usable(packs, facts, stage, known=known, wrong=wrong)


def judge_usable(
    packs: Sequence[Pack],
    facts: Facts,
    stage: Stage,
    *,
    known: Mapping[str, Any],
    wrong: Sequence[str],
) -> Verdict:
    """`judge`, of which `usable` was done before: `known` and `wrong` are what it says of `facts`."""
    findings = _wrong_facts(wrong)
    lacking: dict[str, list[Rule]] = {}
    for pack in packs:
        findings.extend(_judge_pack(pack, known, stage, lacking))
    if known.get(_CLOCK) is False:
        findings.extend(_untrusted(packs, facts, stage))
        for name in _DATED:
            lacking.pop(name, None)
    findings.extend(_missing(name, rules, known) for name, rules in lacking.items())
    findings.extend(_guards(packs, known, stage, findings))
    denied = any(finding.severity == "deny" for finding in findings)
    today = known.get("clock.today")
    return Verdict(
        decision="deny" if denied else "allow",
        findings=tuple(sorted(findings, key=_rank)),
        packs=tuple(pack.ref_on(today) for pack in packs),
    )


def complete(packs: Sequence[Pack], facts: Facts) -> tuple[dict[str, Any], list[Finding]]:
    """The facts as rules see them: derived ones added, unusable ones left out with a finding."""
    known, wrong = usable(packs, facts)
    return known, _wrong_facts(wrong)


def usable(packs: Sequence[Pack], facts: Facts) -> tuple[dict[str, Any], list[str]]:
    """The facts as rules see them, and the names of those that no rule can use."""
    wrong = [name for name, value in facts.items() if value is not None and not fits(name, value)]
    unusable = {*wrong, *(_TOLD_BY_CLOCK if facts.get(_CLOCK) is False else ())}
    known = derive({name: value for name, value in facts.items() if name not in unusable})
    limits = {
        _NET_LIMIT: fill_limits(packs, known).allowed_net_g,
        _SETTLED_LIMIT: pressure_limit(packs, known),
    }
    for name, limit in limits.items():
        known.pop(name, None)
        if limit is not None:
            known[name] = limit
    return known, wrong


def fits(name: str, value: object) -> bool:
    """Whether there is such a fact, and it may have this value."""
    return name in FACTS and sound(FACTS[name].type, value)


def bind(
    pack: Pack, known: Mapping[str, Any], reads: frozenset[str]
) -> tuple[dict[str, Any], Bound]:
    """The known facts and the parameters of `pack`, those among `reads` ready to evaluate."""
    values = {**known, **pack.values_on(known.get("clock.today"))}
    return values, pack.environment.bind({name: values[name] for name in reads & values.keys()})


def decide(rule: Rule, values: Mapping[str, Any], bound: Bound) -> Outcome:
    """What one rule says about bound values. Facts are checked before anything is evaluated."""
    for name in rule.applies_if_known:
        if name not in values:
            return _NOT_APPLICABLE
    if rule.given is not None:
        given = _evaluate(rule.given, values, bound)
        if given is not _HOLD:
            return _NOT_APPLICABLE if given is _CLEAR else given
    return _evaluate(rule.when, values, bound)


def _evaluate(program: Program, values: Mapping[str, Any], bound: Bound) -> Outcome:
    if not program.reads <= values.keys():
        return Outcome("missing", tuple(sorted(program.reads - values.keys())))
    held = program.holds(bound)
    if isinstance(held, Broken):
        return Outcome("broken", why=held.why)
    return _HOLD if held else _CLEAR


def _judge_pack(
    pack: Pack, known: Mapping[str, Any], stage: Stage, lacking: dict[str, list[Rule]]
) -> Iterator[Finding]:
    chapter = pack.chapter(JUDGED[stage], known.get("clock.today"))
    values, bound = bind(pack, known, chapter.reads)
    for rule in chapter.rules:
        outcome = decide(rule, values, bound)
        if outcome.says == "hold":
            yield _holds(rule, values)
        elif outcome.says == "broken":
            yield _broken(rule, values, outcome.why)
        for name in outcome.missing:
            if not _explained(name, known):
                lacking.setdefault(name, []).append(rule)


def in_force(pack: Pack, stage: Stage, today: date | None) -> tuple[Rule, ...]:
    """The rules of `pack` that are judged at `stage`, each in the text that counts that day."""
    return pack.chapter(JUDGED[stage], today).rules


def _explained(name: str, known: Mapping[str, Any]) -> bool:
    """A cylinder that is not in the archive has no columns: CODE_UNKNOWN already says so."""
    return name.startswith("cylinder.") and known.get("code.known") is not True


def _guards(
    packs: Sequence[Pack], known: Mapping[str, Any], stage: Stage, findings: Sequence[Finding]
) -> Iterator[Finding]:
    """What the engine itself insists on, whatever the packs say."""
    today = known.get("clock.today")
    judged = any(in_force(pack, stage, today) for pack in packs)
    if not judged or any(not pack.rules for pack in packs):
        yield _own("RULE_BROKEN", "engine.no-rules", _NO_RULES, {})
    unknown = known.get("code.known") is not True
    if unknown and not any(f.code == "CODE_UNKNOWN" and f.severity == "deny" for f in findings):
        values = {name: known.get(name) for name in ("code.text", "tag.uid")}
        yield _own("CODE_UNKNOWN", "engine.code-known", _CODE_UNKNOWN, values)


_NO_RULES = Template(
    "没有生效的规则，禁止充装；请检查 rigs/*.yaml 的 rules",
    "no rules in force, filling is refused; check `rules` in rigs/*.yaml",
)
_CODE_UNKNOWN = Template(
    "气瓶（编码 {code.text}，标签 {tag.uid}）不在本站档案中；请核对编码，确为本站气瓶的先建档再充装",
    "the cylinder (code {code.text}, tag {tag.uid}) is not in the archive; check the code, and "
    "register it before filling",
)
_WRONG_FACT = Template(
    "事实 {name} 未定义或取值类型错误，无法判定；请联系管理员",
    "fact {name} is undefined or of the wrong type, so nothing can be decided; call support",
)
_BROKEN = Template(
    "规则 {rule} 运算失败，无法判定，禁止充装；请联系管理员修正规则（{why}）",
    "rule {rule} failed and cannot be decided, filling is refused; have the rule fixed ({why})",
)
_MISSING = Template(
    "缺少{zh}（{name}），无法判定；{zh_remedy}",
    "{en} ({name}) is missing, so this cannot be decided; {en_remedy}",
)


def _untrusted(packs: Sequence[Pack], facts: Facts, stage: Stage) -> Iterator[Finding]:
    """One finding instead of a guess: the rules of days wait until the clock is right.

    It shows what the clock said, which no rule was told. Gas that flows already, and a cylinder that
    is weighed, are nobody's business of a clock: there only rules that wait say so.
    """
    waiting = sorted(
        rule.name for pack in packs for rule in in_force(pack, stage, None) if rule.reads & _DATED
    )
    if not waiting and stage not in JUDGED["permit"]:
        return
    shown = {name: facts[name] for name in _SAID_OF_CLOCK if facts.get(name) is not None}
    because = why(facts.get("clock.doubt")).render(shown)
    words = {"why.zh": because.zh, "why.en": because.en, "rules": waiting}
    values = {_CLOCK: False, **shown, "rules": waiting}
    message = WAITING.render(words)
    yield Finding("CLOCK_UNTRUSTED", "deny", message, ENGINE_BASIS, "engine.clock", values)


def _own(code: str, rule: str, template: Template, values: Mapping[str, Any]) -> Finding:
    return Finding(code, "deny", template.render(values), ENGINE_BASIS, rule, dict(values))


def _wrong_facts(names: Sequence[str]) -> list[Finding]:
    if not names:
        return []
    said = ({"name": name} for name in sorted(map(str, names)))
    return [_own("RULE_BROKEN", "engine.facts", _WRONG_FACT, each) for each in said]


def _holds(rule: Rule, values: Mapping[str, Any]) -> Finding:
    message, shown = rule.message.render(values), _shown(rule, values)
    return Finding(rule.code, rule.severity, message, rule.basis, rule.name, shown)


def _broken(rule: Rule, values: Mapping[str, Any], why: str) -> Finding:
    message, shown = _BROKEN.render({"rule": rule.name, "why": why}), _shown(rule, values)
    return Finding("RULE_BROKEN", "deny", message, rule.basis, rule.name, shown | {"error": why})


def _shown(rule: Rule, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _json(values[name]) for name in rule.values if name in values}


def _missing(name: str, rules: Sequence[Rule], known: Mapping[str, Any]) -> Finding:
    """One finding a missing fact: as severe as the most severe rule that needs it."""
    first = min(rules, key=lambda rule: (_SEVERITIES.index(rule.severity), rule.name))
    doc, do = (FACTS[name].doc, remedy(name)) if name in FACTS else (Message(name, name), _LOST)
    words = {"name": name, "zh": doc.zh, "en": doc.en, "zh_remedy": do.zh, "en_remedy": do.en}
    values: dict[str, Any] = {"missing": name, "rules": sorted({rule.name for rule in rules})}
    if "code.text" in known:
        values["code.text"] = known["code.text"]
    return Finding(
        "DATA_MISSING", first.severity, _MISSING.render(words), first.basis, first.name, values
    )


_LOST = Message("请联系管理员", "call support")


def _json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _rank(finding: Finding) -> tuple[int, int, str, str]:
    """Deny first, then the order of contract §8; the same whatever the order of the rules."""
    lacking = str(finding.values.get("missing", ""))
    severity = _SEVERITIES.index(finding.severity)
    return severity, _CODES[finding.code], finding.rule, lacking
