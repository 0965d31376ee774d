"""Where the shipped rule packs, register maps and tag layouts are, installed or in a checkout."""

from pathlib import Path

import gatewayd
from gatewayd.errors import ConfigError


def shipped_dir() -> Path:
    """The `gatewayd/shipped` folder of an installed wheel, else the repository's `config/`.

    Raises ConfigError when neither exists: the installation is damaged.
    """
    package = Path(gatewayd.__file__).parent
    for candidate in (package / "shipped", package.parent / "config"):
        if candidate.is_dir():
            return candidate
    raise ConfigError(f"{package}/shipped:0:0: the shipped rules are missing; reinstall gatewayd")
