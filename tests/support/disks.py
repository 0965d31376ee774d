"""Disks that fail: a small one that fills up, and one that turns read-only as after an error.

Both are file systems of their own, mounted over a folder, which only root may do.
"""

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

DISK_MB = 96
"""More than an import leaves free for the records of fills."""


CORRECTED = 1
"""How e2fsck ends when it found something and put it right."""


class MountError(Exception):
    """This machine does not let us mount; the message says why."""


class Disk:
    """A disk without a free byte, for the store and for the log."""

    def __init__(self, config: Path) -> None:
        self._ballast = config / "ballast"

    def use_up(self) -> None:
        with self._ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def clear(self) -> None:
        self._ballast.unlink()


@contextlib.contextmanager
def tmpfs(folder: Path) -> Iterator[None]:
    """A file system of DISK_MB for `folder`. Raises MountError."""
    _run("mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """`tmpfs` for a test, which is skipped where nobody may mount."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(tmpfs(folder))
        except MountError as exc:
            pytest.skip(f"{exc}; the quota test covers the rest")
        yield


class Image:
    """An ext4 file system in a file, mounted over a folder, that can turn read-only by an error.

    What turns it is ext4's own `abort`: the journal stops, the mount is read-only, whoever has
    files open keeps them and cannot write. Only unmounting and a check make it well again.
    """

    def __init__(self, file: Path, folder: Path) -> None:
        self._file, self._folder = file, folder

    def __enter__(self) -> Self:
        """Make and mount it. Raises MountError."""
        with self._file.open("wb") as file:
            file.truncate(DISK_MB * 2**20)
        _run("mkfs.ext4", "-q", "-e", "remount-ro", str(self._file))
        self._mount()
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "--lazy", str(self._folder)], check=True)

    def fail(self) -> None:
        """It is read-only from now on. Raises MountError where it cannot be made so."""
        _run("mount", "-o", "remount,abort", str(self._folder))

    def repair(self) -> None:
        """Unmount, check, mount; nobody may have a file open on it."""
        _run("umount", str(self._folder))
        done = subprocess.run(["e2fsck", "-p", str(self._file)], check=False, capture_output=True)
        if done.returncode > CORRECTED:
            raise MountError(f"e2fsck: {done.stdout.decode()}")
        self._mount()

    def _mount(self) -> None:
        _run("mount", "-o", "loop", str(self._file), str(self._folder))


def _run(*words: str) -> None:
    if os.geteuid() != 0:
        raise MountError(f"only root may {words[0]}")
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as exc:
        raise MountError(f"{words[0]}: {exc.strerror}") from exc
    if done.returncode:
        raise MountError(f"{' '.join(words)}: {done.stderr.strip()}")


@contextlib.contextmanager
def no_file_grows() -> Iterator[None]:
    """Every write of this process behind the first 64 kB of a file fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
