"""Every kind of alarm with its one text: what it is, why it comes, what to do (zh and en).

The rule: an alarm is what a person has to act on, and what the station would be the worse for if
nobody heard of it. A device that comes back by itself in a minute, a refused cylinder and bytes
that were no frame are states, records and troubles, not alarms.
"""

from collections.abc import Mapping
from typing import Final

from gatewayd.alarms.gas import GAS
from gatewayd.alarms.kinds import Kind
from gatewayd.alarms.works import WORKS

KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in (*GAS, *WORKS)}
"""Every kind by its stable word."""
