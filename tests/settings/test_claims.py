"""Two upstreams at one broker with one client id would throw each other out for ever."""

from pathlib import Path

import pytest

from gatewayd.settings.load import examine
from tests.support.configs import GATEWAY, write_config


def told(folder: Path, *lines: str) -> list[str]:
    write_config(folder, {"gateway.yaml": GATEWAY + "".join(f"  {each}\n" for each in lines)})
    return [str(each) for each in examine(folder).problems]


@pytest.mark.parametrize(
    "two",
    [
        'two: {driver: mqtt, url: "mqtt://127.0.0.1:1883", prefix: other}',
        'two: {driver: mqtt, url: ["mqtt://127.0.0.2", "mqtt://127.0.0.1"]}',
        'two: {driver: sparkplug, url: "mqtt://127.0.0.1", group: g, client_id: gatewayd-3701000042}',
    ],
)
def test_one_client_id_twice_at_one_broker_is_a_mistake(tmp_path: Path, two: str) -> None:
    (found,) = told(tmp_path, two)
    assert "two: client id 'gatewayd-3701000042' at 127.0.0.1:1883, as 'platform'" in found
    assert "client_id: another one" in found


@pytest.mark.parametrize(
    "two",
    [
        'two: {driver: mqtt, url: "mqtt://127.0.0.1", client_id: second}',
        'two: {driver: mqtt, url: "mqtt://127.0.0.2"}',
        'two: {driver: mqtt, url: "mqtt://127.0.0.1", mapping: thingsboard-mqtt}',
        'two: {driver: sparkplug, url: "mqtt://127.0.0.1", group: g}',
        "two: {driver: files, directory: stick}",
    ],
)
def test_another_name_or_another_broker_is_none(tmp_path: Path, two: str) -> None:
    assert told(tmp_path, two) == []
