"""Findings of the rig itself: reasons that no rule pack can judge, in the catalogue's words."""

from dataclasses import replace
from typing import Any

from drivers.contract import GateSample
from drivers.readings import Unread
from gatewayd.rigs.identity import plain_code
from gatewayd.rigs.model import Clash, Hint, Identity
from gatewayd.texts import FINDINGS, HINTS, text
from rules_engine.verdict import Finding, Message, Verdict

BASIS = {
    "NO_TAG": "GB/T 38059-2019 (verified: false): identify before filling",
    "UNREADABLE": "GB/T 38059-2019 (verified: false): identify before filling",
    "AMBIGUOUS": "contract v1 §5: one cylinder, one identity",
    "TAG_MISMATCH": "GB/T 38059-2019 (verified: false): verify the tag before filling",
    "CODE_UNKNOWN": "GB/T 38059-2019 (verified: false): identify by the file of the cylinder",
    "CODE_DUPLICATE": "DB4114/T 185-2023 4.7, 4.9 (verified: false; local): one code, one cylinder",
    "TARE_UNKNOWN": "contract v1 §10: the measured tare is the stable gross weight",
    "RESIDUAL": "contract v1 §10: target = allowed net - residue",
    "DATA_MISSING": "contract v1 §9: an empty cell is unknown",
    "ARCHIVE_STALE": "archive.offline of gateway.yaml: decided by the site, no text of law says so",
    "REGULATOR_LOCK": "DB4114/T 185-2023 4.10 (verified: false; local): scales can be locked from afar",
    "STORE_UNAVAILABLE": "TSG 07-2019 D2.1(4) (verified: false): fill records are kept",
}
"""Where each reason comes from. A number of law never stands here, only in rule packs."""
LOCKED = "REGULATOR_LOCK"
POSTCHECK_OPEN = "rig.postcheck_open"
"""The rule of the finding that a rig still owes a post-fill check."""


class _Values(dict[str, Any]):
    """What a text asks for and nobody knows is shown as `?`."""

    def __missing__(self, key: str) -> str:
        return "?"


def finding(code: str, **values: Any) -> Finding:
    """The finding of a rig-level reason; `values` fill its text."""
    chosen, known = FINDINGS[f"finding.{code}"], _Values(values)
    message = Message(zh=chosen.zh.format_map(known), en=chosen.en.format_map(known))
    return Finding(code, "deny", message, BASIS[code], f"rig.{code.lower()}", values)


def loosened(code: str, **values: Any) -> Finding:
    """A warning that the site itself put in the place of a refusal, and says so in writing."""
    found = finding(code, **values)
    return replace(found, severity="warn", rule=f"site.{code.lower()}")


def postcheck_open(cylinder: str) -> Finding:
    """The finding that the post-fill check of a cylinder filled here is still open."""
    key = "finding.postcheck_open"
    message = Message(text(key, "zh", cylinder=cylinder), text(key, "en", cylinder=cylinder))
    basis = "contract v1 §10: postcheck.required of the rig's file"
    values = {POSTCHECK_OPEN: cylinder}
    return Finding("DATA_MISSING", "deny", message, basis, POSTCHECK_OPEN, values)


def reason_at_rig(code: str, who: Identity, sample: GateSample | None) -> Finding:
    """The finding of a reason that the machine names, with what was seen and weighed there."""
    if code == "AMBIGUOUS":
        one = (who.uid, who.code)
        seen = ", ".join(who.shown or [text for text in one if text])
        return advised(finding(code, seen=seen), who.hint)
    if code == "TAG_MISMATCH" and who.clash is not None:
        return advised(mismatch(who.clash), who.hint)
    if code == "UNREADABLE" and who.unread is not None:
        return unreadable(who.unread)
    if code == "CODE_DUPLICATE" and who.cylinder is not None:
        return finding(code, cylinder=who.cylinder.code, elsewhere=who.elsewhere or "?")
    if code == "TARE_UNKNOWN" and sample is not None:
        return finding(code, tare_g=sample.gross_g)
    return finding(code)


def unreadable(unread: Unread) -> Finding:
    """The finding that a device heard something and could not read it, with what it heard."""
    told = {"device": unread.device, "seen": unread.shown(), "why": unread.why}
    return finding("UNREADABLE", **told, raw_hex=unread.raw.hex())


def mismatch(clash: Clash) -> Finding:
    """Tag and printed code do not name one cylinder; both are told, with what they name."""
    values = {
        "tag.uid": clash.uid,
        "code.text": plain_code(clash.code),
        "cylinder_of_tag": clash.by_uid,
        "cylinder_of_code": clash.by_code,
    }
    said, unknown = FINDINGS["finding.TAG_MISMATCH"], HINTS["hint.not_on_file"]

    def told(template: str, nobody: str) -> str:
        names = {"by_uid": clash.by_uid or nobody, "by_code": clash.by_code or nobody}
        return template.format(uid=clash.uid, code=values["code.text"], **names)

    message = Message(zh=told(said.zh, unknown.zh), en=told(said.en, unknown.en))
    basis = BASIS["TAG_MISMATCH"]
    return Finding("TAG_MISMATCH", "deny", message, basis, "rig.tag_mismatch", values)


def advise(verdict: Verdict, who: Identity) -> Verdict:
    """The verdict, with what to change where a cylinder is not in the archive, and where it is, too."""
    if who.hint is None and not who.elsewhere:
        return verdict
    return replace(verdict, findings=tuple(_advised(each, who) for each in verdict.findings))


def _advised(found: Finding, who: Identity) -> Finding:
    if found.code == "CODE_UNKNOWN":
        return advised(found, who.hint)
    if found.code != "CODE_DUPLICATE" or not who.elsewhere:
        return found
    said = HINTS["hint.elsewhere"]
    zh, en = (each.format(place=who.elsewhere) for each in (said.zh, said.en))
    message = Message(zh=f"{found.message.zh}。{zh}", en=f"{found.message.en}. {en}")
    return replace(found, message=message, values={**found.values, "elsewhere": who.elsewhere})


def advised(found: Finding, hint: Hint | None) -> Finding:
    """The finding with the hint behind its text and in its values; it decides nothing."""
    if hint is None:
        return found
    chosen = HINTS[f"hint.{hint.kind}"]
    words = {"seen": hint.seen, "known": hint.known}
    told = {"hint": hint.kind, "hint_seen": hint.seen, "hint_known": hint.known}
    message = Message(
        zh=f"{found.message.zh}。{chosen.zh.format(**words)}",
        en=f"{found.message.en}. {chosen.en.format(**words)}",
    )
    return replace(found, message=message, values={**found.values, **told})
