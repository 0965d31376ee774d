"""Who we talk to and as whom: certificates are always checked, and a refusal is visible."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.brokers import Broker, Mosquitto
from tests.support.certificates import Certificates, make_certificates
from tests.support.outpost import Outpost, drained, running
from tests.support.scripted_broker import ScriptedBroker


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("strangers"))


async def test_tls_with_the_right_authority_carries_records(
    outpost: Outpost, tmp_path: Path, certificates: Certificates
) -> None:
    (record,) = await outpost.commit(1)
    with Mosquitto(tmp_path, certificates=certificates) as broker:
        upstream = outpost.upstream(broker.url, tls={"ca_file": str(certificates.ca)})
        async with running(upstream):
            await drained(upstream)
    assert outpost.store.cursor("platform") == record.sequence


async def test_a_client_certificate_is_shown_to_a_broker_that_asks(
    outpost: Outpost, tmp_path: Path, certificates: Certificates
) -> None:
    (tmp_path / "certs").symlink_to(certificates.ca.parent)
    files = {"ca_file": "certs/ca.pem", "cert_file": "certs/c.pem", "key_file": "certs/c.key"}
    with Mosquitto(tmp_path, certificates=certificates, ask_client=True) as broker:
        async with running(outpost.upstream(broker.url, tls=files)):
            await outpost.until_state("up")
        async with running(outpost.upstream(broker.url, tls={"ca_file": "certs/ca.pem"})):
            await outpost.until_state("down")


async def test_a_stranger_who_poses_as_the_broker_gets_nothing(
    outpost: Outpost, tmp_path: Path, certificates: Certificates, strangers: Certificates
) -> None:
    await outpost.commit(1)
    with Mosquitto(tmp_path, certificates=strangers) as broker:
        upstream = outpost.upstream(broker.url, tls={"ca_file": str(certificates.ca)})
        async with running(upstream):
            await outpost.until_state("down", error="certificate verify failed")
        assert "CONNECT" not in broker.log()
    assert outpost.store.cursor("platform") == 0


async def test_without_a_ca_file_the_operating_system_decides(
    outpost: Outpost, tmp_path: Path, certificates: Certificates
) -> None:
    with Mosquitto(tmp_path, certificates=certificates) as broker:
        async with running(outpost.upstream(broker.url)):
            await outpost.until_state("down", error="certificate verify failed")


async def test_a_missing_certificate_file_is_named(outpost: Outpost) -> None:
    async with running(outpost.upstream("mqtts://127.0.0.1:1", tls={"ca_file": "no.pem"})):
        await outpost.until_state("down", error=str(outpost.directory / "no.pem"))


@pytest.mark.parametrize(("version", "text"), [("5", "Not authorized"), ("3.1.1", "")])
async def test_a_wrong_password_is_visible_and_waited_out(
    outpost: Outpost, tmp_path: Path, version: str, text: str
) -> None:
    await outpost.commit(1)
    gateway: dict[str, Any] = {"username": "gateway", "password": "right", "version": version}
    with Mosquitto(tmp_path, users={"gateway": "right"}) as broker:
        wrong = outpost.upstream(broker.url, **{**gateway, "password": "wrong"})
        async with running(wrong):
            await outpost.until_state("down", error=f"the broker refused the connection: {text}")
        right = outpost.upstream(broker.url, **gateway)
        async with running(right):
            await drained(right)


async def test_a_broker_without_acknowledgement_is_refused(outpost: Outpost) -> None:
    maximum_qos_0 = b"\x24\x00"
    async with ScriptedBroker(limits=maximum_qos_0) as broker:
        upstream = outpost.upstream(broker.url)
        async with running(upstream):
            await outpost.until_state("down", error="records need QoS 1")


async def test_a_broker_that_does_not_know_version_5_says_so(outpost: Outpost) -> None:
    async with ScriptedBroker(connack=0x84) as broker:
        upstream = outpost.upstream(broker.url)
        async with running(upstream):
            await outpost.until_state("down", error="Unsupported protocol version (0x84)")


async def test_a_password_is_in_no_text(outpost: Outpost, broker: Broker) -> None:
    gateway: dict[str, Any] = {"username": "gateway", "password": "open sesame"}
    upstream = outpost.upstream(broker.url, **gateway)
    async with running(upstream):
        await outpost.until_state("up")
    dial = upstream._settings.dial("127.0.0.1", 1883, client_id="gw", directory=Path())
    assert dial.password == gateway["password"]
    assert "sesame" not in f"{upstream._settings!r} {dial!r} {dict(outpost.board.items())}"
