"""A cylinder that was overfilled stays where it is until a person has answered for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatewayd.errors import StoreError
from gatewayd.rigs.sources import Asked
from gatewayd.store.reads import Reads

ALARM = "overfilled"
"""The alarm that a rig raises of such a cylinder; acknowledged when the excess is out."""


def put_in(reads: Reads, cylinder: str) -> Mapping[str, Any] | None:
    """What the last fill put in, by which it might leave; None: told already, or nobody can tell."""
    try:
        told, filled_g = reads.alarm_stands(ALARM, cylinder), reads.life(cylinder).filled_g
    except StoreError:
        return None
    return None if told or filled_g is None else {"safe_net_g": filled_g}


@dataclass(frozen=True, slots=True)
class Overfull:
    """Whether the alarm of an overfilled cylinder stands."""

    reads: Reads

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """`history.overfilled`, of a cylinder that the archive knows.

        A store that cannot be read counts as yes: nobody can tell that the cylinder was put right.
        """
        cylinder = asked.identity.cylinder
        if cylinder is None:
            return {}
        try:
            stands = self.reads.alarm_stands(ALARM, cylinder.code)
        except StoreError:
            stands = True
        return {"history.overfilled": stands}
