"""The one catalogue of operator-facing texts, in Chinese and English.

A text may hold `{placeholders}`, the same ones in both languages; a test checks it. To add a text,
add a line. Reasons of a verdict are not here: they come from the rule packs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gatewayd.texts_archive import OF_FILES
from gatewayd.texts_cells import CELLS
from gatewayd.texts_commands import COMMANDS
from gatewayd.texts_desk import DESK, WAITING
from gatewayd.texts_errors import ERRORS_SAID
from gatewayd.texts_maps import MAPS
from gatewayd.texts_orders import ORDERS, TELLING
from gatewayd.texts_reload import RELOAD
from gatewayd.texts_service import SERVICE
from gatewayd.texts_store import STORE
from gatewayd.texts_tools import TOOLS
from gatewayd.texts_usage import SAID
from gatewayd.texts_web import WEB

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence or label in both languages."""

    zh: str
    en: str


RIG_STATES: Mapping[str, Text] = {
    "rig.locked": Text(zh="已锁定", en="locked"),
    "rig.identifying": Text(zh="识别中", en="identifying"),
    "rig.judging": Text(zh="判定中", en="judging"),
    "rig.permitted": Text(zh="已许可", en="permitted"),
    "rig.filling": Text(zh="充装中", en="filling"),
    "rig.settling": Text(zh="稳定中", en="settling"),
    "rig.refused": Text(zh="已拒绝", en="refused"),
    "rig.fault": Text(zh="故障", en="fault"),
}
"""Contract §5."""

DEVICE_STATES: Mapping[str, Text] = {
    "device.connecting": Text(zh="连接中", en="connecting"),
    "device.up": Text(zh="在线", en="up"),
    "device.down": Text(zh="离线", en="down"),
    "device.fault": Text(zh="故障", en="fault"),
}
"""Contract §6."""

OUTCOMES: Mapping[str, Text] = {
    "outcome.completed": Text(zh="充装完成", en="completed"),
    "outcome.underfilled": Text(zh="欠装", en="underfilled"),
    "outcome.overfilled": Text(zh="超装", en="overfilled"),
    "outcome.aborted": Text(zh="已中止", en="aborted"),
    "outcome.interrupted": Text(zh="意外中断", en="interrupted"),
    "outcome.unauthorised": Text(zh="未经许可", en="unauthorised"),
    "outcome.not_started": Text(zh="未开始", en="not started"),
}
"""Contract §7."""

LABELS: Mapping[str, Text] = {
    "label.station": Text(zh="充装站", en="station"),
    "label.rig": Text(zh="工位", en="rig"),
    "label.rigs": Text(zh="工位", en="rigs"),
    "label.device": Text(zh="设备", en="device"),
    "label.devices": Text(zh="设备", en="devices"),
    "label.driver": Text(zh="驱动", en="driver"),
    "label.medium": Text(zh="介质", en="medium"),
    "label.identify": Text(zh="识别", en="identify"),
    "label.gate": Text(zh="联锁", en="gate"),
    "label.rules": Text(zh="规则包", en="rule packs"),
    "label.profiles": Text(zh="寄存器表", en="profiles"),
    "label.upstreams": Text(zh="上级平台", en="upstreams"),
    "label.state": Text(zh="状态", en="state"),
    "label.cylinder": Text(zh="气瓶", en="cylinder"),
    "label.verdict": Text(zh="判定", en="verdict"),
    "label.reason": Text(zh="原因", en="reason"),
    "label.message": Text(zh="说明", en="message"),
    "label.values": Text(zh="数值", en="values"),
    "label.basis": Text(zh="依据", en="basis"),
    "label.gross": Text(zh="毛重", en="gross"),
    "label.net": Text(zh="净重", en="net"),
    "label.target": Text(zh="目标", en="target"),
    "label.records": Text(zh="记录", en="records"),
    "label.delivered": Text(zh="已送达", en="delivered"),
    "verdict.allow": Text(zh="允许", en="allow"),
    "verdict.deny": Text(zh="拒绝", en="deny"),
}
"""Words of contract §1 and headings of tables."""

SENTENCES: Mapping[str, Text] = {
    "check.ok": Text(zh="配置有效：{directory}", en="configuration is valid: {directory}"),
    "check.problems": Text(zh="发现 {count} 个错误", en="{count} problems found"),
    "check.warnings": Text(zh="{count} 条提醒", en="{count} warnings"),
}

GATES: Mapping[str, Text] = {
    "gate.lease": Text(
        zh="{rig}：本机死机后，{gate} 的 PLC 在 {ms} 毫秒内自行关阀（租约）",
        en="{rig}: if this computer dies, the PLC of {gate} closes by itself within {ms} ms (lease)",
    ),
    "gate.watchdog": Text(
        zh="{rig}：本机死机后，模块 {gate} 在 {ms} 毫秒内断开输出（看门狗）",
        en="{rig}: if this computer dies, module {gate} drops its output within {ms} ms (watchdog)",
    ),
    "gate.filler": Text(
        zh="{rig}：本机死机后，{gate} 会继续充装到其目标值才停止",
        en="{rig}: if this computer dies, {gate} goes on filling and stops only at its own target",
    ),
    "gate.filler_unproven": Text(
        zh=(
            "{rig}：{gate} 的目标值不能读回。本机运行时按重量到目标即令其停止；本机死机后，"
            "它会继续充装到它实际持有的目标值，无人能证明是多少"
        ),
        en=(
            "{rig}: the target of {gate} cannot be read back; while this computer runs, it is told to "
            "stop at the target by weight; if this computer dies, it fills on to whatever target it holds"
        ),
    ),
    "gate.coil": Text(
        zh="{rig}：本机死机后，{gate} 的阀门一直打开，没有任何装置会关闭它",
        en="{rig}: if this computer dies, the valve of {gate} STAYS OPEN and nothing closes it",
    ),
}
"""What `check` says of a rig's gate; `drivers` and `rigs` have the kinds."""

FINDINGS: Mapping[str, Text] = {
    "finding.NO_TAG": Text(
        zh="没有读到标签或条码；请检查标签，重新放置气瓶或扫码",
        en="no tag or code was read; check the tag, put the cylinder on again or scan its code",
    ),
    "finding.UNREADABLE": Text(
        zh="{device} 有读数但无法识读（{seen}）；请擦净标签或条码、转正后重新放置或扫码，"
        "仍读不出则更换标签；若各瓶都如此，请查该设备的接线和状态页",
        en="{device} heard something that cannot be read ({seen}); clean the tag or label, turn it to the "
        "reader and put the cylinder on or scan again; replace a tag that stays so. When every cylinder "
        "does this, check the wiring of that device and its state",
    ),
    "finding.AMBIGUOUS": Text(
        zh="同时读到不止一只气瓶：{seen}；请把其他气瓶移开后重新放置",
        en="more than one cylinder was read: {seen}; move the others away and put it on again",
    ),
    "finding.TAG_MISMATCH": Text(
        zh="标签 {uid}（气瓶：{by_uid}）与瓶身编码 {code}（气瓶：{by_code}）不是同一只气瓶；"
        "不得充装，请核对钢印后更正标签或档案",
        en="tag {uid} (cylinder: {by_uid}) and printed code {code} (cylinder: {by_code}) are not of "
        "one cylinder; do not fill, compare the stamp and correct the tag or the archive",
    ),
    "finding.CODE_UNKNOWN": Text(
        zh="{read} 不在本站档案中；不得放行，请核对编码或先建档",
        en="{read} is not in the archive; do not let it pass, check the code or register it first",
    ),
    "finding.CODE_DUPLICATE": Text(
        zh="编码 {cylinder} 同时或刚刚出现在 {elsewhere}，可能一码多瓶；不得充装，请隔离两处的气瓶并核对钢印",
        en="code {cylinder} is at {elsewhere} too, or was a moment ago; do not fill, set the cylinders of "
        "both places aside and compare the stamps",
    ),
    "finding.TARE_UNKNOWN": Text(
        zh="空瓶重量不稳定或不可信（{tare_g} g）；请检查秤并重新放置",
        en="the empty weight is not stable or not believable ({tare_g} g); check the scale, put it on again",
    ),
    "finding.RESIDUAL": Text(
        zh="余液 {residual_g} g 不低于允许充装量 {allowed_g} g；请先抽残",
        en="residue of {residual_g} g leaves nothing of the {allowed_g} g allowed; extract it first",
    ),
    "finding.DATA_MISSING": Text(
        zh="档案缺少 {missing}；请补录后再充装", en="the archive lacks {missing}; complete it first"
    ),
    "finding.ARCHIVE_STALE": Text(
        zh="档案已 {age_h} 小时未经确认（超过 {stale_after_h} 小时）；经 {approved_by} 书面批准，至多再充装 "
        "{hours_max} 小时，截止 {until}：{reason}",
        en="nobody has confirmed the archive for {age_h} h (limit {stale_after_h} h); {approved_by} approved "
        "in writing to go on for at most {hours_max} h, through {until}: {reason}",
    ),
    "finding.REGULATOR_LOCK": Text(
        zh="工位已被锁定：{lock}；不得充装，请联系锁定人解除",
        en="this rig is locked: {lock}; do not fill until whoever locked it unlocks it",
    ),
    "finding.STORE_UNAVAILABLE": Text(
        zh="数据库无法写入，不能充装；请检查磁盘空间，运行 gatewayd check",
        en="the store cannot be written, so nothing may be filled; check disk space and the log",
    ),
}
"""Reasons that the rig finds itself, without a rule pack."""

POINTS: Mapping[str, Text] = {
    "point.receiving": Text(zh="已入站登记", en="received"),
    "point.dispatch": Text(zh="准予出站", en="may leave"),
    "point.issue": Text(zh="准予发放", en="may be handed out"),
    "point.storage": Text(zh="已入库登记", en="put away"),
    "point.inspection": Text(zh="已登记送检", en="noted for inspection"),
    "point.repair": Text(zh="已登记维修", en="noted for repair"),
    "point.refused": Text(zh="不得放行", en="must not pass"),
}
"""What a scan point shows after a scan."""

HINTS: Mapping[str, Text] = {
    "hint.reversed_uid": Text(
        zh="档案中有字节顺序相反的标签 {known}（读到的是 {seen}）；请改读写器的字节顺序设置，"
        "或按读到的顺序更正档案的 tag_uids",
        en="the archive has this tag with its bytes the other way round, {known} (read as {seen}); "
        "change the byte order of the reader, or correct tag_uids in the archive as it is read",
    ),
    "hint.not_on_file": Text(zh="未建档", en="not in the archive"),
    "hint.elsewhere": Text(zh="另见于 {place}", en="It is, or was a moment ago, at {place} too"),
    "hint.gs_lost": Text(
        zh="GS1 条码 {seen} 可能丢失了分隔符 GS（补上后为 {known}）；请在扫码枪上开启发送 GS（0x1D），"
        "或把键盘口改为串口或 HID POS",
        en="the GS1 code {seen} may have lost a separator (with it: {known}); set the scanner to "
        "send GS (0x1D), or use a serial or HID POS interface instead of a keyboard",
    ),
}
"""What to change when something unknown was read that is nearly known; behind a finding's text."""

CLOCK: Mapping[str, Text] = {
    "clock.ntp": Text(
        zh="时钟可信，由时间服务器校准：{now}", en="the clock is kept by a time server: {now}"
    ),
    "clock.gateway": Text(
        zh="时钟可信，但没有时间服务器校准：{now}；请定期与标准时间核对",
        en="nothing speaks against the clock, but no time server keeps it: {now}; compare it now and then",
    ),
    "clock.accepted": Text(
        zh="已确认时钟正确：{now}；运行中的网关几秒内恢复",
        en="the clock counts as right: {now}; a running gateway believes it within seconds",
    ),
}
"""What `gatewayd clock` says; why a clock is not believed stands in `rules_engine.clock_words`."""

DEMO: Mapping[str, Text] = {
    "demo.config": Text(zh="配置与日志", en="config and log"),
    "demo.broker": Text(zh="MQTT", en="MQTT"),
    "demo.seed": Text(zh="种子", en="seed"),
    "demo.fills": Text(zh="充装", en="fills"),
    "demo.refusals": Text(zh="拒绝", en="refusals"),
    "demo.delivered": Text(zh="平台已收到记录", en="records delivered"),
    "demo.alarm": Text(zh="报警", en="alarm"),
    "demo.gap_free": Text(
        zh="序号连续且哈希链完整", en="sequence without a gap, hash chain intact"
    ),
    "demo.masses": Text(zh="净重合计 / 累计量", en="sum of net masses / totaliser"),
    "demo.yes": Text(zh="是", en="yes"),
    "demo.no": Text(zh="否", en="no"),
    "demo.ok": Text(
        zh="全部吻合：充装 + 拒绝 = 平台收到的记录，净重 = 累计量",
        en="it adds up: fills + refusals = records received, net masses = totaliser",
    ),
    "demo.not_ok": Text(zh="不吻合", en="it does not add up"),
}
"""The demo's screen."""

TEXTS: Mapping[str, Text] = {
    **DEMO,
    **RIG_STATES,
    **DEVICE_STATES,
    **OUTCOMES,
    **LABELS,
    **SENTENCES,
    **GATES,
    **FINDINGS,
    **HINTS,
    **POINTS,
    **{
        key: Text(*words)
        for part in (
            DESK,
            WAITING,
            ORDERS,
            TELLING,
            RELOAD,
            COMMANDS,
            WEB,
            TOOLS,
            MAPS,
            SAID,
            SERVICE,
            STORE,
            ERRORS_SAID,
            OF_FILES,
            CELLS,
        )
        for key, words in part.items()
    },
    **CLOCK,
}
"""Every text by its key."""


def text(key: str, language: Language, **values: Any) -> str:
    """The text of a key in that language, its placeholders filled; an unknown key is our error."""
    assert key in TEXTS, key
    chosen = TEXTS[key]
    return (chosen.zh if language == "zh" else chosen.en).format(**values)
