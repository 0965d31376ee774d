"""A simulated QR and barcode scanner: text and a suffix on a wire, as serial and TCP heads send."""

from gatewayd.sim.wires import Feed, Line, Wire


class SimScanner:
    """Sends every scan to everyone on `wire`; what it is sent it ignores."""

    def __init__(self, *, prefix: bytes = b"", suffix: bytes = b"\r") -> None:
        self.prefix = prefix
        self.suffix = suffix
        self.wire: Wire | None = None

    def device(self, line: Line) -> Feed:
        """Serve one peer."""
        del line
        return _ignore

    def scan(self, text: str) -> None:
        """Read one code."""
        self.send(self.prefix + text.encode() + self.suffix)

    def send(self, data: bytes) -> None:
        """Put raw bytes on the wire, for noise."""
        for line in self.wire.lines if self.wire is not None else ():
            line.send(data)


def _ignore(data: bytes) -> None:
    del data
