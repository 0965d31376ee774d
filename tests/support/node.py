"""Programs of other people in Node.js: packages from npm in a folder of their own, made once.

Without node or npm, or when the registry does not answer in time, a test is skipped and says so.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

INSTALL_S_MAX = 90.0
PACKAGES = {"mqtt": "5.16.0", "sparkplug-payload": "1.0.3"}


@cache
def modules() -> Path:
    """The folder with `node_modules`; skips the test when it cannot be had."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed (Debian packages: nodejs, npm)")
    name = "-".join(f"{package}-{version}" for package, version in PACKAGES.items())
    folder = Path(tempfile.gettempdir()) / f"gatewayd-node-{os.getuid()}-{name}"
    if not (folder / "done").exists():
        _install(folder)
    return folder


def _install(folder: Path) -> None:
    """Into a folder beside it first: several test processes may do so at once."""
    with tempfile.TemporaryDirectory(prefix="gatewayd-node-") as made:
        (Path(made) / "package.json").write_text(json.dumps({"dependencies": PACKAGES}))
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        try:
            subprocess.run(
                command, cwd=made, check=True, capture_output=True, timeout=INSTALL_S_MAX
            )
        except (subprocess.SubprocessError, OSError) as exc:
            pytest.skip(f"npm gives no {', '.join(PACKAGES)}: {exc}")
        (Path(made) / "done").touch()
        if not (folder / "done").exists():
            shutil.copytree(made, folder, dirs_exist_ok=True)


def command(program: Path, *words: str) -> Sequence[str]:
    """`node PROGRAM WORDS`, to be run with `environment()`."""
    return ["node", str(program), *words]


def environment() -> dict[str, str]:
    """Where node finds the packages."""
    return {**os.environ, "NODE_PATH": str(modules() / "node_modules")}
