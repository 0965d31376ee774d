"""What a fill does to checks and batches, in the transaction of its record."""

import apsw

from gatewayd.store import rows
from gatewayd.store.model import RecordDraft


def filled(connection: apsw.Connection, draft: RecordDraft) -> None:
    """A fill with gas of a known cylinder; anything else changes nothing.

    The cylinder's pre-fill checks are used up, its post-fill check is due where the rig asked for
    one, and the batch counts it.
    """
    code, data = draft.counts_fill_of, draft.data
    if code is None:
        return
    connection.execute(
        "UPDATE checks SET spent_by = ? WHERE scope = 'cylinder' AND subject = ? "
        "AND stage = 'prefill' AND spent_by IS NULL",
        (draft.id, code),
    )
    postcheck = data.get("postcheck")
    if postcheck and postcheck["required"]:
        connection.execute(
            "INSERT INTO postchecks_due (fill_id, rig, cylinder, form, filled_at) "
            "VALUES (?, ?, ?, ?, ?)",
            (draft.id, draft.rig_id, code, postcheck["form"], rows.utc(draft.time)),
        )
    connection.execute(
        "UPDATE batches SET fills = fills + 1, net_g = net_g + ? WHERE rig = ? AND number = ?",
        (data.get("net_g", 0), draft.rig_id, data.get("batch")),
    )
