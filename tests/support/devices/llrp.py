"""A scripted LLRP reader: a ROSpec list, one client, keepalives, tag memory, all over its real bytes.

For what the emulator of llrpkit cannot do: be taken, left over, polled, silent, refusing, broken.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.readers.llrp import Message, Param, commands, decode, device, new_framer
from protocols.readers.llrp.device import Sight

BANKS = {0: bytes(8), 2: bytes.fromhex("e2801105200061aa"), 3: bytes(16)}
POWERS_CDBM = tuple(range(1000, 3025, 25))
_SPECS = {"ROSPEC", "ACCESSSPEC"}


def _nobody(_data: bytes) -> None:
    """Nobody is connected."""


@dataclass
class ScriptedLlrp:
    """Answers like a reader; change it while it runs."""

    tags: list[bytes] = field(default_factory=list)
    maker: int = commands.IMPINJ_PEN
    antenna: int | None = 1
    attempt: int = 0
    """Status of the greeting: 0 welcomes, 2 says that another client is connected."""
    streams: bool = True
    """Reports by itself; False waits for GET_REPORT, as its ROSpec says."""
    pushes: bool = False
    """A ROSpec of a client that crashed is still running."""
    silent: bool = False
    before: bytes = b""
    slow_s: float = 0.0
    refuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    ignores: set[str] = field(default_factory=set)
    keepalives: bool = True
    queued: int = 0
    """Reports that come out before the answer to CLOSE_CONNECTION."""
    rospecs: dict[int, Param] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    accessspecs: dict[int, Param] = field(default_factory=dict)
    memory: dict[bytes, dict[int, bytes]] = field(default_factory=dict)
    fails: list[int] = field(default_factory=list)
    """Result codes of the next access operations, before they succeed."""
    forgets: bool = False
    """A tag that says it was written and was not."""
    heard: list[Message] = field(default_factory=list)
    connections: int = 0
    _send: Callable[[bytes], None] = _nobody
    _unplug: Callable[[], None] = lambda: None
    _beat: asyncio.TimerHandle | None = None

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        self._send, self._unplug = send, unplug
        self.connections += 1
        self._stop_beating()
        framer = new_framer()
        greeting = Param("ConnectionAttemptEvent", {"status": self.attempt})
        self.say(device.event(greeting, utc_us=1_398_936_810_740_479))
        if self.attempt:
            unplug()
        if self.pushes:
            self.states[77] = "Active"
            self.report()

        def hear(data: bytes) -> None:
            for piece in framer.feed(data):
                assert isinstance(piece, bytes), piece
                message = decode(piece)
                self.heard.append(message)
                if not self.silent and message.name not in self.ignores:
                    self._answer(message)

        return hear

    def say(self, data: bytes) -> None:
        if self.silent:
            return
        if self.slow_s:
            asyncio.get_running_loop().call_later(self.slow_s, self._send, self.before + data)
        else:
            self._send(self.before + data)

    def unplug(self) -> None:
        self._stop_beating()
        self._unplug()

    def push(self, uid: bytes) -> None:
        if "Active" in self.states.values():
            self.say(device.report([self._sight(uid)]))

    def report(self) -> None:
        for uid in self.tags:
            self.push(uid)

    def names(self) -> list[str]:
        return [message.name for message in self.heard]

    def _sight(self, uid: bytes) -> Sight:
        extra = self._access(uid) if self.accessspecs else ()
        return Sight(uid, self.antenna, -50, extra=extra)

    def _answer(self, message: Message) -> None:
        name, number = message.name, message.message_id
        if name in self.refuses:
            code, text = self.refuses[name]
            answer = "ERROR_MESSAGE" if name == "GET_REPORT" else f"{name}_RESPONSE"
            self.say(device.response(answer, number, code=code, text=text))
        elif name == "GET_READER_CAPABILITIES":
            self.say(device.capabilities(number, maker=self.maker, powers_cdbm=POWERS_CDBM))
        elif name == "GET_REPORT":
            self.say(device.report([self._sight(uid) for uid in self.tags], number))
        elif name == "CLOSE_CONNECTION":
            for _ in range(self.queued):
                self.say(device.report([Sight(bytes(12))]))
            self.say(device.response(f"{name}_RESPONSE", number))
            self._stop_beating()
        elif name.partition("_")[2] in _SPECS:
            self._spec(message)
        elif name == "SET_READER_CONFIG":
            self.say(device.response(f"{name}_RESPONSE", number))
            self._start_beating(message)
        elif name != "KEEPALIVE_ACK":
            self.say(device.response(f"{name}_RESPONSE", number))

    def _spec(self, message: Message) -> None:
        verb, _, kind = message.name.partition("_")
        code = self._rospec(verb, message) if kind == "ROSPEC" else self._accessspec(verb, message)
        text = "duplicate or unknown" if code else ""
        response = f"{message.name}_RESPONSE"
        self.say(device.response(response, message.message_id, code=code, text=text))
        if self.streams and message.name in {"START_ROSPEC", "ENABLE_ACCESSSPEC"}:
            self.report()

    def _rospec(self, verb: str, message: Message) -> int:
        if verb == "ADD":
            (spec,) = message.body.params
            if spec.number("ro_spec_id") in self.rospecs:
                return 104
            self.rospecs[spec.number("ro_spec_id")] = spec
            return 0
        number = message.body.number("ro_spec_id")
        if verb == "DELETE":
            for one in [one for one in (*self.rospecs, *self.states) if number in {0, one}]:
                self.rospecs.pop(one, None)
                self.states.pop(one, None)
            return 0
        self.states[number] = {"ENABLE": "Inactive", "START": "Active"}.get(verb, "Disabled")
        return 0 if number in self.rospecs else 100

    def _accessspec(self, verb: str, message: Message) -> int:
        if verb == "ADD":
            (spec,) = message.body.params
            self.accessspecs[spec.number("access_spec_id")] = spec
        if verb == "DELETE":
            number = message.body.number("access_spec_id")
            for one in [one for one in self.accessspecs if number in {0, one}]:
                del self.accessspecs[one]
        return 0

    def _access(self, uid: bytes) -> tuple[Param, ...]:
        """Run the access specs on a tag, once each."""
        results = []
        for number, spec in list(self.accessspecs.items()):
            command = spec.first("AccessCommand")
            assert command is not None
            tag_spec, operation = command.params
            wanted = tag_spec.params[0].values["tag_data"]
            if not uid.startswith(wanted.packed):  # type: ignore[union-attr]  # Bits by layout
                continue
            del self.accessspecs[number]
            results.append(self._operate(uid, operation))
        return tuple(results)

    def _operate(self, uid: bytes, operation: Param) -> Param:
        code = self.fails.pop(0) if self.fails else 0
        bank, at = operation.number("mb"), 2 * operation.number("word_pointer")
        banks = self.memory.setdefault(uid, {**BANKS, 1: b"\x00\x00\x34\x00" + uid})
        words = operation.values.get("write_data", ())
        assert isinstance(words, tuple)
        data = b"".join(word.to_bytes(2, "big") for word in words)
        if operation.name == "C1G2Read":
            data = banks[bank][at : at + 2 * operation.number("word_count")]
        elif not code and not self.forgets:
            banks[bank] = banks[bank][:at] + data + banks[bank][at + len(data) :]
            self._rename(uid, banks)
        return device.op_result(operation.name, operation.number("op_spec_id"), code, data)

    def _rename(self, uid: bytes, banks: dict[int, bytes]) -> None:
        """A tag whose EPC was written answers to the new one."""
        if (new := banks[1][4:]) != uid:
            self.tags = [new if tag == uid else tag for tag in self.tags]
            self.memory[new] = self.memory.pop(uid)

    def _start_beating(self, message: Message) -> None:
        spec = message.first("KeepaliveSpec")
        assert spec is not None
        period_s = spec.number("periodic_trigger_value") / 1000

        def beat() -> None:
            if self.keepalives:
                self.say(device.keepalive(98))
            self._beat = asyncio.get_running_loop().call_later(period_s, beat)

        self._stop_beating()
        self._beat = asyncio.get_running_loop().call_later(period_s, beat)

    def _stop_beating(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
