"""Tag memory and printed codes as formats of `gatewayd decode`."""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part
from protocols.tags import cylinder_code, epc

_HEAD_BITS = 14
"""Header, filter and partition of a 96-bit EPC."""


def _epc(data: str) -> Fields:
    return epc.fields(epc.decode(data))


def _epc_parts(data: str, found: Fields) -> Iterator[Part]:
    uid = epc.uid(data)
    if found["scheme"] == "opaque":
        yield Part(uid, str(found["note"]))
        return
    bits = f"{int(uid, 16):096b}"
    header, partition = int(uid[:2], 16), int(bits[11:_HEAD_BITS], 2)
    for name, width in epc.layout_bits(header, partition):
        piece, bits = bits[:width], bits[width:]
        yield Part(piece, f"{name}: {found[name]}")


def _label(data: str) -> Fields:
    return cylinder_code.fields(cylinder_code.parse_known(data))


def _text(data: str) -> Fields:
    return cylinder_code.fields(cylinder_code.parse(data))


def _code_parts(_data: str, found: Fields) -> Iterator[Part]:
    if "url_host" in found:
        yield Part(str(found["url_host"]), "the site that cylinder labels lead to")
    if "region6" in found:
        yield Part(str(found["region6"]), "region (GB/T 2260)")
    if "code10" in found:
        yield Part(str(found["code10"]), "the ten digits under the barcode")
    if found["kind"] == "text":
        limit = cylinder_code.CODE_CHARS_MAX
        yield Part(str(found["text"]), f"looked up as it is, up to {limit} characters")
    if found["kind"] == "qpsafe":
        head, _, suffix = str(found["text"]).rpartition("]")
        yield Part(f"{head}]", "use certificate, registration, maker, cylinder, made, scrap")
        yield Part(suffix, "platform")


EPC_TDS = Format(
    name="epc_tds",
    kind="tag",
    read=_epc,
    summary="EPC memory: SGTIN-96, GRAI-96, GIAI-96 or an opaque id",
    summary_zh="EPC 区：SGTIN-96、GRAI-96、GIAI-96，或无格式编号",
    parts=_epc_parts,
)
EPC_HEX = Format(
    name="epc_hex",
    kind="tag",
    read=_epc,
    summary="the same as epc_tds",
    summary_zh="与 epc_tds 相同",
    parts=_epc_parts,
)
CYLINDER_BARCODE = Format(
    name="cylinder_barcode",
    kind="barcode",
    read=_label,
    summary="10 or 16 digits of a cylinder's label",
    summary_zh="气瓶标签上的 10 位或 16 位数字",
    parts=_code_parts,
)
CYLINDER_QR = Format(
    name="cylinder_qr",
    kind="barcode",
    read=_label,
    summary="QR of a cylinder's label",
    summary_zh="气瓶标签上的二维码",
    parts=_code_parts,
)
TEXT = Format(
    name="text",
    kind="barcode",
    read=_text,
    summary="any code of at most 64 characters",
    summary_zh="不超过 64 个字符的任意编号",
    parts=_code_parts,
)
