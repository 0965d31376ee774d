"""Private copies of the tree: the work tree is read once and never written."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LEFT_OUT = (".git", ".venv", "dist", "__pycache__", ".*_cache", ".hypothesis", ".benchmarks")
PREFIX = "plants-"
"""Short: sockets live below it, and their names end at 108 bytes."""


@contextmanager
def copied(tree: Path) -> Iterator[Path]:
    """A copy of a whole tree, gone afterwards whatever happens."""
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
        yield shutil.copytree(tree, Path(name) / "t", ignore=shutil.ignore_patterns(*LEFT_OUT))


@contextmanager
def planting(clean: Path) -> Iterator[Path]:
    """A copy of a copy, with what Python has compiled there already."""
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
        yield shutil.copytree(clean, Path(name) / "t")
