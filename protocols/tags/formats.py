"""Tag memory and printed codes as formats of `gatewayd decode`."""

from collections.abc import Iterable, Iterator
from typing import Any

from protocols.formats import Fields, Format, Part
from protocols.framing import FrameError
from protocols.scanners.aim import split_aim, symbology_name
from protocols.tags import cylinder_code, epc, gs1, keys

_GRAI = "8003"
_GRAI_DIGITS = 14
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


def _elements(found: Iterable[gs1.Element]) -> list[dict[str, str]]:
    return [{"ai": each.ai, "value": each.value} for each in found]


def _named(found: Iterable[gs1.Element]) -> Fields:
    """What these elements are: always the list, and the keys that can name a cylinder."""
    listed = tuple(found)
    named = [key.text for key in keys.keys(listed)]
    return {"gs1": _elements(listed)} | ({"keys": named} if named else {})


def _aim_gs1(data: str) -> Fields:
    if not data:
        raise FrameError("empty; expected what a scanner sent")
    scan = gs1.parse_text(data)
    front: dict[str, Any] = {"aim": scan.aim or None}
    if scan.aim:
        front["symbology"] = symbology_name(scan.aim)
    if scan.gtin:
        front[f"gtin{len(scan.gtin)}"] = scan.gtin
        if scan.add_on:
            front["add_on"] = scan.add_on
        return {**front, **(_named(scan.elements) if scan.elements else {})}
    if scan.digital_link:
        return {**front, "digital_link": True, **_named(scan.elements)}
    if scan.elements:
        return {**front, **_named(scan.elements)}
    return {**front, "data": scan.data, "gs1": None}


def _digital_link(data: str) -> Fields:
    found = gs1.link_elements(split_aim(data)[1])
    if found is None:
        raise FrameError("not a GS1 Digital Link: expected e.g. https://id.gs1.org/8004/9521321A1")
    named = _named(found)
    parts = _grai(next((each.value for each in found if each.ai == _GRAI), ""))
    return {"digital_link": True, **named, **{each.ai: each.value for each in found}, **parts}


def _grai(value: str) -> Fields:
    """A GRAI taken apart: filler 0, 13 digits with their check digit, serial (AI 8003)."""
    if len(value) <= _GRAI_DIGITS:
        return {}
    return {"company_prefix+type+check": value[1:_GRAI_DIGITS], "serial": value[_GRAI_DIGITS:]}


def _gs1_parts(_data: str, found: Fields) -> Iterator[Part]:
    if aim := found.get("aim"):
        yield Part(aim, str(found["symbology"]))
    for name in ("gtin13", "gtin8", "add_on", "data"):
        if found.get(name):
            yield Part(str(found[name]), name)
    for each in found.get("gs1") or ():
        ai, value = each["ai"], each["value"]
        yield Part(value, f"({ai}) {gs1.identifier(ai).description}")


AIM_GS1 = Format(
    name="aim_gs1",
    kind="barcode",
    read=_aim_gs1,
    summary="a scan with its AIM identifier: GS1 element strings, EAN, Digital Link or plain text",
    summary_zh="带 AIM 标识的扫码内容：GS1 单元数据串、EAN、Digital Link 或普通文本",
    parts=_gs1_parts,
    caveats=(
        "without an AIM identifier digits are never read as GS1 elements",
        "GS is the byte 0x1D; ^, {GS} and (01) are ways to print it",
    ),
)
GS1_DIGITAL_LINK = Format(
    name="gs1_digital_link",
    kind="barcode",
    read=_digital_link,
    summary="a GS1 Digital Link, an address that carries GS1 keys",
    summary_zh="GS1 Digital Link：带 GS1 编码的网址",
    parts=_gs1_parts,
)
