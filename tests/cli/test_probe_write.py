"""`gatewayd probe --write`: settings only, the name typed, never what opens or while it could."""

import pytest

from gatewayd.sim.map_device import MapDevice
from protocols.modbus import WRITE_MANY, WRITE_ONE
from protocols.registers import Profile
from tests.commission.test_hunting import GATE, LAUMAS, MapPlc, profile
from tests.support.commands import gatewayd
from tests.support.plcs import TcpServer

HBM = profile("hbm-wtx110-filler")
WRITES = {WRITE_ONE, WRITE_MANY, 5}


def plc(map_: Profile, **values: int) -> MapPlc:
    device = MapDevice(map_)
    for name, value in values.items():
        device.set(name, value)
    return MapPlc(device=device)


def writes(unit: MapPlc) -> list[bytes]:
    return [pdu for pdu in unit.asked if pdu[0] in WRITES]


def gate(port: int, write: str) -> tuple[str, ...]:
    settings = (f"link.tcp=127.0.0.1:{port}", "profile=reference-gate-v1")
    chosen = [word for each in settings for word in ("--set", each)]
    return ("probe", "--driver", "plc.modbus", *chosen, "--write", write)


async def test_a_gate_takes_target_and_limit_while_it_is_proven_closed() -> None:
    unit = plc(GATE, target_g=1_000)
    async with TcpServer({1: unit}).serving() as server:
        arguments = gate(server.port, "target_g=15000")
        code, _, err = await gatewayd(*arguments, "--lang", "zh", typed="no\n")
        assert (code, writes(unit)) == (1, [])
        assert "0x0000 03E8 → 0x0000 3A98" in err
        code, out, err = await gatewayd(*arguments, "--lang", "en", "--yes", typed="device-1\n")
    assert code == 0, err
    assert "reads back 0x0000 3A98" in out
    assert [pdu.hex() for pdu in writes(unit)] == ["10000200020400003a98"]


@pytest.mark.parametrize(
    ("name", "value"), [("permit", 7), ("permit_echo", 7), ("valve_open", 1), ("filling", 1)]
)
async def test_nothing_is_written_to_a_gate_that_could_open(name: str, value: int) -> None:
    unit = plc(GATE, **{name: value})
    async with TcpServer({1: unit}).serving() as server:
        code, _, err = await gatewayd(*gate(server.port, "target_g=15000"), typed="device-1\n")
    assert (code, writes(unit)) == (1, [])
    assert f"{name} at" in err or "status at" in err


async def test_a_gate_that_cannot_be_read_is_not_written() -> None:
    unit = plc(GATE)
    unit.script = lambda asked: [asked.framed(bytes((asked.pdu[0] | 0x80, 2)))]
    async with TcpServer({1: unit}).serving() as server:
        code, _, err = await gatewayd(*gate(server.port, "target_g=15000"), typed="device-1\n")
    assert (code, writes(unit)) == (1, [])
    assert "not proven closed" in err


@pytest.mark.parametrize(
    ("write", "said"),
    [
        ("permit=7", "permits, starts or commands"),
        ("lease_ms=2000", "permits, starts or commands"),
        ("gross_g=0", "does not call it writable"),
        ("targt_g=1", "did you mean 'target_g'"),
        ("target_g=-1", "does not fit into uint32"),
        ("target_g=x", "expected POINT=WHOLE NUMBER"),
        ("target_g", "expected POINT=WHOLE NUMBER"),
    ],
)
async def test_what_acts_or_does_not_fit_is_refused_before_anything_is_asked(
    write: str, said: str
) -> None:
    code, _, err = await gatewayd(*gate(1, write))
    assert code == 2
    assert said in " ".join(err.split())


@pytest.mark.parametrize(
    ("map_", "point"),
    [(LAUMAS, "command"), (profile("siemens-wp251"), "command_trigger")],
)
async def test_no_command_of_any_map_is_written(map_: Profile, point: str) -> None:
    settings = ["link.tcp=127.0.0.1:1", f"profile={map_.id}", "mass_unit=kg"]
    settings += ["decimals=2"] if map_ is LAUMAS else []
    chosen = [word for each in settings for word in ("--set", each)]
    arguments = ("probe", "--driver", "scale.modbus", *chosen, "--write", f"{point}=1")
    code, _, err = await gatewayd(*arguments)
    assert code == 2
    assert "permits, starts or commands" in err


def filler(port: int, write: str) -> tuple[str, ...]:
    settings = (f"link.tcp=127.0.0.1:{port}", "profile=hbm-wtx110-filler")
    chosen = [word for each in settings for word in ("--set", each)]
    return ("probe", "--driver", "scale.modbus", *chosen, "--write", write, "--lang", "en")


async def test_a_filler_takes_a_setting_that_cannot_be_read_back_while_it_rests() -> None:
    unit = plc(HBM)
    async with TcpServer({1: unit}).serving() as server:
        arguments = filler(server.port, "residual_flow_time=5")
        code, out, err = await gatewayd(*arguments, typed="device-1\n")
    assert code == 0, err
    assert "cannot be read back" in out
    assert len(writes(unit)) == 1


async def test_nothing_is_written_to_a_filler_that_runs() -> None:
    assert HBM.filler is not None
    for name in (*HBM.filler.running, *HBM.filler.valve_open):
        unit = plc(HBM, **{name: 1})
        async with TcpServer({1: unit}).serving() as server:
            arguments = filler(server.port, "residual_flow_time=5")
            code, _, err = await gatewayd(*arguments, typed="device-1\n")
        assert (code, writes(unit)) == (1, []), name
        assert "not closed" in err


async def test_an_output_is_never_written() -> None:
    settings = ("link.tcp=127.0.0.1:1", "coil=512")
    chosen = [word for each in settings for word in ("--set", each)]
    arguments = ("probe", "--driver", "output.modbus", *chosen, "--write", "output=1")
    code, _, err = await gatewayd(*arguments, "--yes")
    assert code == 2
    assert "an output holds a valve" in err


async def test_json_tells_what_stood_there_what_was_sent_and_what_reads_back() -> None:
    unit = plc(GATE)
    async with TcpServer({1: unit}).serving() as server:
        code, out, _ = await gatewayd(
            *gate(server.port, "limit_gross_g=31500"), "--json", typed="device-1\n"
        )
    assert code == 0
    assert '"before":"0x0000 0000","sent":"0x0000 7B0C","after":"0x0000 7B0C","ok":true' in out
