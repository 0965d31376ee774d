"""The reason codes of contract §8, each with a title that a person understands."""

from collections.abc import Mapping

from rules_engine.verdict import Message

REASONS: Mapping[str, Message] = {
    "NO_TAG": Message("未读到标签", "no tag"),
    "UNREADABLE": Message("标签无法识读", "unreadable"),
    "AMBIGUOUS": Message("读到多只气瓶", "more than one cylinder"),
    "CODE_UNKNOWN": Message("气瓶未建档", "not in the archive"),
    "CODE_DUPLICATE": Message("编码重复", "duplicate code"),
    "TAG_MISMATCH": Message("标签与档案不符", "tag does not match the archive"),
    "TAG_FORGED": Message("标签疑似伪造", "tag looks forged"),
    "RETIRED_CODE": Message("编码已停用", "retired code"),
    "NOT_REGISTERED": Message("未办理使用登记", "not registered"),
    "NOT_OWN": Message("非本站气瓶", "not our cylinder"),
    "OVERDUE": Message("超期未检", "inspection overdue"),
    "INSPECTION_FAILED": Message("检验不合格", "inspection failed"),
    "LIFE_EXCEEDED": Message("超过使用年限", "service life exceeded"),
    "SCRAPPED": Message("已报废", "scrapped"),
    "CANCELLED": Message("已注销", "deregistered"),
    "NOT_ENABLED": Message("未启用", "not enabled"),
    "REFURBISHED": Message("翻新气瓶", "refurbished"),
    "SCREW_SHROUD": Message("螺栓护罩气瓶", "screwed-on shroud"),
    "NO_EMBOSSED_MARK": Message("无充装单位凸字标志", "no embossed mark"),
    "NO_LICENCE_MAKER": Message("制造单位无许可", "maker without licence"),
    "STAMP_BAD": Message("钢印不清", "stamp illegible"),
    "BODY_DEFECT": Message("瓶体缺陷", "body defect"),
    "WRONG_GAS": Message("介质不符", "wrong gas"),
    "PRESSURE_CLASS": Message("压力等级不符", "wrong pressure class"),
    "RESIDUAL": Message("余压或残液异常", "residual pressure or liquid"),
    "TARE_UNKNOWN": Message("皮重未知", "tare unknown"),
    "TARE_MISMATCH": Message("皮重不符", "tare differs"),
    "NO_PRECHECK": Message("未做充前检查", "no pre-fill check"),
    "PRECHECK_FAILED": Message("充前检查不合格", "pre-fill check failed"),
    "NO_OPERATOR": Message("无充装人员登录", "no operator"),
    "OPERATOR_CERT": Message("人员证件无效", "operator certificate"),
    "VOUCHER_INVALID": Message("充装凭证无效", "fill voucher invalid"),
    "STATION_MISMATCH": Message("非本站工位", "wrong station"),
    "REGULATOR_LOCK": Message("监管锁定", "held by the regulator"),
    "FILL_COUNT": Message("充装次数已满", "number of fills used up"),
    "ARCHIVE_STALE": Message("档案过期", "archive too old"),
    "REPEAT_FILL": Message("短时重复充装", "filled again too soon"),
    "OVERFILL_RISK": Message("有超装风险", "risk of overfilling"),
    "CLOCK_UNTRUSTED": Message("时钟不可信", "clock not trusted"),
    "DATA_MISSING": Message("资料不全", "data missing"),
    "RULE_BROKEN": Message("规则故障", "broken rule"),
    "STORE_UNAVAILABLE": Message("存储不可用", "store unavailable"),
}

FROM_ENGINE = frozenset({"DATA_MISSING", "RULE_BROKEN", "CLOCK_UNTRUSTED"})
"""What the engine says of itself, whatever the packs say."""
FROM_RIG = frozenset({"NO_TAG", "UNREADABLE", "AMBIGUOUS", "TARE_UNKNOWN", "STORE_UNAVAILABLE"})
"""What only the rig can see, before or beside any rule."""
