"""The driver table: every device driver that is installed, by the name used in devices/*.yaml."""

from drivers.contract import DriverType
from gatewayd.settings.table import PluginError, Table
from protocols.decode import add_format

GROUP = "gatewayd.drivers"


class DriverTable(Table[DriverType]):
    """The drivers; with a driver come the formats that only it knows."""

    def get(self, name: str) -> DriverType:
        """Import the driver of that name and learn its formats; raises PluginError."""
        driver = super().get(name)
        for row in driver.own_formats:
            try:
                add_format(row)
            except ValueError as exc:
                expected = "a name that no other format has"
                raise PluginError(f"driver {name!r} cannot be loaded: {exc}", expected) from exc
        return driver


def driver_table() -> DriverTable:
    """All installed drivers; nothing is imported until its name is asked for."""
    return DriverTable("driver", GROUP, DriverType)


def learn_formats() -> None:
    """Make the formats of other people's drivers known; a broken driver teaches nothing."""
    table = driver_table()
    for name in table.foreign():
        try:
            table.get(name)
        except PluginError:
            continue  # `gatewayd drivers` says why.
