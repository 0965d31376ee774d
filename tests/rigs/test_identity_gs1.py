"""GS1 keys to cylinders: every spelling finds it, nothing is guessed, and advice never identifies."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import CodeRead, TagRead
from gatewayd.clock import SECOND
from gatewayd.rigs.assess import assess, gather
from gatewayd.rigs.findings import advise, reason_at_rig
from gatewayd.rigs.identity import by_code, identify, plain_code, plain_uid
from gatewayd.rigs.model import Hint, Identity
from gatewayd.rigs.presence import Presence
from gatewayd.store.model import Cylinder
from protocols.tags import epc, keys
from tests.rigs.bench import LEGAL, RIG, STATION, UID, bench, standing

GIAI = "9521321A1"
GTIN = "12312312312333"
GRAI = "09521321000018X7"
GS = "\x1d"
LINK = "https://id.gs1.org"
TAG = "3476451FD40C0E400000162E"
HF_UID, HF_REVERSED = "E00401500A1B2C3D", "3D2C1B0A500104E0"
READ_BY_EITHER = RIG.model_copy(
    update={
        "identify": tuple(item.model_copy(update={"require": False}) for item in RIG.identify),
    }
)


@dataclass(frozen=True)
class Shelf:
    """An archive of a few codes and tags."""

    cylinders: tuple[Cylinder, ...]

    def cylinder(self, code: str) -> Cylinder | None:
        return next((c for c in self.cylinders if c.code == code), None)

    def cylinders_by_uid(self, uid: str) -> tuple[Cylinder, ...]:
        return tuple(c for c in self.cylinders if uid in map(plain_uid, c.tag_uids))


def shelf(*codes: str, uids: Sequence[str] = ()) -> Shelf:
    return Shelf(tuple(replace(LEGAL, code=code, tag_uids=tuple(uids)) for code in codes))


def seen(
    archive: Shelf, *, tags: Sequence[str] = (), codes: Sequence[tuple[str, str]] = ()
) -> Identity:
    """What a rig makes of these tags and (symbology, text) codes."""
    presence = Presence(READ_BY_EITHER)
    presence.weigh(standing())
    for uid in tags:
        presence.saw(TagRead("gun-1", uid, 1, None, 2 * SECOND))
    for symbology, text in codes:
        presence.saw(CodeRead("qr-1", text, 2 * SECOND, symbology))
    return identify(presence, archive, region=STATION.region)


def code_of(identity: Identity) -> str | None:
    return identity.cylinder.code if identity.cylinder else None


@pytest.mark.parametrize("archived", [f"(8004){GIAI}", f"8004{GIAI}", GIAI])
@pytest.mark.parametrize(
    ("aim", "text"),
    [
        ("]C1", f"8004{GIAI}"),
        ("]C1", f"{GS}8004{GIAI}{GS}"),
        ("]d2", f"10LOT7{GS}8004{GIAI}"),
        ("]Q3", f"8004{GIAI}{GS}99X"),
        ("]Q1", f"{LINK}/8004/{GIAI}"),
        ("", f"{LINK}/8004/{GIAI}?99=X"),
    ],
)
def test_every_way_to_carry_a_key_names_its_cylinder(archived: str, aim: str, text: str) -> None:
    got = seen(shelf(archived), codes=[(aim, text)])
    assert (got.status, code_of(got), got.code, got.hint) == ("one", archived, aim + text, None)
    assert plain_code(aim + text) == f"(8004){GIAI}"


@pytest.mark.parametrize(
    ("archived", "text"),
    [
        (f"(8003){GRAI}", f"]C18003{GRAI}"),
        (f"(01){GTIN}(21)S1", f"]d201{GTIN}21S1"),
        (f"01{GTIN}21S1", f"{LINK}/01/{GTIN}/21/S1"),
        ("123456789012345675", "]C100123456789012345675"),
    ],
)
def test_grai_sgtin_and_sscc_name_a_cylinder_too(archived: str, text: str) -> None:
    assert [c.code for c in by_code(shelf(archived), text, None)] == [archived]


@pytest.mark.parametrize(
    ("archived", "text"),
    [
        (GIAI, f"8004{GIAI}"),
        (GIAI, f"]C08004{GIAI}"),
        (GIAI, f"]C1(8004){GIAI}"),
        (GTIN, f"]C101{GTIN}"),
        (f"(01){GTIN}(21)S1", f"]d201{GTIN}"),
        ("3701000110100001", "]C180043701000110100001"),
        ("0110100001", "]C180040110100001"),
        ("1126010110260101", "]C18004X"),
        ("3701000110100001", "]C13701000110100001X"),
        ("370100126010112601", "]C1126010112601"),
        (GIAI, f"]C18004{GIAI}10LOT"),
        (GIAI, "]C18004"),
        (GIAI, f"http://example.org/{GIAI}"),
    ],
)
def test_what_carries_no_key_of_that_cylinder_names_none(archived: str, text: str) -> None:
    assert by_code(shelf(archived), text, STATION.region) == ()


def test_gs1_data_is_no_chinese_label_even_when_its_digits_look_like_one() -> None:
    dates = "1126010111260102"  # Two production dates, and a code of province 11.
    archive = shelf("1126010111260102"[6:], "X")
    assert by_code(archive, f"]C1{dates}", "112601") == ()
    assert len(by_code(archive, dates, "112601")) == 1


def test_an_identifier_on_a_plain_label_changes_nothing() -> None:
    for text in ("3701000110100001", "http://teshe.org.cn/Q?id=3701000110100001", "0110100001"):
        got = seen(Shelf((LEGAL,)), codes=[("]Q1", text)])
        assert (got.status, got.cylinder) == ("one", LEGAL)
        assert plain_code(f"]Q1{text}").endswith("0110100001")


def test_one_unknown_label_of_two_heads_is_one_stranger() -> None:
    got = seen(shelf("X"), codes=[("", "A-7"), ("]C0", "A-7")])
    assert (got.status, got.cylinder) == ("one", None)


def test_two_keys_of_two_cylinders_are_many() -> None:
    archive = shelf(GIAI, f"(8003){GRAI}")
    got = seen(archive, codes=[("]d2", f"8004{GIAI}{GS}8003{GRAI}")])
    assert (got.status, got.cylinder) == ("many", None)


def test_a_code_that_may_have_lost_its_separator_is_ambiguous_when_both_are_known() -> None:
    ran_together = f"8004{GIAI}21XYZ"
    both = shelf(GIAI, f"{GIAI}21XYZ")
    assert seen(both, codes=[("]C1", ran_together)]).status == "many"
    whole = seen(shelf(f"{GIAI}21XYZ"), codes=[("]C1", ran_together)])
    assert (whole.status, code_of(whole)) == ("one", f"{GIAI}21XYZ")
    lost = seen(shelf(GIAI), codes=[("]C1", ran_together)])
    assert (lost.status, lost.cylinder) == ("one", None)
    assert lost.hint == Hint("gs_lost", ran_together, f"(8004){GIAI}")
    told = seen(both, codes=[("]C1", f"8004{GIAI}{GS}21XYZ")])
    assert (told.status, code_of(told)) == ("one", GIAI)


def test_a_field_that_runs_over_its_form_is_told_and_names_nobody() -> None:
    over = "8004" + "A" * 31
    got = seen(shelf("A" * 30), codes=[("]C1", over)])
    assert (got.status, got.cylinder) == ("one", None)
    assert got.hint is not None
    assert got.hint.kind == "gs_lost"


def test_a_tag_and_a_label_of_one_asset_are_one_cylinder() -> None:
    (key,) = keys.of_tag(TAG)
    label = "".join(each.ai + each.value for each in key.elements)
    got = seen(shelf(key.text), tags=[TAG], codes=[("]C1", label)])
    assert (got.status, code_of(got), got.uid) == ("one", key.text, TAG)
    assert seen(shelf("X"), tags=[TAG]).cylinder is None


def test_a_uid_in_the_archive_goes_before_the_key_of_its_epc() -> None:
    (key,) = keys.of_tag(TAG)
    archive = Shelf((*shelf(key.text).cylinders, *shelf("OWN", uids=[TAG]).cylinders))
    assert code_of(seen(archive, tags=[TAG])) == "OWN"


def test_an_unknown_tag_that_is_known_reversed_is_advised_and_never_that_cylinder() -> None:
    got = seen(shelf("C-1", uids=[HF_UID]), tags=[HF_REVERSED])
    assert (got.status, got.cylinder, got.uid) == ("one", None, HF_REVERSED)
    assert got.hint == Hint("reversed_uid", HF_REVERSED, HF_UID)
    beside = seen(
        Shelf((LEGAL, *shelf("C-1", uids=[HF_UID]).cylinders)),
        tags=[HF_REVERSED],
        codes=[("", LEGAL.code)],
    )
    assert (beside.status, beside.hint) == ("many", got.hint)


@pytest.mark.parametrize("uid", ["FFFF", "ABBA", "A1B2A1", UID, "E00401500A1B2C"])
def test_other_tags_are_not_advised(uid: str) -> None:
    archive = Shelf((LEGAL, *shelf("C-1", uids=["ABBA"]).cylinders))
    assert seen(archive, tags=[uid]).hint is None


def test_the_advice_stands_in_the_finding_and_changes_no_decision() -> None:
    archive = shelf("C-1", uids=[HF_UID])
    made = bench()
    for who, said in (
        (seen(archive, tags=[HF_REVERSED]), HF_UID),
        (seen(shelf(GIAI), codes=[("]C1", f"8004{GIAI}21XYZ")]), f"(8004){GIAI}"),
    ):
        wall = datetime(2026, 8, 1, tzinfo=UTC)
        plain, plan = assess(made, gather(made, who, standing(), wall))
        told = advise(plain, who)
        assert (told.decision, plan) == ("deny", None)
        assert [f.code for f in told.findings] == [f.code for f in plain.findings]
        found = next(f for f in told.findings if f.code == "CODE_UNKNOWN")
        assert said in found.message.en
        assert said in found.message.zh
        assert who.hint is not None
        assert found.values["hint"] == who.hint.kind
        assert advise(plain, replace(who, hint=None)) is plain
        assert said in reason_at_rig("AMBIGUOUS", who, None).message.zh


@given(
    st.text("0123456789AZ" + GS, max_size=24),
    st.sampled_from(["]C1", "]d2", "]Q1", ""]),
    st.sets(st.text("0123456789AZ", min_size=1, max_size=16), max_size=6),
)
def test_no_code_names_a_cylinder_but_by_its_text_or_its_keys(
    text: str, aim: str, archived: set[str]
) -> None:
    archive = shelf(*archived, text[4:], text[2:16])
    found = {cylinder.code for cylinder in by_code(archive, aim + text, None)}
    allowed = {aim + text, text.strip()}
    allowed |= set(keys.spelled(keys.scanned(aim + text)))
    certain = found & allowed
    assert certain or not found
    assert found <= allowed | set(keys.spelled(keys.other_readings(text)))


@given(st.binary(min_size=12, max_size=12))
def test_any_epc_names_at_most_one_key_and_only_its_own(raw: bytes) -> None:
    uid = raw.hex().upper()
    named = keys.of_tag(uid)
    assert len(named) <= 1
    if named:
        tag = epc.decode(uid)
        assert not isinstance(tag, epc.Opaque)
        assert named[0].text == tag.gs1_element
