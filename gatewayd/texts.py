"""The one catalogue of operator-facing texts, in Chinese and English.

A text may hold `{placeholders}`, the same ones in both languages; a test checks it. To add a text,
add a line. Reasons of a verdict are not here: they come from the rule packs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence or label in both languages."""

    zh: str
    en: str


RIG_STATES: Mapping[str, Text] = {
    "rig.locked": Text(zh="已锁定", en="locked"),
    "rig.identifying": Text(zh="识别中", en="identifying"),
    "rig.judging": Text(zh="判定中", en="judging"),
    "rig.permitted": Text(zh="已许可", en="permitted"),
    "rig.filling": Text(zh="充装中", en="filling"),
    "rig.settling": Text(zh="稳定中", en="settling"),
    "rig.refused": Text(zh="已拒绝", en="refused"),
    "rig.fault": Text(zh="故障", en="fault"),
}
"""Contract §5."""

DEVICE_STATES: Mapping[str, Text] = {
    "device.connecting": Text(zh="连接中", en="connecting"),
    "device.up": Text(zh="在线", en="up"),
    "device.down": Text(zh="离线", en="down"),
    "device.fault": Text(zh="故障", en="fault"),
}
"""Contract §6."""

OUTCOMES: Mapping[str, Text] = {
    "outcome.completed": Text(zh="充装完成", en="completed"),
    "outcome.underfilled": Text(zh="欠装", en="underfilled"),
    "outcome.overfilled": Text(zh="超装", en="overfilled"),
    "outcome.aborted": Text(zh="已中止", en="aborted"),
    "outcome.interrupted": Text(zh="意外中断", en="interrupted"),
    "outcome.unauthorised": Text(zh="未经许可", en="unauthorised"),
    "outcome.not_started": Text(zh="未开始", en="not started"),
}
"""Contract §7."""

LABELS: Mapping[str, Text] = {
    "label.station": Text(zh="充装站", en="station"),
    "label.rig": Text(zh="工位", en="rig"),
    "label.rigs": Text(zh="工位", en="rigs"),
    "label.device": Text(zh="设备", en="device"),
    "label.devices": Text(zh="设备", en="devices"),
    "label.driver": Text(zh="驱动", en="driver"),
    "label.medium": Text(zh="介质", en="medium"),
    "label.identify": Text(zh="识别", en="identify"),
    "label.gate": Text(zh="联锁", en="gate"),
    "label.rules": Text(zh="规则包", en="rule packs"),
    "label.profiles": Text(zh="寄存器表", en="profiles"),
    "label.upstreams": Text(zh="上级平台", en="upstreams"),
    "label.state": Text(zh="状态", en="state"),
    "label.cylinder": Text(zh="气瓶", en="cylinder"),
    "label.verdict": Text(zh="判定", en="verdict"),
    "label.reason": Text(zh="原因", en="reason"),
    "label.net": Text(zh="净重", en="net"),
    "label.target": Text(zh="目标", en="target"),
    "label.records": Text(zh="记录", en="records"),
    "label.delivered": Text(zh="已送达", en="delivered"),
    "verdict.allow": Text(zh="允许", en="allow"),
    "verdict.deny": Text(zh="拒绝", en="deny"),
}
"""Words of contract §1 and headings of tables."""

SENTENCES: Mapping[str, Text] = {
    "check.ok": Text(zh="配置有效：{directory}", en="configuration is valid: {directory}"),
    "check.problems": Text(zh="发现 {count} 个错误", en="{count} problems found"),
    "check.warnings": Text(zh="{count} 条提醒", en="{count} warnings"),
}

TEXTS: Mapping[str, Text] = {**RIG_STATES, **DEVICE_STATES, **OUTCOMES, **LABELS, **SENTENCES}
"""Every text by its key."""


def text(key: str, language: Language, **values: Any) -> str:
    """The text of a key in that language, its placeholders filled; an unknown key is our error."""
    assert key in TEXTS, key
    chosen = TEXTS[key]
    return (chosen.zh if language == "zh" else chosen.en).format(**values)
