"""What `support/systemd.py` starts in fresh namespaces: build a root of its own, become systemd.

The root is this machine's own under an overlay that is forgotten with the last process: systemd,
its users and its state directories are real, and nothing outside is written.
"""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

BASE: Final = Path("/run")
"""Ours alone is what gets mounted here."""
UNITS: Final = "etc/systemd/system"
SYSTEMD: Final = "/lib/systemd/systemd"
KEPT: Final = "/lib/systemd/system/systemd-journald.service"
NODES: Final = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}
"""Minors of the memory devices."""


def main() -> None:
    """`systemd_child NAME=FOLDER...`: what a daemon in there needs, at /opt/gatewayd/NAME to read."""
    root = _overlay()
    _kernel(root)
    _devices(root)
    for name, folder in (word.split("=", 1) for word in sys.argv[1:]):
        place = root / "opt/gatewayd" / name
        place.mkdir(parents=True)
        _mount("--bind", folder, place)
        _mount("-o", "remount,bind,ro", place)
    _only_what_is_needed(root)
    _change_root(root)
    known = {"container": "gatewayd-test", "PATH": os.defpath, "TERM": "dumb"}
    os.execve(SYSTEMD, [SYSTEMD, "--system", "--unit=multi-user.target"], known)  # noqa: S606 - it becomes systemd


def _overlay() -> Path:
    _mount("--make-rprivate", "/")
    _mount("-t", "tmpfs", "-o", "size=256m", "tmpfs", BASE)
    upper, work, root = (BASE / name for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        folder.mkdir()
    _mount("-t", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", "overlay", root)
    return root


def _kernel(root: Path) -> None:
    """/proc without settings to change, /sys to read, and the cgroups below our own."""
    _mount("-t", "proc", "proc", root / "proc")
    _mount("--bind", root / "proc/sys", root / "proc/sys")
    _mount("-o", "remount,bind,ro", root / "proc/sys")
    _mount("-t", "sysfs", "-o", "ro", "sysfs", root / "sys")
    _mount("-t", "cgroup2", "cgroup2", root / "sys/fs/cgroup")


def _devices(root: Path) -> None:
    """A /dev with nothing in it but memory devices and the terminals of this machine."""
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root / "dev")
    for name, minor in NODES.items():
        os.mknod(root / "dev" / name, stat.S_IFCHR, os.makedev(1, minor))
        (root / "dev" / name).chmod(0o666)
    for name in ("pts", "shm"):
        (root / "dev" / name).mkdir()
    _mount("--bind", "/dev/pts", root / "dev/pts")
    for name in ("dev/shm", "run", "tmp"):
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root / name)


def _only_what_is_needed(root: Path) -> None:
    """No unit of this machine starts but the journal."""
    for folder in (root / UNITS, root / "lib/systemd/system"):
        for wanted in folder.glob("*.wants"):
            shutil.rmtree(wanted)
    journal = root / UNITS / "sysinit.target.wants"
    journal.mkdir()
    (journal / Path(KEPT).name).symlink_to(KEPT)
    (root / "etc/fstab").write_text("", encoding="utf-8")


def _change_root(root: Path) -> None:
    """Shared, as systemd makes it where it is not in a container: credentials are mounted by a child."""
    (root / "old").mkdir()
    os.chdir(root)
    subprocess.run(["pivot_root", ".", "old"], check=True)
    os.chdir("/")
    subprocess.run(["umount", "--lazy", "/old"], check=True)
    _mount("--make-rshared", "/")


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)


if __name__ == "__main__":
    main()
