"""The vocabulary of rules: every fact by its flat dotted name, with type, unit and meaning.

One source for the type checker, for `--set`, for messages and for `gatewayd rules facts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rules_engine.verdict import Message

MEDIA = frozenset(
    {"LPG", "O2", "N2", "AR", "CO2", "C2H2", "H2", "HE", "NH3", "CL2", "AIR", "CNG"}
    | {"N2O", "C3H8", "C3H6", "C4H10", "IC4H10", "SO2", "H2S", "R22", "DME"}
)
"""IC4H10 is isobutane, R22 chlorodifluoromethane, DME dimethyl ether."""
STATUSES = frozenset({"in_use", "not_enabled", "scrapped", "cancelled", "lost"})
INSPECTION_RESULTS = frozenset({"passed", "failed"})
CLOCK_DOUBTS = frozenset(
    {"before_build", "before_last_record", "jumped", "not_synchronised", "unreadable"}
)
KINDS = frozenset({"seamless", "welded", "acetylene", "composite", "cryogenic"})

Kind: TypeAlias = Literal["bool", "int", "text", "date", "texts"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One variable: its type, unit and meaning; `choices` empty = any value of the type.

    `derived` facts are computed from others, never given; `remedy` says how to supply the fact.
    """

    type: Kind
    doc: Message
    unit: str = ""
    choices: frozenset[str] = frozenset()
    derived: bool = False
    remedy: Message | None = None


_REMEDIES = {
    "cylinder": Message(
        "请补录该气瓶档案后重新扫码", "complete its archive entry, then scan again"
    ),
    "code": Message("请重新扫码", "scan the cylinder again"),
    "tag": Message("请重新读取标签", "read the tag again"),
    "rig": Message("请检查工位配置 rigs/*.yaml", "check rigs/*.yaml"),
    "station": Message("请检查站点配置 gateway.yaml", "check station in gateway.yaml"),
    "operator": Message("请充装人员登录并核对证件", "log in, and check the operator's certificate"),
    "scale": Message("请检查秤", "check the scale"),
    "history": Message("请核对该气瓶的充装和流转记录", "check the records of this cylinder"),
    "checks": Message("请完成检查并逐项作答", "do the check and answer every item"),
    "clock": Message("请检查网关时钟", "check the clock of the gateway"),
}


def _fact(
    kind: Kind, zh: str, en: str, unit: str = "", choices: frozenset[str] = frozenset()
) -> Fact:
    return Fact(kind, Message(zh, en), unit, choices)


FACTS: Mapping[str, Fact] = {
    "cylinder.code": _fact("text", "气瓶编码", "cylinder code"),
    "cylinder.tag_uids": _fact("texts", "标签号", "tag uids or EPCs in hex"),
    "cylinder.serial_no": _fact("text", "钢印编号", "stamped serial number"),
    "cylinder.maker": _fact("text", "制造单位", "maker"),
    "cylinder.owner": _fact("text", "产权单位", "owner"),
    "cylinder.model": _fact("text", "型号", "model"),
    "cylinder.medium": _fact("text", "充装介质", "medium of the cylinder", "", MEDIA),
    "cylinder.water_capacity_ml": _fact("int", "水容积", "water capacity", "ml"),
    "cylinder.stamped_tare_g": _fact("int", "钢印皮重", "stamped tare", "g"),
    "cylinder.allowed_net_g": _fact("int", "档案最大充装量", "allowed net mass on file", "g"),
    "cylinder.made_on": _fact("date", "制造日期", "date made"),
    "cylinder.scrap_on": _fact("date", "报废日期", "scrap date"),
    "cylinder.life_extended_to": _fact("date", "延寿截止日期", "date life is extended to"),
    "cylinder.last_inspection_on": _fact("date", "上次检验日期", "last inspection date"),
    "cylinder.next_inspection_on": _fact("date", "下次检验日期", "next inspection date"),
    "cylinder.design_standard": _fact("text", "制造标准", "design standard"),
    "cylinder.design_life_years": _fact("int", "设计使用年限", "design life", "years"),
    "cylinder.inspection_result": _fact(
        "text", "检验结论", "inspection result", "", INSPECTION_RESULTS
    ),
    "cylinder.status": _fact("text", "使用状态", "status", "", STATUSES),
    "cylinder.hold": _fact("text", "监管锁定原因", "regulator's reason for a hold"),
    "cylinder.fills_allowed": _fact("int", "允许充装次数", "number of fills allowed"),
    "cylinder.fills_done": _fact("int", "已充装次数", "number of fills done (empty = 0)"),
    "cylinder.refurbished": _fact("bool", "是否翻新瓶", "whether it is refurbished"),
    "cylinder.screw_shroud": _fact("bool", "是否螺栓护罩瓶", "whether its shroud is screwed on"),
    "cylinder.embossed_mark": _fact("bool", "有无充装单位凸字标志", "whether it is embossed"),
    "cylinder.kind": _fact("text", "气瓶种类", "kind of cylinder", "", KINDS),
    "cylinder.working_pressure_kpa": _fact("int", "公称工作压力", "working pressure", "kPa"),
    "cylinder.registered": _fact("bool", "是否已办理使用登记", "whether its use is registered"),
    "cylinder.maker_licensed": _fact("bool", "制造单位有无许可", "whether its maker is licensed"),
    "cylinder.taxi": _fact("bool", "是否出租车用瓶", "whether it is in a taxi"),
    "cylinder.age_years": Fact(
        "int",
        Message("制造至今年数（不足一年按一年）", "years begun since it was made"),
        "years",
        derived=True,
        remedy=Message("请在档案中补录制造日期", "enter made_on"),
    ),
    "cylinder.inspection_age_years": Fact(
        "int",
        Message("上次检验至今年数（不足一年按一年）", "years begun since its last inspection"),
        "years",
        derived=True,
        remedy=Message("请在档案中补录上次检验日期", "enter last_inspection_on"),
    ),
    "cylinder.life_ends_on": Fact(
        "date",
        Message("使用寿命截止日期", "last day of its service life"),
        derived=True,
        remedy=Message(
            "请在档案中补录延寿截止日期，或报废日期，或制造日期和设计使用年限",
            "enter life_extended_to, or scrap_on, or made_on and design_life_years",
        ),
    ),
    "cylinder.net_limit_g": Fact(
        "int",
        Message("最大允许充装量", "greatest net mass allowed"),
        "g",
        derived=True,
        remedy=Message(
            "请在档案中补录最大充装量，或水容积和充装介质",
            "enter allowed_net_g, or water_capacity_ml with a medium that has a coefficient",
        ),
    ),
    "cylinder.settled_limit_kpa": Fact(
        "int",
        Message("当前温度下允许的稳定压力", "settled pressure allowed at the gas's temperature"),
        "kPa",
        derived=True,
        remedy=Message(
            "请录入气体温度，并在档案中补录公称工作压力；低于基准温度时规则包须给出该介质的温度系数",
            "enter the temperature of the gas, and working_pressure_kpa in the archive; below the "
            "reference temperature the pack must give the change of this gas per kelvin",
        ),
    ),
    "code.text": _fact("text", "读到的编码", "code that was read"),
    "code.known": _fact("bool", "编码是否在档案中", "whether the code is in the archive"),
    "code.retired": _fact("bool", "编码是否已停用", "whether the code was retired"),
    "code.duplicate": _fact(
        "bool",
        "同一编码是否在别处出现",
        "whether the code is seen elsewhere, or was too soon before",
    ),
    "code.elsewhere": _fact(
        "text", "同一编码另见于", "where else the code is, or was too soon before"
    ),
    "tag.uid": _fact("text", "读到的标签号", "tag uid that was read, upper-case hex"),
    "tag.agrees": _fact(
        "bool", "标签与瓶身编码是否为同一气瓶", "whether tag and printed code name one cylinder"
    ),
    "tag.genuine": _fact("bool", "标签是否为真", "whether the tag proved to be genuine"),
    "tag.finding": _fact(
        "text", "监察人员写入标签的结论", "what an inspector wrote into the tag (empty = nothing)"
    ),
    "tag.memory_read": _fact(
        "bool",
        "要求读取的标签存储区是否已读到",
        "whether the tag's memory was read, where a reader is asked for it",
    ),
    "tag.memory_lack": _fact(
        "text",
        "标签存储区未读到的情形",
        "why the tag's memory is not known",
        "",
        frozenset({"pending", "no_tag", "unread", "not_of_layout", "untold"}),
    ),
    "tag.memory_why": _fact(
        "text", "读写器的说明", "what the reader said of memory it could not read"
    ),
    "tag.code": _fact("text", "标签内的气瓶编码", "cylinder code in the tag's memory"),
    "tag.made_on": _fact("date", "标签内的制造日期", "date made in the tag's memory"),
    "tag.last_inspection_on": _fact(
        "date", "标签内的上次检验日期", "last inspection date in the tag's memory"
    ),
    "tag.next_inspection_on": _fact(
        "date", "标签内的下次检验日期", "next inspection date in the tag's memory"
    ),
    "tag.scrap_on": _fact("date", "标签内的报废日期", "scrap date in the tag's memory"),
    "rig.id": _fact("text", "工位号", "rig id"),
    "rig.medium": _fact("text", "工位介质", "medium of the rig", "", MEDIA),
    "rig.nominal_g": _fact("int", "工位额定充装量", "nominal net mass of the rig", "g"),
    "rig.fill_pressure_kpa": _fact("int", "工位充装压力", "filling pressure of the rig", "kPa"),
    "rig.operator_required": _fact(
        "bool", "工位是否要求人员登录", "whether the rig asks for an operator"
    ),
    "rig.precheck_required": _fact(
        "bool", "工位是否要求充装前检查", "whether the rig asks for a pre-fill check"
    ),
    "rig.postcheck_required": _fact(
        "bool", "工位是否要求充装后检查", "whether the rig asks for a post-fill check"
    ),
    "rig.postcheck_open": _fact(
        "text",
        "本工位尚未做充装后检查的气瓶",
        "cylinder filled at this rig whose post-fill check is still open",
    ),
    "rig.lock": _fact(
        "text", "监管锁秤原因", "the regulator's reason to lock this rig (empty = none)"
    ),
    "station.id": _fact("text", "站点编号", "station id"),
    "station.region": _fact("text", "行政区划代码", "region code of the station"),
    "station.owners": _fact(
        "texts", "本站及关联产权单位", "station id and its list of associated owners"
    ),
    "station.association": _fact(
        "text",
        "关联产权单位（本瓶）",
        "the associated owner by whom it may be filled (empty = our own)",
    ),
    "station.media": _fact("texts", "站点介质", "media the station is licensed for"),
    "station.archive_age_s": Fact(
        "int",
        Message("档案距上次更新时间", "age of the archive"),
        "s",
        remedy=Message(
            "请导入一次完整档案（gateway.yaml 设了 archive.stale_after_h）",
            "import the whole archive once, as archive.stale_after_h of gateway.yaml asks for its age",
        ),
    ),
    "station.archive_age_s_max": _fact(
        "int", "允许的档案更新间隔", "age at which the archive is stale", "s"
    ),
    "operator.id": _fact("text", "充装人员编号", "operator's id"),
    "operator.name": _fact("text", "充装人员姓名", "operator's name"),
    "operator.logged_in": _fact("bool", "充装人员是否已登录", "whether an operator is logged in"),
    "operator.certificate": _fact("text", "作业证号", "number of the operator's certificate"),
    "operator.certificate_until": _fact(
        "date", "作业证有效期", "last day of the operator's certificate"
    ),
    "operator.media": _fact("texts", "作业证介质范围", "media the certificate covers"),
    "scale.tare_g": _fact("int", "实测皮重", "measured tare", "g"),
    "scale.gross_g": _fact("int", "毛重", "gross mass", "g"),
    "scale.net_g": _fact("int", "已充装净重", "net mass since the fill began", "g"),
    "scale.stable": _fact("bool", "秤是否稳定", "whether the scale is stable"),
    "history.last_filled_on": _fact("date", "上次充装日期", "day of its last fill"),
    "history.left_since_fill": _fact(
        "bool", "上次充装后是否出过站", "whether it left the station since its last fill"
    ),
    "history.overfilled": _fact(
        "bool",
        "上次充装是否超装且尚未处理",
        "whether it was overfilled and nobody has put that right",
    ),
    "checks.precheck_done": _fact(
        "bool", "充装前检查是否完成", "whether the pre-fill check is done"
    ),
    "checks.failed": _fact(
        "texts",
        "充装前检查不合格项",
        "items that failed the pre-fill check: stamp, body, valve, colour, accessories, residual, "
        "or an item of the station's own form",
    ),
    "checks.postcheck_done": _fact(
        "bool", "充装后检查是否完成", "whether the post-fill check is done"
    ),
    "checks.postcheck_failed": _fact(
        "texts",
        "充装后检查不合格项",
        "items that failed the post-fill check: leak, body, valve, heat",
    ),
    "checks.residual_kpa": _fact("int", "剩余压力", "residual pressure (gauge)", "kPa"),
    "checks.settled_kpa": _fact(
        "int", "充装后稳定压力", "settled pressure after the fill (gauge)", "kPa"
    ),
    "checks.gas_temperature_dc": _fact(
        "int", "充装后瓶内气体温度", "temperature of the gas after the fill", "0.1 °C"
    ),
    "checks.voucher_valid": _fact(
        "bool", "充装凭证是否有效", "whether the platform's fill voucher is valid"
    ),
    "checks.voucher_station": _fact(
        "text", "充装凭证上的站点编号", "id of the station that the voucher is for"
    ),
    "clock.today": _fact("date", "今天", "today in the station's time zone"),
    "clock.now": _fact("text", "现在时间", "now, RFC 3339 with offset"),
    "clock.trusted": _fact("bool", "时钟是否可信", "whether the clock may be believed"),
    "clock.doubt": _fact(
        "text", "时钟不可信的原因", "why the clock is not believed", "", CLOCK_DOUBTS
    ),
    "clock.against": _fact("text", "时钟的对照", "what the clock was held against"),
}
"""The whole vocabulary. A name that is not here fails when a pack is loaded."""


def remedy(name: str) -> Message:
    """What to do when the fact `name` is missing, as half a sentence."""
    return FACTS[name].remedy or _REMEDIES[name.partition(".")[0]]
