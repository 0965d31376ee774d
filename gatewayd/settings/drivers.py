"""The driver table: every device driver that is installed, by the name used in devices/*.yaml."""

from drivers.contract import DriverType
from gatewayd.settings.table import Table

GROUP = "gatewayd.drivers"


def driver_table() -> Table[DriverType]:
    """All installed drivers; nothing is imported until its name is asked for."""
    return Table("driver", GROUP, DriverType)
