"""What is known of people and checks: facts for the rules, and what every record says of them.

Both come from the store alone, so the rig and `gatewayd verdict` know the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gatewayd.rigs.model import Identity
from gatewayd.rigs.sources import Asked
from gatewayd.settings.model import RigSettings
from gatewayd.store.people_model import Check
from gatewayd.store.reads import Reads

NOTHING: Mapping[str, Any] = dict.fromkeys(("batch", "operator", "precheck", "postcheck"))


@dataclass(frozen=True, slots=True)
class People:
    """The facts `operator.*`, `checks.*` and what a rig requires.

    A store that cannot be read permits nothing: a failed check speaks against a cylinder at every
    rig, also at one that asks for none, and no rule misses it where it cannot be seen.
    """

    reads: Reads

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """Everything at this moment; a rig that asks for nobody requires nobody; raises StoreError."""
        required = _required(asked.rig)
        return {**self._operator(asked), **self._checks(asked), **required, **self._due(asked)}

    def _operator(self, asked: Asked) -> dict[str, Any]:
        """Who is logged in, as the list has them now: the certificate may be renewed meanwhile."""
        if asked.rig.operator is None:
            return {}
        session = self.reads.session(asked.rig_id)
        lives = session is not None and session.lives(asked.wall)
        operator = self.reads.operator(session.operator_id) if session and lives else None
        if operator is None or operator.barred:
            return {"operator.logged_in": False}
        return {
            "operator.logged_in": True,
            "operator.id": operator.id,
            "operator.name": operator.name,
            "operator.certificate": operator.certificate,
            "operator.certificate_until": operator.certificate_until,
            "operator.media": list(operator.media) or None,
        }

    def _checks(self, asked: Asked) -> dict[str, Any]:
        """What the pre-fill checks of this cylinder, and of its rig's batch, say.

        A failed check of any form speaks against it until a new one of that form passes.
        """
        checks = prefill(self.reads, asked.rig_id, asked.identity)
        asked_for = asked.rig.precheck
        counting = [each for each in checks if each.failed or each.passed(asked.wall)]
        facts: dict[str, Any] = {}
        if asked_for is not None:
            facts["checks.precheck_done"] = any(each.form == asked_for.form for each in counting)
        if counting:
            failed = dict.fromkeys(item for each in counting for item in each.failed)
            facts["checks.failed"] = list(failed)
        for each in counting:
            facts |= each.facts
        return facts

    def _due(self, asked: Asked) -> dict[str, Any]:
        """Whether the last fill of this cylinder was checked, and which check this rig still owes.

        What the rig of that fill asked for goes with the cylinder: whoever lets it out must know.
        """
        facts: dict[str, Any] = {}
        cylinder = asked.identity.cylinder
        if cylinder is not None:
            checks = self.reads.checks(cylinder.code)
            after = [each for each in checks if each.stage == "postfill"]
            open_ = bool(self.reads.due_for(cylinder.code))
            if after or open_:
                facts["checks.postcheck_done"] = not open_
            if open_:
                facts["rig.postcheck_required"] = True
            if after:
                failed = dict.fromkeys(item for each in after for item in each.failed)
                facts["checks.postcheck_failed"] = list(failed)
            for each in after:
                facts |= each.facts
        owed = owing(self.reads, asked.rig_id, asked.rig)
        return facts if owed is None else {**facts, "rig.postcheck_open": owed}


def _required(rig: RigSettings) -> dict[str, bool]:
    asked = {"operator": rig.operator, "precheck": rig.precheck, "postcheck": rig.postcheck}
    return {f"rig.{name}_required": of.required for name, of in asked.items() if of is not None}


def prefill(reads: Reads, rig_id: str, who: Identity) -> tuple[Check, ...]:
    """The newest pre-fill checks that count here: of this cylinder, and of the open batch."""
    checks = () if who.cylinder is None else reads.checks(who.cylinder.code)
    batch = reads.open_batch(rig_id)
    of_batch = () if batch is None else reads.checks(batch.key, scope="batch")
    return tuple(each for each in (*checks, *of_batch) if each.stage == "prefill")


def owing(reads: Reads, rig_id: str, rig: RigSettings) -> str | None:
    """The cylinder whose open post-fill check holds up the next permit of this rig."""
    asked = rig.postcheck
    if asked is None or not asked.required:
        return None
    waiting = reads.due_at(rig_id)
    return waiting[0].cylinder_code if len(waiting) > asked.open_max else None


def attended(
    reads: Reads, rig_id: str, rig: RigSettings, who: Identity, wall: datetime
) -> Mapping[str, Any]:
    """What a record says of people and checks (contract §7); raises StoreError."""
    batch, session = reads.open_batch(rig_id), reads.session(rig_id)
    present = rig.operator is not None and session is not None and session.lives(wall)
    return {
        "batch": None if batch is None else batch.number,
        "operator": session.shown() if session is not None and present else None,
        "precheck": _precheck(reads, rig_id, rig, who, wall),
        "postcheck": _postcheck(rig),
    }


def _precheck(
    reads: Reads, rig_id: str, rig: RigSettings, who: Identity, wall: datetime
) -> dict[str, Any] | None:
    """Which check was asked for and what it said; the check record has every answer."""
    asked = rig.precheck
    if asked is None:
        return None
    found = [each for each in prefill(reads, rig_id, who) if each.form == asked.form]
    counting = next((each for each in found if each.failed or each.passed(wall)), None)
    return {
        "form": asked.form,
        "required": asked.required,
        "done": counting is not None,
        "failed": list(counting.failed) if counting else [],
        "record_id": counting.record_id if counting else None,
        "operator": counting.operator if counting else None,
    }


def _postcheck(rig: RigSettings) -> dict[str, Any] | None:
    """Which check the fill will need; its answer is a record of its own that names the fill."""
    asked = rig.postcheck
    return (
        None if asked is None else {"form": asked.form, "required": asked.required, "done": False}
    )
