"""The upstream table: every kind of upstream that is installed, by the name used in gateway.yaml."""

from gatewayd.settings.kinds import UPSTREAMS_GROUP, UpstreamType
from gatewayd.settings.table import Table


def upstream_table() -> Table[UpstreamType]:
    """All installed kinds; nothing is imported until its name is asked for."""
    return Table("upstream driver", UPSTREAMS_GROUP, UpstreamType)
