"""Tag memory through a scripted reader that fails as tags do, and the encrypted link."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import DriverError, MemoryArea
from drivers.rfid.llrp import DRIVER, LlrpReader, Settings
from drivers.suite.bench import Bench, running, until
from drivers.suite.wires import on_tcp
from tests.support.certificates import Certificates, make_certificates
from tests.support.devices.llrp import ScriptedLlrp

TAG = bytes.fromhex("3005fb63ac1f3841ec880467")
UID = TAG.hex().upper()
USER = MemoryArea("user", 1, 2, UID)


def driver(link: dict[str, Any], **settings: Any) -> LlrpReader:
    parsed = Settings.model_validate_json(json.dumps({"link": link, **settings}))
    made = DRIVER.make("gun-1", parsed, {})
    assert isinstance(made, LlrpReader)
    return made


async def test_what_failed_in_the_air_is_tried_again() -> None:
    reader = ScriptedLlrp(tags=[TAG], fails=[2, 2])
    async with on_tcp(reader.plugged) as link:
        gun, context = driver(link), Bench().context
        await gun.write_memory(context, USER, b"\x01\x02\x03\x04")
    assert reader.memory[TAG][3][:8] == b"\x00\x00\x01\x02\x03\x04\x00\x00"
    assert reader.accessspecs == {}
    assert reader.names()[-1] == "CLOSE_CONNECTION"


async def test_a_write_that_did_not_take_is_an_error() -> None:
    reader = ScriptedLlrp(tags=[TAG], forgets=True)
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match="wrote 01020304, read back 00000000"):
            await driver(link).write_memory(Bench().context, USER, b"\x01\x02\x03\x04")


async def test_a_locked_tag_is_named_after_the_last_try() -> None:
    reader = ScriptedLlrp(tags=[TAG], fails=[2] * 9)
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match="cannot write the user memory: Tag Memory Locked"):
            await driver(link).write_memory(Bench().context, USER, b"\x01\x02\x03\x04")
    assert len(reader.fails) == 6


async def test_a_tag_that_leaves_is_not_waited_for() -> None:
    reader = ScriptedLlrp(tags=[TAG])
    async with on_tcp(reader.plugged) as link, asyncio.TaskGroup() as group:

        async def leave() -> None:
            await until(lambda: "START_ROSPEC" in reader.names())
            reader.tags = []

        group.create_task(leave())
        with pytest.raises(DriverError, match="the tag does not answer any more"):
            await driver(link).read_memory(Bench().context, USER)
    assert reader.names().count("ADD_ACCESSSPEC") == 1


async def test_a_memory_that_is_shorter_than_asked_is_an_error() -> None:
    reader = ScriptedLlrp(tags=[TAG])
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match="8 bytes came, 5 words asked for"):
            await driver(link).read_memory(Bench().context, MemoryArea("tid", 0, 5, UID))


async def test_an_epc_that_only_begins_alike_is_refused() -> None:
    reader = ScriptedLlrp(tags=[TAG, TAG + b"\x00\x01"])
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match="several tags answer"):
            await driver(link).read_memory(Bench().context, USER)


async def test_an_empty_field_has_no_memory() -> None:
    async with on_tcp(ScriptedLlrp().plugged) as link:
        with pytest.raises(DriverError, match="no tag in the field"):
            await driver(link).read_memory(Bench().context, MemoryArea("tid", 0, 2))


@pytest.mark.parametrize(
    ("area", "data", "said"),
    [
        (MemoryArea("user", 0, 1), b"\0\1", "name the tag"),
        (MemoryArea("user", 0, 2, UID), b"\0\1", "2 bytes to write, 2 words named"),
        (MemoryArea("user", 0, 0, UID), b"", "expected 1..256"),
        (MemoryArea("user", 0, 1, "XY"), b"\0\1", "is not hex"),
        (MemoryArea("epc", 1, 1, UID), b"\0\1", "only the 12 bytes of the EPC"),
        (MemoryArea("epc", 8, 1, UID), b"\0\1", "words 2..7"),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_the_radio_is_on(
    area: MemoryArea, data: bytes, said: str
) -> None:
    reader = ScriptedLlrp(tags=[TAG])
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match=said):
            await driver(link).write_memory(Bench().context, area, data)
    assert "START_ROSPEC" not in reader.names()


@asynccontextmanager
async def on_tls(reader: ScriptedLlrp, certificates: Certificates) -> AsyncIterator[dict[str, Any]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server_cert, certificates.server_key)

    async def serve(incoming: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hear = reader.plugged(writer.write, writer.close)
        try:
            while data := await incoming.read(4096):
                hear(data)
        except (ConnectionError, ssl.SSLError):
            pass  # Whoever we played for has left.
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield {"tcp": f"127.0.0.1:{server.sockets[0].getsockname()[1]}"}
    finally:
        server.close()


async def test_tls_reads_from_the_reader_of_the_file_and_from_no_other(tmp_path: Path) -> None:
    ours, theirs = (make_certificates(tmp_path / name) for name in ("ours", "theirs"))
    reader = ScriptedLlrp(tags=[TAG])
    async with on_tls(reader, ours) as link:
        async with running(driver(link, tls_ca_file=str(ours.ca))) as bench:
            await bench.until(lambda: bench.uids)
        assert bench.uids == {UID}
        async with running(driver(link, tls_ca_file=str(theirs.ca))) as other:
            await other.until(lambda: other.error)
        assert "certificate is not the one in" in str(other.error)
    async with on_tcp(reader.plugged) as link:
        for file, said in (("/no/such.pem", "no such port"), (str(ours.ca), "no TLS here")):
            async with running(driver(link, tls_ca_file=file)) as plain:
                await plain.until(lambda: plain.error)
            assert said in str(plain.error)
