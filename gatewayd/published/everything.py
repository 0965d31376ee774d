"""Every schema by its id, and the files that travel with the package in `v1/`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gatewayd.commands.schemas import documents as command_documents
from gatewayd.published import asyncapi
from gatewayd.shapes import documents
from gatewayd.shapes.catalogue import RECORDS, TOPICS, command_ids, record_id, topic_id
from gatewayd.upstreams.door import COMMANDS

SHIPPED: Final = Path(__file__).parent / "v1"
"""The same files, written when this version was made."""


def ids() -> tuple[str, ...]:
    """The id of every schema, without making any: what the topic `info` lists."""
    commands = (one for name in sorted(COMMANDS) for one in command_ids(name))
    return (*map(record_id, RECORDS), *map(topic_id, TOPICS), *commands)


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by its id."""
    made, asked = documents.schemas(), command_documents()
    for name in sorted(COMMANDS):
        request, reply = command_ids(name)
        made[request] = documents.identified(request, asked[f"{name}/request"])
        made[reply] = documents.identified(reply, asked[f"{name}/reply"])
    return made


def everything() -> dict[str, dict[str, Any]]:
    """Every document by its name: the schemas, and what says how they belong together."""
    return schemas() | {asyncapi.NAME: asyncapi.document()}


def as_text(document: Mapping[str, Any]) -> str:
    """A document as the text of its file."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def write(directory: Path) -> tuple[Path, ...]:
    """Write `<name>.json` for every document into a folder; raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, document in everything().items():
        path = directory / f"{name}.json"
        path.write_text(as_text(document), encoding="utf-8")
        written.append(path)
    return tuple(written)
