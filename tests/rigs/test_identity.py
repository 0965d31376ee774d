"""Reads to a cylinder: every spelling finds it, and two candidates are one too many."""

from dataclasses import dataclass, replace

import pytest

from drivers.contract import CodeRead, TagRead
from gatewayd.clock import SECOND
from gatewayd.rigs.identity import SHOWN_MAX, identify, plain_uid
from gatewayd.rigs.model import Identity
from gatewayd.rigs.presence import Presence
from gatewayd.store.model import Cylinder
from tests.rigs.bench import LEGAL, OTHER, OTHER_UID, RIG, STATION, UID, standing

SHORT = replace(LEGAL, code="0110100009", tag_uids=())
OPAQUE = replace(LEGAL, code="鲁A-77 x", tag_uids=())
TWINS = tuple(replace(LEGAL, code=f"TWIN-{n}", tag_uids=("E2806899",)) for n in (1, 2))
LABEL_FIRST = RIG.model_copy(
    update={
        "identify": tuple(
            item.model_copy(update={"require": item.device == "qr-1"}) for item in RIG.identify
        )
    }
)


@dataclass(frozen=True)
class Shelf:
    """An archive of a few cylinders."""

    cylinders: tuple[Cylinder, ...] = (LEGAL, OTHER, SHORT, OPAQUE, *TWINS)

    def cylinder(self, code: str) -> Cylinder | None:
        return next((c for c in self.cylinders if c.code == code), None)

    def cylinders_by_uid(self, uid: str) -> tuple[Cylinder, ...]:
        return tuple(c for c in self.cylinders if uid in map(plain_uid, c.tag_uids))


def seen(*, tags: tuple[str, ...] = (), codes: tuple[str, ...] = ()) -> Identity:
    presence = Presence(RIG if tags else LABEL_FIRST)
    presence.weigh(standing())
    for uid in tags:
        presence.saw(TagRead("gun-1", uid, 1, None, 2 * SECOND))
    for text in codes:
        presence.saw(CodeRead("qr-1", text, 2 * SECOND))
    return identify(presence, Shelf(), region=STATION.region)


def test_a_tag_names_its_cylinder_in_the_spelling_of_the_archive() -> None:
    assert seen(tags=(UID,)) == Identity("one", LEGAL, uid="e2:80:68:01")


@pytest.mark.parametrize(
    "text",
    [
        "3701000110100001",
        "0110100001",
        "http://teshe.org.cn/Q?id=3701000110100001",
        "HTTP://WWW.teshe.org.cn/q?id=3701000110100001&x=1",
        " 3701000110100001 \r\n",
    ],
)
def test_every_spelling_of_a_code_names_the_same_cylinder(text: str) -> None:
    got = seen(codes=(text,))
    assert (got.status, got.cylinder, got.code) == ("one", LEGAL, text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0110100009", SHORT.code),
        ("http://teshe.org.cn/Q?id=3701000110100009", SHORT.code),
        ("鲁A-77 x", OPAQUE.code),
        ("3702000110100009", None),
        ("0110100077", None),
        ("鲁A-77 X", None),
        ("http://teshe.org.cn/Q?id=370100011010000", None),
    ],
)
def test_ten_digits_belong_to_the_region_and_opaque_codes_are_exact(
    text: str, code: str | None
) -> None:
    got = seen(codes=(text,))
    assert got.status == "one"
    assert (got.cylinder.code if got.cylinder else None) == code


def test_nobody_is_named_before_the_required_device_spoke() -> None:
    presence = Presence(RIG)
    presence.weigh(standing())
    presence.saw(CodeRead("qr-1", LEGAL.code, 2 * SECOND))
    got = identify(presence, Shelf(), region=STATION.region)
    assert (got.status, got.cylinder, got.code) == ("waiting", None, LEGAL.code)


def test_tag_and_label_of_one_cylinder_are_one() -> None:
    got = seen(tags=(UID, "E2806802"), codes=("0110100001", LEGAL.code))
    assert (got.status, got.cylinder) == ("one", LEGAL)


@pytest.mark.parametrize(
    ("tags", "codes"),
    [
        ((UID, OTHER_UID), ()),
        ((UID,), (OTHER.code,)),
        ((UID, "FFFF"), ()),
        (("FFFF",), (LEGAL.code,)),
        ((UID,), ("0110100077",)),
        (("FFFF", "EEEE"), ()),
        (("E2806899",), ()),
        ((), ("0110100077", "0110100078")),
    ],
)
def test_more_than_one_candidate_is_many(tags: tuple[str, ...], codes: tuple[str, ...]) -> None:
    got = seen(tags=tags, codes=codes)
    assert (got.status, got.cylinder) == ("many", None)
    assert got.shown == (*tags, *codes)


def test_an_unknown_tag_with_an_unknown_label_is_one_unknown_cylinder() -> None:
    assert seen(tags=("FFFF",), codes=("0110100077",)) == Identity(
        "one", None, uid="FFFF", code="0110100077"
    )


def test_of_many_only_a_few_are_shown() -> None:
    assert len(seen(tags=tuple(f"FF{n:02X}" for n in range(40))).shown) == SHOWN_MAX


def test_a_uid_is_looked_up_without_case_and_separators() -> None:
    assert plain_uid("e2:80-68 01") == "E2806801"
