"""Where a Linux machine tells about its devices: /sys, /dev and /proc, or a tree like them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine by its root directory; another root shows another machine's copy."""

    root: Path = Path("/")

    @property
    def sys(self) -> Path:
        """The kernel's device tree."""
        return self.root / "sys"

    @property
    def dev(self) -> Path:
        """The device files and udev's names for them."""
        return self.root / "dev"

    @property
    def proc(self) -> Path:
        """The running programs."""
        return self.root / "proc"


def entries(directory: Path) -> tuple[Path, ...]:
    """What is in a directory by name; nothing when it is not there or closed to us."""
    try:
        return tuple(sorted(directory.iterdir()))
    except OSError:
        return ()


def word(path: Path) -> str:
    """The text of a small kernel file; empty when there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def number(path: Path, base: int = 10) -> int | None:
    """The number in a small kernel file; None when there is none."""
    try:
        return int(word(path), base)
    except ValueError:
        return None
