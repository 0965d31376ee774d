"""The cable between gateway and devices, cut: two network namespaces and a pair of veth between.

Devices, workers and broker live in one, the daemon in the other; a cut takes the link down, so
that no side is told anything. Addresses are of TEST-NET-1 and exist only in there. This file is
both sides: `soak` builds the namespaces and runs it again inside of one.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gatewayd.sim.broker import free_port
from tests.soak.faults import Fault, Trouble, live_through
from tests.soak.site import SiteSpec, open_site
from tests.soak.tally import Tally
from tests.support.brokers import Mosquitto

DEVICES, GATEWAY = "192.0.2.1", "192.0.2.2"
TOLD, RESULT = "cut", "tally.json"


class NamespaceError(Exception):
    """This machine does not let us make namespaces; the message says why."""


def within(namespace: str) -> tuple[str, str]:
    """What starts a program there. `ip netns exec` would also keep a copy of every mount."""
    return "nsenter", f"--net=/run/netns/{namespace}"


class Cable:
    """The devices' end of the veth pair, in whose namespace we are."""

    name = "soak0"

    def cut(self) -> None:
        """Nothing passes, and nobody is told."""
        _run("ip", "link", "set", self.name, "down")

    def mend(self) -> None:
        """It passes again."""
        _run("ip", "link", "set", self.name, "up")


class Cut(Trouble):
    """The network cable between gateway and devices; what hangs on serial lines goes on."""

    name = "cable"
    leases = (0.3, 6.0)

    async def hurt(self, fault: Fault) -> None:
        """Cut, wait, mend, and let connections come back."""
        site, cable = self.site, Cable()
        await asyncio.to_thread(cable.cut)
        on_tcp = site.station.rigs[::2]
        for rig in on_tcp:
            site.tally.add(f"cut while: {site.truths[rig.name].phase}")
        await site.deaf(*(site.truths[rig.name] for rig in on_tcp))
        await asyncio.sleep(fault.lasts_s)
        await asyncio.to_thread(cable.mend)
        long = fault.lasts_s * 1000 > site.spec.lease_ms
        site.tally.add("longer than the lease" if long else "shorter than the lease")
        if not long:
            for rig in on_tcp:
                site.truths[rig.name].wakes()


async def soak(directory: Path, spec: SiteSpec, count: int, told: Callable[[], None]) -> Tally:
    """One station whose cable is cut `count` times, in namespaces of their own."""
    result = directory / RESULT
    try:
        with _namespaces() as (devices, gateway):
            inside = [sys.executable, "-m", "tests.soak.cables", str(directory), gateway]
            numbers = [str(spec.seed), str(spec.rigs), str(count)]
            process = await asyncio.create_subprocess_exec(
                *within(devices), *inside, *numbers, stdout=PIPE
            )
            assert process.stdout is not None
            async for line in process.stdout:
                if line.strip() == TOLD.encode():
                    told()
            code = await process.wait()
    except NamespaceError as exc:
        return Tally("cable", skipped=str(exc))
    tally = (
        Tally.from_json(result.read_text(encoding="utf-8")) if result.exists() else Tally("cable")
    )
    if code:
        tally.say(f"the soak inside the namespace ended with {code}")
    return tally


@contextmanager
def _namespaces() -> Iterator[tuple[str, str]]:
    """Two of them with the pair between. Raises NamespaceError."""
    names = tuple(f"gatewayd-{side}-{os.getpid()}" for side in ("devices", "gateway"))
    ends = (Cable.name, "soak1")
    try:
        for name in names:
            _run("ip", "netns", "add", name)
        devices, gateway = names
        pair = ("type", "veth", "peer", "name", ends[1], "netns", gateway)
        _run("ip", "link", "add", ends[0], "netns", devices, *pair)
        for name, end, address in zip(names, ends, (DEVICES, GATEWAY), strict=True):
            _run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", end)
            for link in ("lo", end):
                _run("ip", "-n", name, "link", "set", link, "up")
        yield devices, gateway
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _run(*words: str) -> None:
    if os.geteuid() != 0:
        raise NamespaceError("only root may make network namespaces")
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as exc:
        raise NamespaceError(f"{words[0]}: {exc.strerror}") from exc
    if done.returncode:
        raise NamespaceError(f"{' '.join(words)}: {done.stderr.strip()}")


# Inside of the devices' namespace


async def _inside(directory: Path, gateway: str, spec: SiteSpec, count: int) -> Tally:
    tally, port = Tally("cable"), free_port()
    spec = replace(
        spec,
        host=DEVICES,
        before=within(gateway),
        broker=lambda folder: Mosquitto(folder, extra=[f"listener {port} {DEVICES}"]),
        broker_url=lambda _site: f"mqtt://{DEVICES}:{port}",
    )
    with tally.surviving():
        async with open_site(directory, spec, tally) as site:
            await live_through(Cut(site), count, _tell)
    return tally


def _tell() -> None:
    sys.stdout.write(f"{TOLD}\n")
    sys.stdout.flush()


def main() -> None:
    """What `soak` starts inside of the devices' namespace."""
    parser = argparse.ArgumentParser()
    for name in ("directory", "gateway"):
        parser.add_argument(name)
    for name in ("seed", "rigs", "count"):
        parser.add_argument(name, type=int)
    asked = parser.parse_args()
    directory = Path(asked.directory)
    spec = SiteSpec(asked.seed, rigs=asked.rigs)
    tally = asyncio.run(_inside(directory, asked.gateway, spec, asked.count))
    (directory / RESULT).write_text(json.dumps(tally.as_json()), encoding="utf-8")


if __name__ == "__main__":
    main()
