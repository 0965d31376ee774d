"""What the numbers were measured on, and what processes cost there, from /proc."""

import asyncio
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic_ns

from gatewayd.clock import SECOND

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PACKAGES = ("gatewayd", "apsw", "aiomqtt", "paho-mqtt", "cel-expr-python", "pydantic")


def describe(directory: Path) -> dict[str, str]:
    """Processor, kernel, versions, disk under `directory`, and how busy the machine is now."""
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "python": f"{platform.python_implementation()} {sys.version.split()[0]}",
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "broker": _first_line("mosquitto", "-h"),
        "disk": _first_line("df", "--output=fstype,source", str(directory), line=1),
        "load before": load,
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(("model name", "Hardware", "Model")):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _first_line(program: str, *words: str, line: int = 0) -> str:
    """A line of what a program says, or "unknown"."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        return "unknown"
    said = subprocess.run([path, *words], capture_output=True, text=True, check=False)
    lines = said.stdout.splitlines()
    return " ".join(lines[line].split()) if len(lines) > line else "unknown"


def cpu_s(pid: int) -> float:
    """CPU seconds, user and system, that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def rss_mb(pid: int) -> float:
    """Resident memory of a process in MB, shared pages included."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]
    return int(pages) * _PAGE_BYTES / 1e6


def all_cpu_s() -> float:
    """CPU seconds that everything on the machine has used: all but idle and waiting for disks."""
    line = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line.split()[1:9])
    return (user + nice + system + irq + softirq + steal) * _TICK_S


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of each process and of all others meanwhile, and the memory of the daemon."""

    seconds: float
    cpu_s: dict[str, float]
    others_s: float
    rss_mb: float


async def watch(who: dict[str, int], seconds: float) -> Cost:
    """Wait, and say what processes cost meanwhile; one of them is called `daemon`."""
    began_ns = monotonic_ns()
    all_before_s = all_cpu_s()
    before_s = {name: cpu_s(pid) for name, pid in who.items()}
    await asyncio.sleep(seconds)
    used_s = {name: cpu_s(pid) - before_s[name] for name, pid in who.items()}
    return Cost(
        seconds=(monotonic_ns() - began_ns) / SECOND,
        cpu_s=used_s,
        others_s=max(0.0, all_cpu_s() - all_before_s - sum(used_s.values())),
        rss_mb=rss_mb(who["daemon"]),
    )
