"""How a gate's memory survives its process: one line of JSON in the store, a rig."""

import json
from dataclasses import asdict, replace
from typing import Protocol

from gatewayd.logs import logger
from gatewayd.rigs.ending import moved_g
from gatewayd.rigs.soft_model import Memory


class Keeper(Protocol):
    """Where it is kept: the store."""

    def kept(self, rig_id: str) -> str | None:
        """What was kept last; None when nothing ever was."""
        ...

    def last_total_g(self, rig_id: str) -> int | None:
        """The totaliser at the rig's last record."""
        ...

    async def keep(self, rig_id: str, text: str) -> None:
        """Keep this text, durably; raises StoreError."""
        ...


def spelled(memory: Memory) -> str:
    """The text to keep."""
    return json.dumps(asdict(memory))


def recall(store: Keeper, rig_id: str) -> Memory:
    """What the gate of this rig must know of its past.

    Without a memory, or with one that another gate has left behind meanwhile, it goes on from the
    rig's last record.
    """
    recorded_g = store.last_total_g(rig_id) or 0
    text = store.kept(rig_id)
    if text is None:
        return Memory(total_g=recorded_g)
    try:
        memory = Memory(**json.loads(text))
    except (ValueError, TypeError) as exc:
        logger("rigs").bind(rig=rig_id).error("gate.memory_unreadable", error=str(exc))
        return Memory(total_g=recorded_g)
    if moved_g(recorded_g, memory.total_g) < 0:
        return replace(memory, total_g=recorded_g, flowing=False)
    return memory
