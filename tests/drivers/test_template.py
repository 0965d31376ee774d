"""`drivers/template` is copied, installed and run as its README says."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

TEMPLATE = Path(__file__).parents[2] / "drivers/template"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]


def installed(copy: Path) -> dict[str, str]:
    """The environment of a machine that has the package; nothing is fetched."""
    site = copy / "site"
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--target", str(site)]
    subprocess.run([*PIP, *options, str(copy)], check=True, timeout=60)
    return {**os.environ, "PYTHONPATH": str(site)}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    return Path(shutil.copytree(TEMPLATE, tmp_path / "my-reader", ignore=ignored))


def test_the_template_passes_its_own_tests_and_is_found(copy: Path) -> None:
    env = installed(copy)
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(
        tests, cwd=copy, env=env, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout
    listed = subprocess.run(
        [sys.executable, "-m", "gatewayd", "drivers", "--json"],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    rows = {row["name"]: row for row in json.loads(listed.stdout)["drivers"]}
    assert rows["acme.reader"]["error"] is None
    assert rows["acme.reader"]["summary"] == "ACME tag readers over TCP or serial"


def test_a_name_that_two_packages_claim_is_an_error_that_names_both(
    copy: Path, tmp_path: Path
) -> None:
    text = (copy / "pyproject.toml").read_text("utf-8")
    other = tmp_path / "other"
    shutil.copytree(copy, other)
    (other / "pyproject.toml").write_text(
        text.replace('name = "acme-reader"', 'name = "acme-reader-fork"'), "utf-8"
    )
    env = installed(copy)
    env["PYTHONPATH"] += os.pathsep + installed(other)["PYTHONPATH"]
    listed = subprocess.run(
        [sys.executable, "-m", "gatewayd", "drivers", "--json"],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    rows = {row["name"]: row for row in json.loads(listed.stdout)["drivers"]}
    assert "claimed by acme-reader and acme-reader-fork" in rows["acme.reader"]["error"]
    assert rows["barcode.tcp"]["error"] is None


async def answer(env: Mapping[str, str], *words: str) -> dict[str, Any]:
    """What `gatewayd words --json` prints where the package is installed."""
    command = (sys.executable, "-m", "gatewayd", *words, "--json")
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    found: dict[str, Any] = json.loads(out)
    return found


async def test_its_own_frames_are_found_shown_and_decoded_like_ours(copy: Path) -> None:
    env = installed(copy)
    command = (sys.executable, "-m", "drivers.suite", "acme_reader.scripted:KIT")
    device = await asyncio.create_subprocess_exec(*command, env=env, stdout=PIPE)
    try:
        assert device.stdout is not None
        shown, detect, probe = [(await device.stdout.readline()).decode().split() for _ in "123"]
        found = await answer(env, *detect[1:])
        seen = await answer(env, *probe[1:])
    finally:
        device.kill()
        await device.wait()
    (host,) = found["hosts"]
    assert (host["guess"]["drivers"], host["guess"]["format"]) == (["acme.reader"], "acme")
    assert host["line"].startswith("device-1: {driver: acme.reader")
    assert [reading["uid"] for reading in seen["readings"]] == shown[:1]
    assert {frame["format"] for frame in seen["frames"]} == {"acme"}
    assert any(frame["fields"].get("model") == "One 1.0" for frame in seen["frames"])
    rows = {row["name"]: row for row in (await answer(env, "formats"))["formats"]}
    assert rows["acme"]["drivers"] == ["acme.reader"]
    told = await answer(env, "decode", "--frame", "acme", "5a08014f6e6520312e30cc")
    assert told["fields"]["model"] == "One 1.0"
    assert (await answer(env, "decode", "5a08014f6e6520312e30cc"))["format"] == "acme"
