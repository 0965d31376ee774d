"""The connection to an LLRP reader: TCP 5084, or TLS 5085 with the reader's own certificate."""

import asyncio
import ssl

from drivers.contract import DriverError
from drivers.links import OPEN_WITHIN_S, Stream, TcpLink, cause, host_port, keep_alive, open_stream


async def open_link(link: TcpLink, tls_ca_file: str) -> Stream:
    """Open the wire, encrypted when a file is named; raises DriverError with the cause.

    The certificate must be signed by, or be, one in the file. Its host name is not compared:
    readers carry self-made certificates and are reached by address; the file names the reader.
    """
    if not tls_ca_file:
        return await open_stream(link)
    trusted = await _trusted(tls_ca_file)
    host, port = host_port(link.tcp)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(OPEN_WITHIN_S):
            transport, stream = await loop.create_connection(
                lambda: Stream(link.wire()), host, port, ssl=trusted
            )
    except ssl.SSLCertVerificationError as exc:
        raise DriverError(
            f"{link.wire()}: the reader's certificate is not the one in {tls_ca_file}: "
            f"{exc.verify_message}"
        ) from exc
    except ssl.SSLError as exc:
        raise DriverError(f"{link.wire()}: no TLS here; plain LLRP is on port 5084") from exc
    except OSError as exc:
        raise DriverError(f"{link.wire()}: {cause(exc)}") from exc
    keep_alive(transport.get_extra_info("socket"))
    return stream


async def _trusted(tls_ca_file: str) -> ssl.SSLContext:
    def load() -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=tls_ca_file)
        context.check_hostname = False
        return context

    try:
        return await asyncio.to_thread(load)
    except OSError as exc:  # Also what ssl raises for a file that is no certificate.
        raise DriverError(f"tls_ca_file {tls_ca_file}: {cause(exc)}") from exc
