"""Acknowledge a refusal: somebody has seen it (contract §5). The cylinder is not judged again."""

from functools import partial

from gatewayd.desk.base import Base
from gatewayd.desk.terms import Acknowledged, By, No, no
from gatewayd.rigs.model import Phase


class Refusals(Base):
    """What stands refused at the rigs."""

    async def acknowledge(self, rig_id: str, *, by: By) -> Acknowledged | No:
        """End the state `refused` of a rig: it is `locked` until that cylinder leaves.

        Refuses `no_rig nothing_refused store_unavailable`.
        """
        return await self._one(partial(self._acknowledge, rig_id, by))

    async def _acknowledge(self, rig_id: str, by: By) -> Acknowledged | No:
        rig = self._rig(rig_id)
        if isinstance(rig, No):
            return rig
        at_rig = self.rigs[rig_id]
        state = at_rig.state
        if state.phase is not Phase.REFUSED or not state.presence:
            return no("nothing_refused", rig=rig_id)
        code = state.identity.cylinder.code if state.identity.cylinder else None
        data = {
            "cylinder": {"code": code, "tag_uid": state.identity.uid},
            "findings": list(state.findings),
        }
        draft = self._draft("acknowledgement", rig_id, self._clock.wall(), by, data)
        await self._store.append(draft)
        self._log.info("desk.acknowledged", rig=rig_id, findings=state.findings)
        at_rig.people.acknowledge(state.presence)
        return Acknowledged(draft.id, code, state.findings)
