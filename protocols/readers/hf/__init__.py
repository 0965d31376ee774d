"""HF readers on serial lines and TCP: five families of frames, one way to use them.

    family = FAMILIES["ti_s6350"]
    framer = family.new_framer()
    reply = family.decode(frame)                    # what a reader says, or FrameError
    seen = family.seen(reply, "iso15693")           # UIDs as printed, collided slots
    command = family.command(family.inventories["iso15693"])

`air` has the frames between reader and tag, `fields` names everything for people.
"""

from collections.abc import Mapping

from protocols.readers.hf import aa_bb, feig, idtronic, ti_s6350, uhfreader_hf
from protocols.readers.hf.envelope import Envelope, Sealed, new_framer, seal, unseal
from protocols.readers.hf.family import Asked, Family, FamilyName, Reply, Seen, Voice
from protocols.readers.hf.iso15693 import Air, is_reversed, is_uid, maker, printed

FAMILIES: Mapping[FamilyName, Family] = {
    "idtronic": idtronic.FAMILY,
    "feig": feig.FAMILY,
    "ti_s6350": ti_s6350.FAMILY,
    "aa_bb": aa_bb.FAMILY,
    "uhfreader_hf": uhfreader_hf.FAMILY,
}

__all__ = [
    "FAMILIES",
    "Air",
    "Asked",
    "Envelope",
    "Family",
    "FamilyName",
    "Reply",
    "Sealed",
    "Seen",
    "Voice",
    "is_reversed",
    "is_uid",
    "maker",
    "new_framer",
    "printed",
    "seal",
    "unseal",
]
