"""A verdict in sentences, in Chinese or English, for a terminal or a page."""

from rules_engine.reasons import REASONS
from rules_engine.template import Language
from rules_engine.verdict import Finding, Verdict

_DECISIONS = {
    "zh": {"allow": "允许充装", "deny": "禁止充装"},
    "en": {"allow": "filling allowed", "deny": "filling refused"},
}
_SEVERITIES = {
    "zh": {"deny": "拒绝", "warn": "警告", "observe": "观察"},
    "en": {"deny": "deny", "warn": "warning", "observe": "observed"},
}


def sentences(verdict: Verdict, language: Language) -> list[str]:
    """The decision, then one sentence a finding with its reason, basis and rule id."""
    first = _DECISIONS[language][verdict.decision]
    return [first, *(_finding(finding, language) for finding in verdict.findings)]


def title(code: str, language: Language) -> str:
    """The short title of a reason code; the code itself when it is not one of contract §8."""
    reason = REASONS.get(code)
    if reason is None:
        return code
    return reason.zh if language == "zh" else reason.en


def _finding(finding: Finding, language: Language) -> str:
    severity = _SEVERITIES[language][finding.severity]
    name = title(finding.code, language)
    if language == "zh":
        where = f"依据：{finding.basis}；规则：{finding.rule}"
        return f"{severity} {finding.code} {name}：{finding.message.zh}（{where}）"
    where = f"basis: {finding.basis}; rule: {finding.rule}"
    return f"{severity} {finding.code} {name}: {finding.message.en} ({where})"
