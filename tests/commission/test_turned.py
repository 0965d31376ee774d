"""A tag that the archive has the other way round: told to a person, and named nowhere."""

from drivers.contract import CodeRead, TagRead, Trouble
from gatewayd.commission.turned import TAGS_KEPT_MAX, Turned, turned
from gatewayd.errors import StoreError

UID = "E280689400005005B2210861"
OTHER = "610821B205500000946880E2"


class Archive:
    def __init__(self, *uids: str) -> None:
        self.uids = set(uids)
        self.asked = 0

    def cylinders_by_uid(self, uid: str) -> tuple[object, ...]:
        self.asked += 1
        return (uid,) if uid in self.uids else ()


class Broken:
    def cylinders_by_uid(self, uid: str) -> tuple[object, ...]:
        raise StoreError(uid)


def read(uid: str) -> TagRead:
    return TagRead("gun-1", uid, 1, None, 0)


def test_only_an_unknown_tag_whose_reverse_is_known_is_told() -> None:
    found = turned(Archive(OTHER), UID)
    assert found is not None
    assert found.kind == "uid_reversed"
    assert OTHER in found.zh
    assert OTHER in found.en
    assert turned(Archive(UID, OTHER), UID) is None, "known as it is read"
    assert turned(Archive(), UID) is None
    assert turned(Archive("AABBAA"), "AABBAA") is None, "the same either way"
    assert turned(Archive(OTHER), "no hex") is None
    assert turned(Broken(), UID) is None, "a store that cannot be read advises nothing"


def test_a_tag_at_rest_is_looked_up_once_and_told_while_it_lasts() -> None:
    told: list[Trouble] = []
    archive = Archive(OTHER)
    watch = Turned(archive, told.append)
    for _ in range(5):
        watch.take(read(UID))
        watch.take(CodeRead("qr-1", OTHER, 0))
    assert len(told) == 5
    assert archive.asked == 2


def test_at_the_limit_every_tag_is_asked_anew() -> None:
    told: list[Trouble] = []
    archive = Archive()
    watch = Turned(archive, told.append)
    watch.take(read(UID))
    archive.uids.add(OTHER)
    for number in range(TAGS_KEPT_MAX):
        watch.take(read(f"{number:024X}"))
    watch.take(read(UID))
    assert [trouble.kind for trouble in told] == ["uid_reversed"]
