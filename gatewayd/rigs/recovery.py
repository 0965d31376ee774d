"""What an earlier life left behind at a rig: read from the store before its gate is touched."""

from gatewayd.rigs.machine import resume
from gatewayd.rigs.model import State
from gatewayd.store.reads import Reads


def left_behind(store: Reads, rig_id: str, now_ns: int) -> State:
    """The state to start with: at most one pending permit a rig. Raises StoreError."""
    pending = store.pending_permits(rig_id)
    assert len(pending) <= 1, pending
    return resume(
        now_ns,
        permit=pending[0] if pending else None,
        total_g=store.last_total_g(rig_id),
        last_filled=store.last_filled(rig_id),
    )
