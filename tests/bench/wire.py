"""How much of a Modbus wire is used: a serial line at 9600 baud, and one TCP connection.

Beside it, in the same run and against the same unit, a C program on libmodbus. Where there is no C
compiler or no libmodbus (Debian: gcc, libmodbus-dev, pkg-config) it is left out, and said so.
"""

import asyncio
import shutil
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from time import perf_counter, process_time

from drivers.links import Link, SerialLink, TcpLink
from drivers.plc.wire import Wire
from protocols.modbus import read, rtu_silence_s
from tests.bench import house
from tests.bench.figures import Figures

BAUD = 9600
FIRST, COUNT = 100, 16
"""What a gate reports: registers 100..115."""
SENT, RECEIVED = 8, 37
"""Bytes of that request and its reply on a serial line."""
WITHIN_S = 1.0
BATCH = 50
HAND_OVER_S = 0.1
"""Between two clients of one line, which know nothing of each other's silence."""
SOURCE = Path(__file__).with_name("wire_libmodbus.c")


async def measure(directory: Path, seconds: float, figures: Figures) -> None:
    """One run, added to `figures`."""
    c_program = await _compile(directory)
    await _serial(c_program, seconds, figures)
    if c_program is not None:
        await _tcp(c_program, seconds, figures)


async def _serial(c_program: Path | None, seconds: float, figures: Figures) -> None:
    name = f"serial line at {BAUD} baud"
    async with house.python("tests.bench.slow_line", str(BAUD)) as line:
        link = SerialLink(serial=await house.line(line), baud=BAUD)
        reads, took_s, cpu_s = await _read_on(link, seconds)
        # Every character, and the silence after each of the two frames.
        whole_s = (SENT + RECEIVED) * link.char_s() + 2 * rtu_silence_s(link.char_s())
        share = 100 * reads * whole_s / took_s
        figures.add(f"{name}: share of the line used", share, "%", aim=">= 97")
        figures.add(f"{name}: reads a second", reads / took_s, "1/s")
        figures.add(f"{name}: CPU of one read", cpu_s / reads * 1e6, "us", digits=0)
        if c_program is not None:
            await asyncio.sleep(HAND_OVER_S)
            reads, took_s = await _c_reads(c_program, "rtu", link.serial, str(BAUD), str(seconds))
            share = 100 * reads * whole_s / took_s
            figures.add(f"{name}: share used by a C program on libmodbus", share, "%")
        line.terminate()
        hasty = float(await house.line(line))
    figures.add(f"{name}: requests before it was silent", hasty, "", aim="0", digits=0)


async def _tcp(c_program: Path, seconds: float, figures: Figures) -> None:
    name = "one TCP connection"
    async with house.program(str(c_program), "server") as server:
        port = await house.line(server)
        reads, took_s, cpu_s = await _read_on(TcpLink(tcp=f"127.0.0.1:{port}"), seconds)
        figures.add(f"{name}: reads a second", reads / took_s, "1/s", aim=">= 5000", digits=0)
        figures.add(f"{name}: CPU of one read", cpu_s / reads * 1e6, "us", digits=1)
        reads, took_s = await _c_reads(c_program, "tcp", port, str(seconds))
        figures.add(f"{name}: reads a second of the C program", reads / took_s, "1/s", digits=0)


async def _read_on(link: Link, seconds: float) -> tuple[int, float, float]:
    """Reads, seconds and CPU seconds of one unit asked again and again, as a driver asks it."""
    question = read(FIRST, COUNT)
    wanted = b"".join(register.to_bytes(2, "big") for register in range(FIRST, FIRST + COUNT))
    reads = 0
    async with Wire.join(link) as wire:
        began_s, began_cpu_s = perf_counter(), process_time()
        while perf_counter() - began_s < seconds:
            for _ in range(BATCH if isinstance(link, TcpLink) else 1):
                data = await wire.ask(1, question, within_s=WITHIN_S, noise=_no_noise)
                assert data == wanted, data.hex()
                reads += 1
        return reads, perf_counter() - began_s, process_time() - began_cpu_s


def _no_noise(reason: str, raw: bytes) -> None:
    raise AssertionError((reason, raw))


async def _c_reads(c_program: Path, *words: str) -> tuple[int, float]:
    process = await asyncio.create_subprocess_exec(str(c_program), *words, stdout=PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0, words
    reads, took_s = said.split()
    return int(reads), float(took_s)


async def _compile(directory: Path) -> Path | None:
    """The C program; None when this machine cannot make it."""
    if not all(map(shutil.which, ("cc", "pkg-config"))):
        return _left_out("needs cc and pkg-config")
    flags = await _run("pkg-config", "--cflags", "--libs", "libmodbus")
    if flags is None:
        return _left_out("needs libmodbus-dev")
    program = directory / "libmodbus"
    made = await _run("cc", "-O2", "-o", str(program), str(SOURCE), *flags.split())
    return program if made is not None else _left_out(f"does not compile: {SOURCE.name}")


def _left_out(why: str) -> Path | None:
    sys.stderr.write(f"wire: the C program is left out, it {why}\n")
    return None


async def _run(*words: str) -> str | None:
    """What a program prints; None when it fails."""
    process = await asyncio.create_subprocess_exec(*words, stdout=PIPE)
    said, _ = await process.communicate()
    return said.decode() if process.returncode == 0 else None
