"""Records over an MQTT connection at QoS 1, each with the broker's own answer."""

import asyncio
from collections.abc import Sequence

from gatewayd.errors import UpstreamError
from gatewayd.logs import logger
from gatewayd.store.model import Record
from gatewayd.upstreams.backoff import Pace
from gatewayd.upstreams.contract import Outcome
from gatewayd.upstreams.mqtt_connection import Connection, Label, mapped_label
from gatewayd.upstreams.mqtt_kinds import Kinds
from gatewayd.upstreams.mqtt_terms import NOBODY_LISTENS, PERMANENT, UNSPECIFIED, Answer
from gatewayd.upstreams.worded import PLAIN, Wording

NOBODY = "nobody subscribes to {}/# who could confirm it"
NO_ANSWER = "the broker lives but gave no answer within {:g} s"
log = logger("upstreams")


class RecordSink:
    """Records over one connection. `confirmed`: a subscriber confirms each."""

    def __init__(
        self,
        connection: Connection,
        root: str,
        pace: Pace,
        wording: Wording = PLAIN,
        *,
        confirmed: bool = False,
    ) -> None:
        self._wording = wording
        self._answer_s_max = pace.answer_s_max
        self._kinds = Kinds(asyncio.get_running_loop().time, pace.barred_s)
        self.gone = connection.gone
        self._connection = connection
        self._root = root
        self._heard = True
        self._confirmed = confirmed

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        """Send with a full window, stop behind the first refusal, wait for every answer."""
        sent: list[asyncio.Future[Answer]] = []
        try:
            await self._send(batch, sent, alone=alone)
            for answer in sent:
                if not answer.done():
                    async with asyncio.timeout(self._answer_s_max):
                        await asyncio.wait([answer])
        except TimeoutError:
            self._connection.abort(NO_ANSWER.format(self._answer_s_max))
        except UpstreamError:
            pass  # gone; `_outcome` counts what was answered before
        return self._outcome(batch, sent)

    async def _send(
        self, batch: Sequence[Record], sent: list[asyncio.Future[Answer]], *, alone: bool
    ) -> None:
        answered = 0
        for record in batch:
            letter = self._wording.letter(record)
            topic, payload = letter.to or f"{self._root}/{record.kind}", letter.body.encode()
            label = self._label(record)
            answer = self._connection.try_send(topic, payload, label=label, alone=alone)
            if answer is None:
                async with asyncio.timeout(self._answer_s_max):
                    send = self._connection.send(topic, payload, label=label, alone=alone)
                    answer = await send
            sent.append(answer)
            while answered < len(sent) and sent[answered].done():
                if not settles(self._judged(batch[answered], sent[answered].result())):
                    return
                answered += 1

    def _label(self, record: Record) -> Label:
        mapped = self._wording.mapped
        return mapped_label(record.id) if mapped else self._connection.record_label

    def _outcome(self, batch: Sequence[Record], sent: Sequence[asyncio.Future[Answer]]) -> Outcome:
        accepted: set[int] = set()
        rejected: dict[int, str] = {}
        kept = "" if len(sent) == len(batch) else self._connection.why
        by_kind = False
        for record, future in zip(batch, sent, strict=False):
            answer = self._judged(record, self._answer(future))
            self._heed(answer)
            if answer.accepted:
                accepted.add(record.sequence)
            elif answer.permanent:
                rejected[record.sequence] = str(answer)
            else:
                by_kind = by_kind or (not kept and self._kinds.overdue(record.kind))
                kept = kept or str(answer)
        return Outcome(frozenset(accepted), rejected, kept, by_kind=by_kind)

    def _judged(self, record: Record, answer: Answer) -> Answer:
        """What the broker's answer means; where somebody is to confirm, nobody there is no yes."""
        if self._confirmed and answer.code == NOBODY_LISTENS:
            return Answer(UNSPECIFIED, NOBODY.format(self._root))
        return self._kinds.judged(record.kind, answer)

    def _heed(self, answer: Answer) -> None:
        """Tell once a connection when records are taken but go nowhere: no platform subscribes."""
        if answer.code == NOBODY_LISTENS and self._heard:
            self._heard = False
            log.warning("upstream.nobody_subscribes", topic=f"{self._root}/#")

    def _answer(self, future: asyncio.Future[Answer]) -> Answer:
        """The broker's word on one record; hanging up on it alone, with a reason, is one too."""
        if future.done() and not future.cancelled() and future.exception() is None:
            return future.result()
        lost = self._connection
        if lost.lost_in_flight == 1 and lost.code in PERMANENT:
            return Answer(lost.code, "the broker hung up on this record alone")
        return Answer(UNSPECIFIED, lost.why)


def settles(answer: Answer) -> bool:
    """Whether the fate of a message is known: taken, or never to be."""
    return answer.accepted or answer.permanent
