"""The desk: everything that people may ask of the running daemon, whoever carries the question.

A page, a command over MQTT, a card reader and the command line call the same methods. Each is
durable first, recorded with who and why, and answers with a value or with `No` in both languages.
"""

from gatewayd.desk.batches import Batches
from gatewayd.desk.checking import Checking
from gatewayd.desk.holds import Holds
from gatewayd.desk.refusals import Refusals


class Desk(Checking, Batches, Refusals, Holds):
    """All parts of the desk in one. Create one a daemon; use it on one event loop.

    It only commits and tells the rigs to look again: no method waits for a gate, and none opens one.
    """
