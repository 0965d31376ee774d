"""Plug-ins of real distributions: one bad one hurts nobody, and a clash is never guessed away."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.contract import DriverType
from gatewayd.settings.drivers import driver_table, learn_formats
from gatewayd.settings.load import examine
from gatewayd.settings.table import PluginError, Table
from gatewayd.settings.upstreams import upstream_table
from tests.support.configs import DEVICES, write_config

SOURCE = """
from drivers.contract import DriverType, Strict

class S(Strict):
    pass

D = DriverType("vendor.reader", S, None, lambda s: "usb:1", "a reader", frozenset({"identify"}))
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed distributions on the import path."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        del sys.modules[name]


def install(site: Path, dist: str, entries: dict[str, str], source: str = SOURCE) -> None:
    """A real distribution: its metadata, and a module named after it."""
    info = site / f"{dist}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
    rows = "".join(f"{name} = {value}\n" for name, value in entries.items())
    (info / "entry_points.txt").write_text(f"[gatewayd.drivers]\n{rows}")
    (site / f"{dist}.py").write_text(source)


def error(table: Table[DriverType], name: str) -> str:
    with pytest.raises(PluginError) as caught:
        table.get(name)
    return str(caught.value)


def test_the_shipped_drivers_and_upstreams_are_found_by_name() -> None:
    assert {"rfid.uhfreader", "barcode.serial", "barcode.tcp", "plc.modbus"} <= set(
        driver_table().names
    )
    for name in ("rfid.uhfreader", "barcode.serial", "barcode.tcp", "plc.modbus"):
        assert driver_table().get(name).name == name
    assert upstream_table().get("mqtt").name == "mqtt"


def test_a_third_party_adds_a_driver_by_an_entry_point(site: Path) -> None:
    install(site, "vendor", {"vendor.reader": "vendor:D"})
    assert driver_table().get("vendor.reader").summary == "a reader"


def test_a_driver_that_could_hang_unnoticed_is_warned_of(site: Path, tmp_path: Path) -> None:
    install(site, "vendor", {"vendor.reader": "vendor:D"})
    added = {"devices/all.yaml": f"{DEVICES}  new-1: {{driver: vendor.reader}}\n"}
    said = [str(each) for each in examine(write_config(tmp_path / "etc", added)).warnings]
    assert [each for each in said if "nobody notices when its driver vendor.reader hangs" in each]
    lively = SOURCE.replace('{"identify"}))', '{"identify"}), lively_s=30.0)')
    (site / "vendor.py").write_text(lively)
    del sys.modules["vendor"]
    importlib.invalidate_caches()
    said = [str(each) for each in examine(write_config(tmp_path / "etc2", added)).warnings]
    assert not [each for each in said if "hangs" in each]


def test_a_driver_is_imported_only_when_it_is_asked_for(site: Path) -> None:
    install(site, "vendor", {"vendor.reader": "vendor:D"}, "raise SystemError('no usb library')")
    table = driver_table()
    assert "vendor.reader" in table.names
    assert table.get("plc.modbus").name == "plc.modbus"
    assert error(table, "vendor.reader") == (
        "driver 'vendor.reader' cannot be loaded: SystemError: no usb library; reinstall vendor"
    )


def test_two_distributions_with_one_name_are_an_error_that_names_both(site: Path) -> None:
    install(site, "vendor", {"plc.modbus": "vendor:D"})
    assert error(driver_table(), "plc.modbus") == (
        "driver 'plc.modbus' is claimed by gatewayd and vendor; one distribution a name; "
        "uninstall one of them"
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("D = 7", "of vendor is broken; vendor:D must be a DriverType"),
        (
            SOURCE.replace('"vendor.reader"', '"other"'),
            "of vendor calls itself 'other'; vendor:D must be named 'vendor.reader'",
        ),
    ],
)
def test_an_entry_that_is_no_driver_of_that_name_is_told(
    *, site: Path, source: str, said: str
) -> None:
    install(site, "vendor", {"vendor.reader": "vendor:D"}, source)
    assert error(driver_table(), "vendor.reader") == f"driver 'vendor.reader' {said}"


OWN_FORMAT = """
from drivers.contract import DriverType, Format, Strict

class S(Strict):
    pass

F = Format("{name}", "frame", lambda data: {{}}, "a frame", "帧")
D = DriverType("vendor.reader", S, None, lambda s: "usb:1", "a reader", frozenset({{"identify"}}),
    formats=("{name}",), own_formats=(F,))
"""


def test_a_driver_that_names_its_format_like_one_of_ours_is_an_error(site: Path) -> None:
    install(site, "vendor", {"vendor.reader": "vendor:D"}, OWN_FORMAT.format(name="r2000_a0"))
    table = driver_table()
    assert table.foreign() == ("vendor.reader",)
    assert error(table, "vendor.reader") == (
        "driver 'vendor.reader' cannot be loaded: format 'r2000_a0' is taken; "
        "a name that no other format has"
    )
    learn_formats()  # Nobody else suffers.


def test_an_unknown_name_lists_what_is_known(site: Path) -> None:
    del site
    message = error(driver_table(), "plc.modbuss")
    assert f"known: {', '.join(driver_table().names)};" in message
    assert {"barcode.tcp", "plc.modbus", "rfid.uhfreader"} <= set(driver_table().names)
    assert message.endswith("did you mean 'plc.modbus'?")


def test_a_table_without_entries_says_that_nothing_is_installed() -> None:
    empty = Table("driver", "gatewayd.drivers", DriverType, [])
    assert error(empty, "plc.modbus") == (
        "unknown driver 'plc.modbus'; known: none; install the gatewayd package"
    )


def test_a_clash_and_a_broken_driver_are_config_problems(site: Path, tmp_path: Path) -> None:
    install(site, "vendor", {"barcode.tcp": "vendor:D", "vendor.reader": "vendor:D"}, "import nope")
    devices = f"{DEVICES}  extra: {{driver: vendor.reader}}\n"
    found = examine(write_config(tmp_path / "etc", {"devices/all.yaml": devices})).problems
    assert [problem.what for problem in found] == [
        "qr-1: driver 'barcode.tcp' is claimed by gatewayd and vendor",
        (
            "extra: driver 'vendor.reader' cannot be loaded: "
            "ModuleNotFoundError: No module named 'nope'"
        ),
    ]
