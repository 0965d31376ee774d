"""The section `web`: off unless it listens, nobody from elsewhere without a password."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatewayd.cli.root import main
from gatewayd.settings.load import examine
from tests.support.configs import GATEWAY, write_config

USERS = "users: {boss: {password: boss-boss-boss, role: supervisor}}"
TLS = "tls: {cert_file: a.pem, key_file: a.key}"


def said(tmp_path: Path, web: str) -> tuple[list[str], list[str]]:
    found = examine(write_config(tmp_path, {"gateway.yaml": f"{GATEWAY}web: {web}\n"}), {})
    return [p.what for p in found.problems], [w.what for w in found.warnings if "page" in w.what]


@pytest.mark.parametrize("web", ["", "{}"])
def test_without_an_address_there_is_no_page(tmp_path: Path, web: str) -> None:
    found = examine(write_config(tmp_path, {"gateway.yaml": f"{GATEWAY}web: {web}\n"}), {})
    assert found.settings is not None
    assert found.settings.web is None


@pytest.mark.parametrize(
    "web",
    [
        '{listen: "127.0.0.1:8080"}',
        '{listen: "[::1]:8080", without_login: viewer, session_min: 5}',
        f'{{listen: "127.0.0.1:8080", {USERS}}}',
        f'{{listen: "192.0.2.7:443", {USERS}, {TLS}, names: [panel.example]}}',
    ],
)
def test_what_is_safe_is_taken_without_a_word(tmp_path: Path, web: str) -> None:
    assert said(tmp_path, web) == ([], [])


@pytest.mark.parametrize(
    ("web", "problem"),
    [
        ('{listen: "0.0.0.0:8080"}', "without a password"),
        ('{listen: "[::]:8080"}', "without a password"),
        ('{listen: "localhost:8080"}', "expected address:port"),
        ('{listen: "127.0.0.1"}', "expected address:port"),
        ('{listen: "127.0.0.1:0"}', "expected a port"),
        ('{listen: "127.0.0.1:80", users: {boss: {password: short}}}', "at least 8 characters"),
        ('{listen: "127.0.0.1:80", users: {boss: {password: "scrypt:00:00"}}}', "whole line"),
        ('{listen: "127.0.0.1:80", names: ["*.example"]}', "names"),
        ('{listen: "127.0.0.1:80", tls: {cert_file: a.pem}}', "key_file"),
        ('{listen: "127.0.0.1:80", without_login: root}', "without_login"),
    ],
)
def test_what_is_not_is_refused(tmp_path: Path, web: str, problem: str) -> None:
    problems, _ = said(tmp_path, web)
    assert len(problems) == 1
    assert problem in problems[0]
    assert "scrypt:00:00" not in problems[0]


def test_a_page_for_the_network_without_tls_is_warned_of(tmp_path: Path) -> None:
    problems, warnings = said(tmp_path, f'{{listen: "192.0.2.7:8080", {USERS}}}')
    assert problems == []
    assert len(warnings) == 1


def test_a_password_is_never_shown_and_can_be_kept_as_a_hash(tmp_path: Path) -> None:
    made = CliRunner().invoke(main, ["web-password"], input="a-good-password\na-good-password\n")
    assert made.exit_code == 0, made.output
    line = made.stdout.splitlines()[-1]
    users = f'users: {{boss: {{password: "{line}"}}, two: {{password: plain-password}}}}'
    web = f'web: {{listen: "127.0.0.1:8080", {users}}}\n'
    directory = write_config(tmp_path, {"gateway.yaml": GATEWAY + web})
    shown = CliRunner().invoke(main, ["config", "show", "--json", "-c", str(directory)])
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)
    for secret in (line, "plain-password", "a-good-password"):
        assert secret not in shown.output
    refused = CliRunner().invoke(main, ["web-password"], input="short\nshort\n")
    assert refused.exit_code == 1
