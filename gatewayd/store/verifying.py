"""Walk the chain from its first record to its last and say what is not as it was written."""

from collections.abc import Iterator
from dataclasses import dataclass

from gatewayd.store.chain import Head, broken, head_of
from gatewayd.store.gaps import Gap, Pruned
from gatewayd.store.links import proven
from gatewayd.store.model import Record
from gatewayd.store.reads import Reads

VERIFIED_AT_ONCE = 1_000
"""Records in memory while verifying."""
TORN = (
    "its log is torn, and more was committed behind the tear; `gatewayd records salvage FILE` reads "
    "what is left of it, a start of gatewayd puts it aside and takes over what is sound"
)


@dataclass(frozen=True, slots=True)
class Verified:
    """The end of what is good, and what is wrong behind it; None = nothing.

    `records` were looked at. `pruned` says through where records were deleted for their age, `lost`
    which ones went with a damaged store: both are told, and what is left fits around them.
    """

    head: Head
    records: int
    problem: str | None
    pruned: Pruned
    lost: tuple[Gap, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was changed and nothing was lost."""
        return self.problem is None and not self.lost


def verify(store: Reads, *, quick: bool = False) -> Verified:
    """Check every record of a store. Raises StoreError when it cannot be read.

    `quick` believes the text of a record where it hashes right, and is ten times as fast.
    """
    walk = _Walk(store, quick=quick)
    problem = next(walk.problems(), None)
    given = store.highest_sequence_given()
    if problem is None and walk.head.sequence < given:
        problem = f"records {walk.head.sequence + 1} to {given} are missing at the end"
    if problem is None and store.log_torn():
        problem = TORN
    return Verified(walk.head, walk.records, problem, walk.pruned, tuple(walk.lost))


class _Walk:
    def __init__(self, store: Reads, *, quick: bool) -> None:
        self._store = store
        self._quick = quick
        self.pruned = store.pruned()
        self._gaps = {gap.from_sequence: gap for gap in store.gaps()}
        self.head = self.pruned.head
        self.records = 0
        self.lost: list[Gap] = []

    def problems(self) -> Iterator[str]:
        """Go on until something is wrong."""
        after = 0
        while batch := self._store.records(after_sequence=after, limit=VERIFIED_AT_ONCE):
            for record in batch:
                problem = self._look(record)
                if problem is not None:
                    yield f"record {record.sequence}: {problem}"
                self.records += 1
            after = batch[-1].sequence

    def _look(self, record: Record) -> str | None:
        """What is wrong with the next record; else it is the head, unless it is kept below it."""
        if record.sequence <= self.pruned.head.sequence:
            return None if proven(record) else "its content was changed"
        self._pass_gap(record)
        found = proven(record) if self._quick else None
        if found and (found.sequence, found.prevhash) == (self.head.sequence + 1, self.head.hash):
            self.head = Head(found.sequence, found.hash)
            return None
        problem = broken(record, self.head)
        if problem is None:
            self.head = head_of(record)
        return problem

    def _pass_gap(self, record: Record) -> None:
        """Records that are known to be lost are passed over, once."""
        gap = self._gaps.get(self.head.sequence + 1)
        if gap is not None and gap.sequence + 1 == record.sequence:
            self.head = Head(gap.sequence, gap.hash)
            self.lost.append(gap)
