"""A verdict in sentences, in Chinese or English, for a terminal or a page."""

from collections.abc import Iterator

from rules_engine.reasons import REASONS
from rules_engine.template import Language
from rules_engine.verdict import Finding, PackRef, Verdict

_DECISIONS = {
    "zh": {"allow": "允许充装", "deny": "禁止充装"},
    "en": {"allow": "filling allowed", "deny": "filling refused"},
}
_SEVERITIES = {
    "zh": {"deny": "拒绝", "warn": "警告", "observe": "观察（生效后将拒绝）"},
    "en": {"deny": "deny", "warn": "warning", "observe": "observed (would deny)"},
}
_OVERRIDE = {
    "zh": "放宽 {rule} 至 {until}（{state}）：{reason}；批准人 {by}",
    "en": "loosened {rule} through {until} ({state}): {reason}; approved by {by}",
}
_APPLIED = {"zh": ("未生效", "生效中"), "en": ("not in force", "in force")}


def sentences(verdict: Verdict, language: Language) -> list[str]:
    """The decision, then one sentence a finding with its reason, basis and rule id."""
    first = _DECISIONS[language][verdict.decision]
    return [first, *(_finding(finding, language) for finding in verdict.findings)]


def headline(verdict: Verdict, language: Language) -> str:
    """One sentence for the person at the rig: the decision, and the reasons that refuse."""
    codes = [finding.code for finding in verdict.findings if finding.severity == "deny"]
    titles = ("、" if language == "zh" else ", ").join(
        title(code, language) for code in dict.fromkeys(codes)
    )
    decision = _DECISIONS[language][verdict.decision]
    colon = "：" if language == "zh" else ": "
    return f"{decision}{colon}{titles}" if titles else decision


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
