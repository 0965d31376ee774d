"""A real systemd as the first process of namespaces of its own, with the shipped unit in it.

    async with booted() as systemd:
        await systemd.install(config)
        await systemd.ctl("start", "gatewayd")

Its root is an overlay over this machine's own, its cgroup one of our own; both are gone with it.
Only root may, and only where a cgroup2 hierarchy is mounted; elsewhere the test is skipped and says why.
"""

import asyncio
import contextlib
import grp
import os
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.systemd_child import SYSTEMD, UNITS
from tests.support.waiting import WITHIN_S, until

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "systemd" / "gatewayd.service"
USER_ID = 64_990
"""Of the user `gatewayd` in there."""
BROUGHT = {
    "packages": sysconfig.get_path("purelib"),
    "source": str(ROOT),
    "python": sys.base_prefix,
}
"""Brought to /opt/gatewayd: the unit hides homes and temporary folders, where they may be."""
BOOT_S_MAX = WITHIN_S
FOUND = "[Service]\nEnvironment=LD_LIBRARY_PATH=/opt/gatewayd/python/lib\n"
"""A Python that was built to be shared looks for itself where it was built."""
PROGRAM = """\
#!/opt/gatewayd/python/bin/python{}.{} -I
import sys
sys.path[:0] = ["/opt/gatewayd/source", "/opt/gatewayd/packages"]
from gatewayd.__main__ import main
main()
"""


class SystemdError(Exception):
    """No systemd can be booted here; the message says why."""


class Systemd:
    """One that runs. `first` is its process as we see it, `root` its files."""

    def __init__(self, first: int, group: Path) -> None:
        self._first, self._group = first, group
        self.root = Path("/proc", str(first), "root")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in there."""
        inside = ("nsenter", "-t", str(self._first), "-m", "-p", "-C", "-u", "-i")
        return subprocess.run(
            [*inside, *words], capture_output=True, text=True, check=False, env={"PATH": os.defpath}
        )

    async def ctl(self, *words: str) -> str:
        """`systemctl words`, which must succeed; what it says. Simulated devices go on meanwhile."""
        done = await asyncio.to_thread(self.run, "systemctl", "--no-pager", *words)
        assert done.returncode == 0, f"{words}: {done.stderr}\n{self.journal()}"
        return done.stdout

    def show(self, name: str, unit: str = "gatewayd") -> str:
        """A property of a unit, as `systemctl show` has it."""
        return self.run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()

    def pids(self, unit: str = "gatewayd.service") -> tuple[int, ...]:
        """The processes of a unit that runs, as we see them."""
        try:
            told = (self._group / "system.slice" / unit / "cgroup.procs").read_text(
                encoding="ascii"
            )
        except OSError:
            return ()
        return tuple(int(word) for word in told.split())

    def journal(self, unit: str = "gatewayd") -> str:
        """What a unit, and systemd about it, have said."""
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit).stdout

    def up(self) -> bool:
        """Whether the boot is over."""
        return self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    # What a technician does by systemd/README.md.

    def add_program(self) -> None:
        """The user, and the program at the path that the unit names."""
        for name in ("passwd", "group"):
            line = f"gatewayd:x:{USER_ID}:" + (
                f"{USER_ID}::/:/bin/false" if name == "passwd" else ""
            )
            with (self.root / "etc" / name).open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        program = self.root / "opt/gatewayd/venv/bin/gatewayd"
        program.parent.mkdir(parents=True)
        program.write_text(PROGRAM.format(*sys.version_info), "utf-8")
        program.chmod(0o755)

    async def add_unit(self, name: str, text: str) -> None:
        """Write a unit, or a file of settings beside one, and have it read."""
        path = self.root / UNITS / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        await self.ctl("daemon-reload")

    def add_node(self, name: str, major: int, minor: int) -> None:
        """A character device that everybody may open, as far as its mode goes."""
        node = self.root / "dev" / name
        os.mknod(node, stat.S_IFCHR, os.makedev(major, minor))
        node.chmod(0o666)

    async def install(self, config: Path) -> None:
        """Program, unit, a configuration, and the store that lies beside it."""
        self.add_program()
        self._add_config(config)
        await self.add_unit("gatewayd.service", UNIT.read_text(encoding="utf-8"))
        await self.add_unit("gatewayd.service.d/python.conf", FOUND)

    def _add_config(self, config: Path) -> None:
        etc, state = self.root / "etc/gatewayd", self.root / "var/lib/gatewayd"
        shutil.rmtree(etc, ignore_errors=True)
        shutil.copytree(config, etc, ignore=shutil.ignore_patterns("gatewayd.db*"))
        etc.chmod(0o750)
        os.chown(etc, 0, USER_ID)
        gateway = etc / "gateway.yaml"
        told = gateway.read_text(encoding="utf-8")
        moved = told.replace("path: gatewayd.db", "path: /var/lib/gatewayd/gatewayd.db")
        assert moved != told
        gateway.write_text(moved, encoding="utf-8")
        state.mkdir()
        for file in (state, *(Path(shutil.copy(f, state)) for f in config.glob("gatewayd.db*"))):
            os.chown(file, USER_ID, USER_ID)


def devices() -> dict[str, int]:
    """The majors of this machine's character devices whose drivers are loaded."""
    told = Path("/proc/devices").read_text(encoding="ascii").partition("Block")[0]
    pairs = (line.split() for line in told.splitlines() if line[:3].strip().isdecimal())
    return {name: int(major) for major, name in pairs}


def let_in(port: Path) -> None:
    """A port belongs to the group of serial ports, as udev sees to for a real one."""
    os.chown(port, -1, grp.getgrnam("dialout").gr_gid)
    port.chmod(0o660)


@contextlib.asynccontextmanager
async def booted() -> AsyncIterator[Systemd]:
    """One for a test, which is skipped where none can be booted."""
    try:
        _look_at_this_machine()
        group = Path(tempfile.mkdtemp(prefix="gatewayd-test-", dir=_hierarchy()))
    except (SystemdError, OSError) as exc:
        pytest.skip(f"no systemd can be booted here: {exc}")
    process = _start(group)
    try:
        yield await _up(process, group)
    finally:
        await _end(process, group)


def _start(group: Path) -> subprocess.Popen[str]:
    kinds = ("pid", "mount", "uts", "ipc", "cgroup")
    fresh = ["unshare", "--fork", "--kill-child", *(f"--{kind}" for kind in kinds)]
    child = [sys.executable, "-m", "tests.support.systemd_child"]
    folders = [f"{name}={folder}" for name, folder in BROUGHT.items()]
    enter = ["sh", "-c", 'echo $$ > "$0"/cgroup.procs && exec "$@"', str(group)]
    return subprocess.Popen(
        [*enter, *fresh, *child, *folders],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


async def _up(process: subprocess.Popen[str], group: Path) -> Systemd:
    """Wait until it has booted; skips the test when its root could not be built."""
    systemd: list[Systemd] = []

    def booted_or_ended() -> bool:
        if process.poll() is not None:
            return True
        systemd[:] = [Systemd(pid, group) for pid in _children(process.pid)]
        return bool(systemd) and systemd[0].up()

    await until(booted_or_ended, BOOT_S_MAX)
    if process.poll() is not None:
        assert process.stderr is not None
        pytest.skip(f"no systemd can be booted here: {process.stderr.read()[-500:]}")
    return systemd[0]


async def _end(process: subprocess.Popen[str], group: Path) -> None:
    """Its first process takes all others and every mount with it; then its cgroups can go."""
    for pid in _children(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.kill()
    process.communicate()
    await until(lambda: _removed(group), BOOT_S_MAX)


def _children(pid: int) -> list[int]:
    """Nothing for one that has ended, and for one that is not `unshare` yet."""
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in told.split()]


def _removed(group: Path) -> bool:
    folders = [Path(folder) for folder, _, _ in os.walk(group, topdown=False)]
    try:
        for folder in folders:
            folder.rmdir()
    except OSError:
        return False
    return True


def _look_at_this_machine() -> None:
    if os.geteuid() != 0:
        raise SystemdError("only root may make namespaces")
    lacking = [each for each in ("unshare", "nsenter", "pivot_root") if shutil.which(each) is None]
    if lacking or not Path(SYSTEMD).exists():
        raise SystemdError(f"needs {', '.join(lacking) or SYSTEMD}")
    try:
        grp.getgrnam("dialout")
    except KeyError as exc:
        raise SystemdError("this machine has no group dialout") from exc


def _hierarchy() -> Path:
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    raise SystemdError("no cgroup2 hierarchy is mounted")
