"""Secrets come from outside, and never show: not in messages, not in the effective config."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gatewayd.settings.effective import effective
from gatewayd.settings.load import Examined, examine
from gatewayd.settings.secrets import MASK
from tests.support.configs import GATEWAY, write_config

SECRET = "correct-horse"  # noqa: S105 - the secret of the test
WITH_SECRET = GATEWAY.replace("prefix:", "username: station, password: !secret mqtt, prefix:")
WITH_ENV = GATEWAY.replace("prefix:", "username: station, password: !env MQTT, prefix:")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def station(gateway: str, environ: Mapping[str, str], secrets: str | None = None) -> Examined:
    write_config(Path("etc"), {"gateway.yaml": gateway, "secrets.yaml": secrets})
    if secrets is not None:
        Path("etc/secrets.yaml").chmod(0o600)
    return examine(Path("etc"), environ)


def credentials(**values: str) -> dict[str, str]:
    Path("creds").mkdir()
    for name, value in values.items():
        (Path("creds") / name).write_text(value)
    return {"CREDENTIALS_DIRECTORY": "creds"}


def password(examined: Examined) -> str:
    assert examined.settings is not None, examined.problems
    value = examined.settings.upstreams["platform"].settings.model_dump()["password"]
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


def test_a_secret_comes_from_the_systemd_credential_first() -> None:
    environ = credentials(mqtt=f"{SECRET}\n")
    assert password(station(WITH_SECRET, environ, "mqtt: other\n")) == SECRET


def test_a_secret_comes_from_the_secrets_file_else() -> None:
    assert password(station(WITH_SECRET, {}, f"mqtt: {SECRET}\n")) == SECRET


def test_an_env_value_comes_from_the_environment_first() -> None:
    assert password(station(WITH_ENV, {"MQTT": SECRET}, "MQTT: other\n")) == SECRET
    assert password(station(WITH_ENV, {}, f"MQTT: {SECRET}\n")) == SECRET


def test_a_secret_never_comes_from_the_environment() -> None:
    assert station(WITH_SECRET, {"mqtt": SECRET}).settings is None


def test_an_unresolved_secret_is_one_problem_at_its_place() -> None:
    (problem,) = station(WITH_SECRET, {}).problems
    assert str(problem) == (
        "etc/gateway.yaml:4:77: !secret 'mqtt' is not known; looked in $CREDENTIALS_DIRECTORY, "
        "secrets.yaml; add it to secrets.yaml (mode 0600) or as a systemd credential"
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_secrets_file_that_others_may_read_is_refused(mode: int) -> None:
    station(WITH_SECRET, {}, f"mqtt: {SECRET}\n")
    Path("etc/secrets.yaml").chmod(mode)
    (problem,) = examine(Path("etc"), {}).problems
    assert str(problem) == (
        "etc/secrets.yaml:0:0: others may read the secrets file; mode 0600; "
        "chmod 600 etc/secrets.yaml"
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"mqtt: {SECRET}\nmqtt: {SECRET}\n", "etc/secrets.yaml:2:1: "),
        (f"mqtt: [{SECRET}\n", "etc/secrets.yaml:2:1: "),
        (f"- {SECRET}\n", "etc/secrets.yaml:1:1: "),
        (f"mqtt: {{{SECRET}: 1}}\n", "etc/secrets.yaml:1:1: secret 'mqtt' is not text"),
        ("mqtt: 123456\n", "etc/secrets.yaml:1:1: secret 'mqtt' is not text; quote it"),
        (f"mqtt: !{SECRET} x\n", "etc/secrets.yaml:1:7: "),
    ],
)
def test_a_broken_secrets_file_is_told_without_its_values(text: str, place: str) -> None:
    examined = station(WITH_SECRET, {}, text)
    messages = [str(problem) for problem in examined.problems]
    assert any(message.startswith(place) for message in messages), messages
    assert not any(SECRET in message or "123456" in message for message in messages)


@pytest.mark.parametrize("name", ["", ".", "..", "../gateway.yaml", "creds/mqtt", "a\\0b"])
def test_a_name_never_leaves_the_credentials_directory(name: str) -> None:
    environ = credentials(mqtt=SECRET)
    gateway = GATEWAY.replace("prefix:", f'username: s, password: !secret "{name}", prefix:')
    (problem,) = station(gateway, environ).problems
    assert "is not known" in problem.what


def test_a_credential_that_is_not_text_is_told_without_its_bytes() -> None:
    environ = credentials()
    (Path("creds") / "mqtt").write_bytes(b"\xff\xfe" + SECRET.encode())
    (problem,) = station(WITH_SECRET, environ).problems
    assert problem.what == "systemd credential 'mqtt' cannot be read as text"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("prefix: gatewayd/v1", "prefix: gatewayd/v1, keepalive_s: !secret mqtt"),
        ('"mqtt://127.0.0.1:1883"', "!secret mqtt"),
        ("driver: mqtt", "driver: !secret mqtt"),
        ('id: "3701000042"', "id: !secret mqtt, timezone: !secret mqtt"),
    ],
)
def test_a_secret_in_the_wrong_place_does_not_leak_into_the_message(old: str, new: str) -> None:
    assert old in GATEWAY
    examined = station(GATEWAY.replace(old, new), {}, f"mqtt: '{SECRET} {SECRET}'\n")
    assert examined.settings is None
    assert not any(SECRET in str(problem) for problem in examined.problems)


def test_the_effective_config_masks_secrets_and_passwords_in_urls() -> None:
    for gateway in (
        WITH_SECRET,
        WITH_ENV,
        WITH_SECRET.replace("!secret mqtt", SECRET),
        GATEWAY.replace("region", "name")
        .replace("mqtt://", "mqtt://")
        .replace('"3701000042"', "!secret mqtt"),
    ):
        examined = station(gateway, {"MQTT": SECRET}, f"mqtt: {SECRET}\n")
        values = effective(examined)
        assert not any(SECRET in str(value.value) for value in values)
        (masked,) = [value for value in values if value.secret]
        assert masked.value == MASK
