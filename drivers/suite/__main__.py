"""`python -m drivers.suite MODULE:KIT`: a kit's scripted device on loopback, until Ctrl-C.

To see it as a technician does, with `gatewayd detect` and `gatewayd probe`, before there is a device.
"""

import argparse
import asyncio
import contextlib
import sys
from importlib import import_module

from drivers.suite.kit import Kit
from drivers.suite.wires import WIRES, Wire


def _kit(text: str) -> Kit:
    module, _, name = text.partition(":")
    try:
        found = getattr(import_module(module), name or "KIT")
    except (ImportError, AttributeError) as exc:
        raise argparse.ArgumentTypeError(f"{text}: {exc}") from exc
    if not isinstance(found, Kit):
        raise argparse.ArgumentTypeError(f"{text} is no drivers.suite.Kit")
    return found


async def _serve(kit: Kit, wire: Wire) -> None:
    device = kit.device()
    async with wire(device.plugged) as link:
        kit.show(device, kit.identities[:1])
        settings = {**{f"link.{key}": value for key, value in link.items()}, **kit.settings}
        told = " ".join(f"--set {key}={value}" for key, value in settings.items())
        sys.stdout.write(f"{kit.identities[0]} is shown; Ctrl-C ends it. In another terminal:\n")
        if "tcp" in link:
            sys.stdout.write(f"  gatewayd detect --host {link['tcp']}\n")
        sys.stdout.write(f"  gatewayd probe --driver {kit.driver.name} {told}\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


def main() -> None:
    """Parse the command line and serve."""
    wires = {wire.__name__.removeprefix("on_"): wire for wire in WIRES}
    parser = argparse.ArgumentParser(prog="python -m drivers.suite", description=__doc__)
    parser.add_argument("kit", type=_kit, metavar="MODULE:KIT", help="acme_reader.scripted:KIT")
    parser.add_argument("--wire", choices=sorted(wires), default="tcp")
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(given.kit, wires[given.wire]))


if __name__ == "__main__":
    main()
