"""`gatewayd detect` as a user runs it: JSON for programs, plain words and ready lines for people."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from drivers.suite import on_pty, on_tcp
from gatewayd.cli.root import main
from gatewayd.commission.hosts import split
from tests.support.commands import gatewayd
from tests.support.configs import GATEWAY, write_config
from tests.support.machines import KEYBOARD_DESCRIPTOR, POS_DESCRIPTOR, FakeMachine
from tests.support.readers import ScriptedReader


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["detect", *arguments])


def plugged(tmp_path: Path) -> FakeMachine:
    fake = FakeMachine(tmp_path / "machine")
    fake.interface(fake.usb("1-1", "0c2e:0b01", product="Voyager"), "1.0", "03", POS_DESCRIPTOR)
    fake.interface(fake.usb("1-2", "9999:0001"), "1.0", "03", KEYBOARD_DESCRIPTOR)
    fake.interface(fake.usb("1-3", "072f:2200", product="ACR122U"), "1.0", "0b")
    bridge = fake.usb("1-4", "10c4:ea60", product="CP2102")
    fake.serial("ttyUSB0", str(tmp_path / "gone"), below=bridge, by_id="usb-CP2102")
    return fake


def test_json_lists_everything_that_is_plugged_in(tmp_path: Path) -> None:
    fake = plugged(tmp_path)
    result = run("--root", str(fake.root), "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert list(found) == ["serial", "usb", "hosts", "asked"]
    assert [usb["kind"] for usb in found["usb"]] == ["hid_pos", "keyboard", "pcsc", "serial"]
    (port,) = found["serial"]
    assert port["path"] == port["by_id"] == f"{fake.root}/dev/serial/by-id/usb-CP2102"
    assert port["usb"]["bridge"] == "CP210x"
    assert set(port) == {
        *("path", "by_id", "by_path", "tty", "usb", "used_by"),
        *("configured_as", "guess", "heard", "note", "line"),
    }
    assert "no such port" in port["note"]["en"]


@pytest.mark.parametrize(("lang", "said"), [("zh", "串口"), ("en", "serial ports")])
def test_a_person_reads_it_in_their_language(tmp_path: Path, lang: str, said: str) -> None:
    result = run("--root", str(plugged(tmp_path).root), "--lang", lang)
    assert result.exit_code == 0
    for expected in (said, "usb-CP2102", "CP210x", "0c2e:0b01", "Voyager", "[hid_pos]"):
        assert expected in result.stdout


def test_asking_warns_of_plcs_first(tmp_path: Path) -> None:
    result = run("--root", str(tmp_path), "--ask", "--lang", "en")
    assert result.exit_code == 0
    assert "PLC" in result.stderr
    assert "none found" in result.stdout


def test_a_wrong_config_that_was_named_stops_it(tmp_path: Path) -> None:
    directory = write_config(tmp_path / "c", {"gateway.yaml": "stroe: {}\n"})
    assert run("--root", str(tmp_path), "-c", str(directory)).exit_code == 1


async def test_a_host_that_is_closed_is_told(tmp_path: Path) -> None:
    code, out, err = await gatewayd(
        "detect", "--root", str(tmp_path), "--host", "127.0.0.1:1", "--lang", "en"
    )
    assert code == 0
    assert "no usual port is open (connection refused)" in out
    assert "trying 127.0.0.1:1" in err


async def test_a_reader_on_a_port_and_on_a_host_is_found(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    async with on_pty(ScriptedReader().plugged) as port, on_tcp(ScriptedReader().plugged) as host:
        fake.serial("ttyUSB0", port["serial"], by_id="usb-X")
        arguments = ("--ask", "--json", "--root", str(tmp_path), "--host", host["tcp"])
        code, out, err = await gatewayd("detect", *arguments)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    for find in (found["serial"][0], found["hosts"][0]):
        assert find["guess"]["drivers"][0] == "rfid.uhfreader"
        assert find["guess"]["how"] == "answered"
        assert "driver: rfid.uhfreader" in find["line"]
    assert "rfid.uhfreader @ " in err
    devices = f"devices:\n  {found['serial'][0]['line']}\n  {found['hosts'][0]['line']}\n"
    files = {"devices/all.yaml": devices, "rigs/all.yaml": None, "gateway.yaml": GATEWAY}
    checked = CliRunner().invoke(main, ["check", "-c", str(write_config(tmp_path / "c", files))])
    assert checked.exit_code == 0, checked.stderr


@pytest.mark.parametrize("host", ["127.0.0.1:99999", "reader:", "http://reader", "", "a b"])
def test_what_is_neither_host_nor_port_is_wrong_usage(tmp_path: Path, host: str) -> None:
    result = run("--root", str(tmp_path), "--host", host)
    assert result.exit_code == 2
    assert "expected host:port" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("host", "parts"),
    [
        ("reader", ("reader", None)),
        ("reader:6000", ("reader", 6000)),
        ("::1", ("::1", None)),
        ("[::1]", ("::1", None)),
        ("[::1]:6000", ("::1", 6000)),
    ],
)
def test_a_host_is_read_with_and_without_its_port(host: str, parts: tuple[str, int | None]) -> None:
    assert split(host) == parts
