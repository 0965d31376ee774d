"""Words of the finding and testing commands in both languages; a test compares placeholders."""

from collections.abc import Mapping
from typing import Any

from gatewayd.texts import Language, Text

DRIVERS: Mapping[str, Text] = {
    "drivers.models": Text(zh="已知型号", en="models"),
    "drivers.formats": Text(zh="协议格式", en="formats"),
    "drivers.bauds": Text(zh="常用波特率", en="usual bauds"),
    "drivers.tcp_ports": Text(zh="常用 TCP 端口", en="usual TCP ports"),
    "drivers.usb_ids": Text(zh="USB 编号", en="USB ids"),
    "drivers.example": Text(zh="示例（devices/*.yaml）", en="example for devices/*.yaml"),
}

FORMATS: Mapping[str, Text] = {
    "formats.format": Text(zh="格式", en="format"),
    "formats.kind": Text(zh="种类", en="kind"),
    "formats.summary": Text(zh="说明", en="what it is"),
    "formats.proof": Text(zh="校验", en="proof"),
    "formats.drivers": Text(zh="驱动", en="drivers"),
    "formats.bits": Text(zh="{bits} 位", en="{bits} bits"),
    "formats.later": Text(zh="此版本尚未支持", en="not in this version"),
}

PROFILES: Mapping[str, Text] = {
    "profiles.serves": Text(zh="可用于", en="serves"),
    "profiles.from": Text(zh="来源", en="from"),
    "profiles.shipped": Text(zh="随程序提供", en="shipped"),
    "profiles.source": Text(zh="依据", en="source"),
    "profiles.register": Text(zh="寄存器", en="register"),
    "profiles.direction": Text(zh="方向", en="direction"),
    "profiles.name": Text(zh="名称", en="name"),
    "profiles.type": Text(zh="类型", en="type"),
    "profiles.meaning": Text(zh="含义", en="meaning"),
}

WORDS: Mapping[str, Text] = {**DRIVERS, **FORMATS, **PROFILES}
"""Every text by its key."""


def say(key: str, language: Language, **values: Any) -> str:
    """The text of a key in that language, its placeholders filled; an unknown key is our error."""
    assert key in WORDS, key
    chosen = WORDS[key]
    return (chosen.zh if language == "zh" else chosen.en).format(**values)
