"""What a simulated device has heard: proof that bytes arrived, however long they took."""

from dataclasses import dataclass, field

from gatewayd.sim.wires import Device, Feed, Line


@dataclass
class Wiretap:
    """Sits between wires and their devices: `TcpWire(tap.on(device))`."""

    heard: bytearray = field(default_factory=bytearray)

    def on(self, device: Device) -> Device:
        """The device, which hears what it would hear without us."""

        def serve(line: Line) -> Feed:
            feed = device(line)

            def hear(data: bytes) -> None:
                self.heard += data
                feed(data)

            return hear

        return serve
