"""`gatewayd probe`: one device opened, identified, read once, its frames and troubles explained."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from drivers.suite import on_pty, on_tcp
from gatewayd.cli.root import main
from tests.support.commands import answer, gatewayd
from tests.support.configs import DEVICES, RIGS, write_config
from tests.support.devices.heads import HoneywellHead
from tests.support.devices.pn532 import ScriptedPn532
from tests.support.devices.r2000 import ScriptedR2000
from tests.support.plcs import Plc, TcpServer
from tests.support.waiting import until

EPC = "E280689400005005B2210861"
UHF_TAG = bytes.fromhex("1500010301010ce280689400005005b22108614d2f50")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["probe", *arguments])


def configured(
    directory: Path,
    driver: str,
    link: Mapping[str, Any],
    more: str = "",
    *,
    rigs: str | None = RIGS,
) -> str:
    """A station whose gun-1 is this device; returns its directory."""
    shown = ", ".join(f'{key}: "{value}"' for key, value in link.items())
    lines = DEVICES.splitlines()
    lines[1] = f"  gun-1: {{driver: {driver}, link: {{{shown}}}{more}}}"
    files = {"devices/all.yaml": "\n".join(lines) + "\n", "rigs/all.yaml": rigs}
    return str(write_config(directory, files))


class Talker:
    """A device of another make: says one thing for everything it hears."""

    def __init__(self, says: bytes) -> None:
        self.says = says

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        del unplug
        return lambda _data: send(self.says)


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
async def test_a_reader_is_identified_read_and_its_frames_are_explained(
    tmp_path: Path, wire: Any
) -> None:
    reader = ScriptedR2000(tags=[bytes.fromhex(EPC)])
    async with wire(reader.plugged) as link:
        directory = configured(tmp_path, "rfid.r2000", link)
        code, found = await answer("probe", "gun-1", "-c", directory)
    assert code == 0
    assert (found["device"], found["driver"], found["state"]) == (
        "gun-1",
        "rfid.r2000",
        "answered",
    )
    assert found["identity"]
    assert (found["error"], found["troubles"], found["memory"]) == (None, [], None)
    (reading,) = found["readings"]
    assert (reading["kind"], reading["uid"], reading["antenna"]) == ("tag", EPC, 1)
    directions = {frame["direction"] for frame in found["frames"]}
    assert directions == {"device>host", "host>device"}
    told = next(frame for frame in found["frames"] if EPC.lower() in frame["hex"])
    assert told["format"] == "r2000_a0"
    assert EPC.lower() in str(told["fields"]).lower()


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "nothing read within 0.2 s"), ("zh", "0.2 秒内没有读数")]
)
async def test_an_idle_reader_answered_and_a_person_sees_frames_and_words(
    tmp_path: Path, lang: str, said: str
) -> None:
    async with on_tcp(ScriptedR2000().plugged) as link:
        directory = configured(tmp_path, "rfid.r2000", link)
        arguments = ("probe", "gun-1", "--seconds", "0.2", "--lang", lang, "-c", directory)
        code, out, err = await gatewayd(*arguments)
    assert code == 0, err
    assert said in out
    assert "-> a0 " in out
    assert "<- a0 " in out
    assert "gun-1" in err


async def test_a_device_that_is_not_there_ends_with_3_and_advice(tmp_path: Path) -> None:
    directory = configured(tmp_path, "rfid.r2000", {"tcp": "127.0.0.1:1"})
    code, out, _ = await gatewayd("probe", "gun-1", "--lang", "en", "-c", directory)
    assert code == 3
    assert "cannot be reached" in out
    assert "connection refused" in out
    assert "what to change" in out


async def test_a_device_of_another_make_ends_with_1_and_the_driver_to_set(tmp_path: Path) -> None:
    async with on_tcp(Talker(UHF_TAG).plugged) as link:
        directory = configured(tmp_path, "rfid.r2000", link)
        code, found = await answer("probe", "gun-1", "-c", directory)
    assert code == 1
    assert found["state"] == "wrong"
    (trouble,) = found["troubles"]
    assert trouble["kind"] == "wrong_dialect"
    assert "rfid.uhfreader" in trouble["message"]["en"]
    assert "rfid.uhfreader" in trouble["message"]["zh"]
    assert found["noise"][0]["hex"]


async def test_a_wrong_speed_is_suspected_in_words(tmp_path: Path) -> None:
    async with on_pty(Talker(b"\x00\xf8\x80\xfe\x00\xe0\xf8\x80" * 4).plugged) as link:
        directory = configured(tmp_path, "rfid.r2000", link)
        code, out, _ = await gatewayd("probe", "gun-1", "--lang", "en", "-c", directory)
    assert code == 1
    assert "baud 115200 is probably wrong" in out


async def test_memory_is_read_and_written_with_a_typed_confirmation(tmp_path: Path) -> None:
    reader = ScriptedR2000(tags=[bytes.fromhex(EPC)])
    async with on_tcp(reader.plugged) as link:
        directory = configured(tmp_path, "rfid.r2000", link)
        write = (
            "probe",
            "gun-1",
            "--uid",
            EPC,
            "--seconds",
            "0.1",
            "--write-memory",
            "user:0:BEEF1234",
        )
        code, _, err = await gatewayd(*write, "-c", directory, typed="gun-2\n")
        assert (code, reader.heard) == (1, []), "a wrong name writes nothing and opens nothing"
        assert err
        code, _, err = await gatewayd(*write, "-c", directory, typed="gun-1\n")
        assert code == 0, err
        code, found = await answer(
            "probe", "gun-1", "--read-memory", "user:0:2", "--seconds", "0.1", "-c", directory
        )
        assert code == 0
        assert found["memory"] == {"bank": "user", "start": 0, "hex": "beef1234", "written": False}
        code, found = await answer(
            *write[:-1], "user:1:AAAA", "--yes", "--seconds", "0.1", "-c", directory
        )
        assert found["memory"] == {"bank": "user", "start": 1, "hex": "aaaa", "written": True}


@pytest.mark.parametrize("what", ["4142434445464748", "41424344-45464748"])
async def test_an_hf_tag_is_written_in_blocks(what: str) -> None:
    uid = "04A1B2C3D4E5F6"
    chip = ScriptedPn532(tags=[bytes.fromhex(uid)])
    async with on_tcp(chip.plugged) as link:
        arguments = ("--driver", "rfid.pn532", "--set", f"link.tcp={link['tcp']}", "--yes")
        memory = ("--seconds", "0.1", "--uid", uid, "--write-memory", f"user:4:{what}")
        code, found = await answer("probe", *arguments, *memory)
    assert code == 0, found
    assert chip.pages(bytes.fromhex(uid))[4:6] == [b"ABCD", b"EFGH"]


async def test_memory_without_a_tag_is_told(tmp_path: Path) -> None:
    async with on_tcp(ScriptedR2000().plugged) as link:
        directory = configured(tmp_path, "rfid.r2000", link)
        arguments = ("--seconds", "0.1", "--read-memory", "epc:0:2", "-c", directory)
        code, found = await answer("probe", "gun-1", *arguments)
    assert (code, found["state"], found["memory"]) == (1, "wrong", None)
    assert "no tag" in found["error"]


async def test_a_plc_shows_one_sample(tmp_path: Path) -> None:
    plc = Plc()
    async with TcpServer({1: plc}).serving() as server:
        link = {"tcp": f"127.0.0.1:{server.port}"}
        directory = configured(
            tmp_path, "plc.modbus", link, ", profile: reference-gate-v1", rigs=None
        )
        code, found = await answer("probe", "gun-1", "-c", directory)
    assert code == 0, found
    assert found["identity"] == "reference-gate-v1, unit 1"
    assert found["readings"][0]["kind"] == "gate"
    assert found["readings"][0]["permit_echo"] == 0
    assert plc.writes() == [], "a probe never writes to a PLC"


async def test_an_unconfigured_device_is_described_on_the_command_line() -> None:
    async with on_tcp(ScriptedR2000().plugged) as link:
        settings = ("--set", f"link.tcp={link['tcp']}", "--set", "address=1")
        code, found = await answer("probe", "--driver", "rfid.r2000", *settings, "--seconds", "0.1")
    assert (code, found["device"]) == (0, "device-1")


async def test_a_setting_can_be_tried_without_touching_the_file(tmp_path: Path) -> None:
    async with on_tcp(ScriptedR2000().plugged) as link:
        directory = configured(tmp_path, "rfid.r2000", {"tcp": "127.0.0.1:1"})
        change = ("--set", f"link.tcp={link['tcp']}", "--seconds", "0.1")
        code, found = await answer("probe", "gun-1", *change, "-c", directory)
    assert code == 0
    assert found["wire"] == f"tcp:{link['tcp']}"


async def test_a_port_held_by_another_program_is_told_with_its_name(tmp_path: Path) -> None:
    async with on_pty(Talker(b"").plugged) as link:
        directory = configured(tmp_path, "rfid.r2000", link)
        code, found = await answer("probe", "gun-1", "-c", directory)
    assert code == 3
    assert {"held_by", "daemons"} <= set(found)
    assert os.getpid() in {user["pid"] for user in found["held_by"]}


async def test_a_scanner_is_told_to_look_and_left_alone_afterwards(tmp_path: Path) -> None:
    head = HoneywellHead(label=b"0110100001\r")
    async with on_tcp(head.plugged) as link:
        more = ", trigger: honeywell, scan: on_trigger"
        directory = configured(tmp_path, "barcode.tcp", link, more)
        code, found = await answer("probe", "gun-1", "--trigger", "-c", directory)
        await until(lambda: not head.looks)
    assert code == 0, found
    (reading,) = found["readings"]
    assert (reading["kind"], reading["text"]) == ("code", "0110100001")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a configured DEVICE or a --driver"),
        (("gun-1", "--driver", "rfid.r2000"), "one of both"),
        (("gun-9",), "no device 'gun-9'; known: gun-1"),
        (("gun-1", "--read-memory", "user:0"), "START:COUNT"),
        (("gun-1", "--read-memory", "secret:0:1"), "reserved|epc|tid|user"),
        (("gun-1", "--write-memory", "user:0:zz", "--uid", EPC), "START:HEX"),
        (("gun-1", "--write-memory", "user:0:AAAA"), "needs --uid"),
        (("gun-1", "--write-memory", "user:0:AA", "--read-memory", "user:0:1"), "one at a time"),
        (("gun-1", "--trigger"), "cannot --trigger"),
        (("scale-1", "--read-memory", "user:0:1"), "cannot --read-memory"),
        (("--driver", "rfid.nothing"), "unknown driver"),
        (("--driver", "rfid.r2000", "--set", "link"), "expected KEY=VALUE"),
        (("--driver", "rfid.r2000", "--set", "link.tpc=a:1"), "tpc"),
        (("--driver", "plc.modbus", "--set", "link.tcp=a:1", "--set", "profile=x"), "no profile"),
    ],
)
def test_wrong_usage_ends_with_2(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    directory = configured(tmp_path, "rfid.r2000", {"tcp": "127.0.0.1:1"})
    result = run(*arguments, "-c", directory)
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.stderr.split())


async def test_a_flood_of_bytes_leaves_the_advice_on_the_screen() -> None:
    head = Greeter(b"".join(b"%010d" % n for n in range(20_000)))
    async with on_tcp(head.plugged) as link:
        chosen = ("--driver", "barcode.tcp", "--set", f"link.tcp={link['tcp']}")
        code, out, _ = await gatewayd("probe", *chosen, "--seconds", "0.5", "--lang", "en")
    assert code == 1
    lines = out.splitlines()
    assert len(lines) < 20
    assert max(map(len, lines)) < 300
    assert "(256 bytes)" in out
    assert "more; --json has all" in out
    assert "without an end" in lines[-1]


async def test_a_scanner_that_said_nothing_has_not_answered() -> None:
    async with on_tcp(Talker(b"").plugged) as link:
        chosen = ("--driver", "barcode.tcp", "--set", f"link.tcp={link['tcp']}")
        code, out, _ = await gatewayd("probe", *chosen, "--seconds", "0.2", "--lang", "en")
    assert code == 0
    assert "open and said nothing" in out
    assert "it answered" not in out
    assert "scan meanwhile" in out


class Greeter:
    """A head that says one thing when it is plugged in."""

    def __init__(self, says: bytes) -> None:
        self.says = says

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        del unplug
        send(self.says)
        return lambda _data: None


HOLDER = """
import os, sys
os.open(os.environ["PORT"], os.O_RDWR | os.O_NOCTTY)
print("open", flush=True)
sys.stdin.read()
"""


async def test_a_port_that_the_daemon_holds_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "run").write_text(HOLDER, encoding="utf-8")
    async with on_pty(lambda _send, _unplug: lambda _data: None) as link:
        directory = configured(tmp_path, "rfid.r2000", link)
        daemon = await asyncio.create_subprocess_exec(
            *("gatewayd", "run"),
            executable=sys.executable,
            cwd=tmp_path,
            env={**os.environ, "PORT": link["serial"]},
            stdin=PIPE,
            stdout=PIPE,
        )
        assert daemon.stdout is not None
        await daemon.stdout.readline()
        code, out, err = await gatewayd("probe", "gun-1", "-c", directory, "--lang", "en")
        daemon.kill()
        await daemon.wait()
    assert code == 3
    assert str(daemon.pid) in err
    assert "process" in err
    for words in (f"{daemon.pid}", "has the device", "systemctl stop gatewayd", "gun-1/status"):
        assert words in out
