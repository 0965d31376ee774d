"""What the daemon carries along: nothing that only another command, or another driver, needs."""

import subprocess
import sys

import pytest

ELSEWHERE = frozenset(
    {
        *("rich", "pygments", "attr"),  # tables on a terminal
        *("aiohttp", "prometheus_client"),  # the page and its scrape, when one is configured
        *("nats", "aiokafka", "confluent_kafka", "asyncpg", "psycopg"),  # other upstreams
        *("llrpkit", "usb", "evdev", "smartcard"),  # other drivers
        *("openpyxl", "xlsxwriter", "lxml"),  # import and export
    }
)
LOADED = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*{each.partition(".")[0] for each in sys.modules})
"""


def loaded(*names: str) -> set[str]:
    """The packages that a process has which imports these modules."""
    asked = [sys.executable, "-c", LOADED, *names]
    done = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "names",
    [
        ("gatewayd.cli.root", "gatewayd.cli.run"),
        ("gatewayd.upstreams.mqtt", "drivers.plc.modbus", "drivers.barcode.line"),
    ],
)
def test_the_daemon_loads_no_library_that_it_does_not_use(names: tuple[str, ...]) -> None:
    assert loaded(*names) & ELSEWHERE == set()


def test_a_command_that_shows_tables_still_can() -> None:
    """Whoever wants the library that logs do without gets it, before and after."""
    assert "rich" in loaded("gatewayd.logs", "rich.table")
    assert {"rich", "structlog"} <= loaded("rich.table", "gatewayd.logs")
