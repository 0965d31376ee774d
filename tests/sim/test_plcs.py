"""The bench's bare PLCs, as the process that the bench starts."""

import asyncio
import sys

from pymodbus.client import AsyncModbusTcpClient

WITHIN_S = 30


async def test_many_bare_plcs_answer_move_and_stop_with_their_input() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gatewayd.sim.plcs",
        "--count",
        "3",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        word, *ports = (await process.stdout.readline()).decode().split()
        assert word == "READY"
        assert len(set(ports)) == 3
        client = AsyncModbusTcpClient("127.0.0.1", port=int(ports[2]), retries=0)
        assert await client.connect()
        first = (await client.read_holding_registers(100, count=16)).registers
        while (await client.read_holding_registers(100, count=16)).registers[15] == first[15]:
            pass  # a heartbeat that never moves ends at the deadline
        assert not (await client.write_registers(1, [5, 0, 5000, 0, 30_000, 2000])).isError()
        assert not (await client.write_register(0, 7)).isError()
        assert (await client.read_holding_registers(0, count=2)).registers == [7, 5]
        assert (await client.read_holding_registers(101, count=1)).registers == [7]
        assert (await client.read_holding_registers(200, count=2)).registers == [0, 0]
        client.close()
        process.stdin.close()
        assert await process.wait() == 0
