"""A verdict in sentences, in Chinese or English, for a terminal or a page."""

from collections.abc import Iterator, Mapping

from rules_engine.reasons import REASONS
from rules_engine.template import Language
from rules_engine.verdict import Finding, PackRef, Verdict

_DECISIONS = {
    "zh": {"allow": "允许充装", "deny": "禁止充装"},
    "en": {"allow": "filling allowed", "deny": "filling refused"},
}
_ELSEWHERE: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "receive": {
        "zh": {"allow": "通过", "deny": "不予通过"},
        "en": {"allow": "passes", "deny": "does not pass"},
    },
    "fill": {
        "zh": {"allow": "可继续充装", "deny": "停止充装"},
        "en": {"allow": "filling may go on", "deny": "stop filling"},
    },
    "postfill": {
        "zh": {"allow": "充装后判定合格", "deny": "充装后判定不合格"},
        "en": {"allow": "well filled", "deny": "not well filled"},
    },
    "dispatch": {
        "zh": {"allow": "允许出站", "deny": "不得出站"},
        "en": {"allow": "may leave", "deny": "may not leave"},
    },
}
"""What a decision means where nothing is about to be filled."""
_SEVERITIES = {
    "zh": {"deny": "拒绝", "warn": "警告", "observe": "观察（生效后将拒绝）"},
    "en": {"deny": "deny", "warn": "warning", "observe": "observed (would deny)"},
}
_OVERRIDE = {
    "zh": "放宽 {rule} 至 {until}（{state}）：{reason}；批准人 {by}",
    "en": "loosened {rule} through {until} ({state}): {reason}; approved by {by}",
}
_APPLIED = {"zh": ("本次未采用", "本次采用"), "en": ("not applied", "applied")}
"""An override may be in force and not applied: where no rule was asked, or the day is in doubt."""
_BUT = {"zh": "（注意：{titles}）", "en": " (mind: {titles})"}


def sentences(verdict: Verdict, language: Language) -> list[str]:
    """The decision, then one sentence a finding with its reason, basis and rule id."""
    first = _DECISIONS[language][verdict.decision]
    return [first, *(_finding(finding, language) for finding in verdict.findings)]


def headline(verdict: Verdict, language: Language, stage: str = "permit") -> str:
    """One sentence for the person there: the decision, and the reasons that refuse, or else warn."""
    decision = _ELSEWHERE.get(stage, _DECISIONS)[language][verdict.decision]
    if verdict.allowed:
        warned = _titles(verdict, "warn", language)
        return decision + (_BUT[language].format(titles=warned) if warned else "")
    colon = "：" if language == "zh" else ": "
    return f"{decision}{colon}{_titles(verdict, 'deny', language)}"


def _titles(verdict: Verdict, severity_: str, language: Language) -> str:
    """The reasons of one severity, each once."""
    codes = [finding.code for finding in verdict.findings if finding.severity == severity_]
    comma = "、" if language == "zh" else ", "
    return comma.join(title(code, language) for code in dict.fromkeys(codes))


def severity(finding: Finding, language: Language) -> str:
    """What a finding does, in a word or two."""
    return _SEVERITIES[language][finding.severity]


def sources(verdict: Verdict, language: Language) -> list[str]:
    """Which texts decided: each pack with version and hash, what it extends, what is loosened."""
    return [line for pack in verdict.packs for line in _sources(pack, language)]


def _sources(pack: PackRef, language: Language) -> Iterator[str]:
    yield f"{pack.id} {pack.version} sha256:{pack.hash}"
    if pack.extends is not None:
        yield f"  extends {pack.extends.id} {pack.extends.version} sha256:{pack.extends.hash}"
    for each in pack.overrides:
        words = {"rule": each.rule, "until": each.until.isoformat(), "reason": each.reason}
        state = _APPLIED[language][int(each.in_force(pack.today))]
        yield "  " + _OVERRIDE[language].format(**words, state=state, by=each.approved_by)


def title(code: str, language: Language) -> str:
    """The short title of a reason code; the code itself when it is not one of contract §8."""
    reason = REASONS.get(code)
    if reason is None:
        return code
    return reason.zh if language == "zh" else reason.en


def _finding(finding: Finding, language: Language) -> str:
    does = severity(finding, language)
    name = title(finding.code, language)
    if language == "zh":
        where = f"依据：{finding.basis}；规则：{finding.rule}"
        return f"{does} {finding.code} {name}：{finding.message.zh}（{where}）"
    where = f"basis: {finding.basis}; rule: {finding.rule}"
    return f"{does} {finding.code} {name}: {finding.message.en} ({where})"
