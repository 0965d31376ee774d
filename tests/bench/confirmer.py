"""A platform that confirms records, as a process of its own: `python -m tests.bench.confirmer PORT`.

It confirms the ids of `EVERY` records at once, and what is left when nothing comes for a moment.
Prints `up` once it listens; ends with SIGTERM.
"""

import argparse
import json
import signal
import sys
import threading
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.bench import house

EVERY = 20
QUIET_S = 0.05
ROOT = f"gatewayd/v1/{house.STATION}"


def main() -> None:
    """Confirm until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    waiting: list[str] = []
    stop, came, lock = threading.Event(), threading.Event(), threading.Lock()
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)

    def confirm() -> None:
        with lock:
            ids, waiting[:] = waiting[:], []
        if ids:
            client.publish(f"{ROOT}/ack", json.dumps({"ids": ids}), 1)

    def hear(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        with lock:
            waiting.append(json.loads(message.payload)["id"])
            full = len(waiting) >= EVERY
        came.set()
        if full:
            confirm()

    def heard_of(*_: Any) -> None:
        sys.stdout.write("up\n")
        sys.stdout.flush()

    client.on_message, client.on_subscribe = hear, heard_of
    client.connect("127.0.0.1", parser.parse_args().port)
    client.subscribe(f"{ROOT}/records/#", 1)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    client.loop_start()
    while not stop.wait(QUIET_S):
        if not came.is_set():
            confirm()
        came.clear()
    client.loop_stop()


if __name__ == "__main__":
    main()
