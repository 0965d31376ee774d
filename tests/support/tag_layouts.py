"""A layout of sixteen bytes made up for tests, and bytes of it: clean, with a finding, spoilt."""

import json
from typing import Any

from protocols.checksums import xmodem
from protocols.tags.layout import Layout, compile_layout
from protocols.tags.layout_file import LayoutSettings

NAME = "site-tag"
FINDING_BYTES = 9


def memory(finding: str = "", due: str = "203012") -> bytes:
    """What a tag of this layout holds."""
    said = finding.encode("gb18030").ljust(FINDING_BYTES, b"\0")
    assert len(said) == FINDING_BYTES, finding
    body = b"GT" + bytes.fromhex(due) + said
    return body + xmodem(body).to_bytes(2, "big")


def settings(**more: Any) -> dict[str, Any]:
    """The layout as it stands in tags/*.yaml."""
    fields = [
        {"name": "magic", "length": 2, "type": "const", "value": "4754"},
        {"name": "due", "length": 3, "type": "date", "format": "bcd_yyyymm"},
        {"name": "finding", "length": FINDING_BYTES, "type": "gb18030"},
        {"name": "sum", "length": 2, "type": "checksum", "algorithm": "xmodem"},
    ]
    example = {"hex": memory().hex(), "fields": {"due": "2030-12", "finding": ""}}
    return {
        "title": {"zh": "测试标签", "en": "test tag"},
        "source": "made up for tests",
        "verified": True,
        "fields": fields,
        "finding": {"field": "finding"},
        "facts": {"next_inspection_on": "due"},
        "examples": [example],
        **more,
    }


def layout(**more: Any) -> Layout:
    """The layout, compiled."""
    return compile_layout(NAME, LayoutSettings.model_validate_json(json.dumps(settings(**more))))
