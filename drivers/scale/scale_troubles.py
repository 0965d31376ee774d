"""What can be wrong with a scale that a person can put right, in both languages."""

from collections.abc import Sequence

from drivers.contract import Trouble

SCALE_BAUDS = (9_600, 4_800, 2_400, 19_200, 1_200, 600, 38_400, 57_600, 115_200)
"""Speeds of weighing indicators, the commonest first."""


def wrong_variant(configured: str, found: str) -> Trouble:
    """The scale sends frames of another kind than is set."""
    return Trouble(
        "wrong_variant",
        zh=f"秤发送的数据不是 {configured}；请设置 driver: {found}",
        en=f"the scale does not send {configured}; set driver: {found}",
    )


def silent(hint_zh: str, hint_en: str) -> Trouble:
    """Nothing at all is heard of a scale."""
    return Trouble(
        "silent",
        zh=f"没有收到秤的任何数据；请检查接线和供电，{hint_zh}",
        en=f"nothing is heard of the scale; check cable and power, {hint_en}",
    )


def answer_owed() -> Trouble:
    """A network keeps an answer of a scale that cannot be asked anything else."""
    return Trouble(
        "answer_owed",
        zh="秤的一次回答没有到达，可能仍滞留在网络或串口服务器中，之后会被当成新的重量，因此重新连接；"
        "请检查网络和串口服务器，最好把秤接到本机串口",
        en="one answer of the scale did not arrive; it may still be held by the network or the serial "
        "server and would pass for a newer weight, so the link is opened anew; check both, or better "
        "connect the scale to a serial port of this machine",
    )


def tank_unknown(why: str) -> Trouble:
    """The scale under a tank tells no weight that may be used; `why` has register and raw value."""
    return Trouble(
        "weight_unknown",
        zh=f"储罐重量未知，充装照常，但本班次不能与储罐秤核对：{why}；请检查秤的量程、零点和接线",
        en=f"the weight of the tank is unknown: fills go on, but this shift cannot be compared with "
        f"its scale: {why}; check range, zero and wiring of the scale",
    )


def motion_inverted() -> Trouble:
    """The scale calls a weight still that plainly moves."""
    return Trouble(
        "motion_inverted",
        zh="重量明显在变化，秤却报告稳定；请检查仪表的动态位设置，或更换输出格式",
        en="the weight plainly moves and the scale calls it still; check what the motion bit of "
        "the indicator is set to, or use another output format",
    )


def display_changed(what: str) -> Trouble:
    """Unit or decimals of the display are no longer what they were."""
    return Trouble(
        "display_changed",
        zh=f"秤的显示方式变了（{what}）；请恢复仪表设置，充装期间不要切换单位",
        en=f"the display of the scale changed ({what}); set it back, and do not switch units while "
        "the station runs",
    )


def tare_unreadable() -> Trouble:
    """A scale that shows net does not tell its tare."""
    return Trouble(
        "tare_unreadable",
        zh="秤不回答皮重查询（TA），无法得到毛重；请在仪表上禁用去皮键，然后设置 tare: off",
        en="the scale does not answer what its tare is (TA), so the gross weight is not known; "
        "block its tare key, then set tare: off",
    )


def wrong_baud(baud: int | None, bauds: Sequence[int] = SCALE_BAUDS) -> Trouble:
    """Bytes without structure; `baud` is what is set, None behind a network."""
    tries = ", ".join(str(each) for each in bauds if each != baud)
    now = "" if baud is None else f" {baud}"
    return Trouble(
        "wrong_baud",
        zh=f"收到的字节没有结构，波特率{now} 可能不对；请在 link（或串口服务器）中依次试 baud: {tries}",
        en=f"the bytes have no structure, baud{now} is probably wrong; try {tries} as baud "
        "in link, or in the settings of the serial server",
    )


def filled_by_itself(machine: str, raw: str) -> Trouble:
    """A filling machine reports a fill that was not permitted here; `raw` is its frame in hex."""
    return Trouble(
        "filled_by_itself",
        zh=f"{machine} 号充装机上报了一次充装，并非本机许可，重量单位未知，未作为充装记录保存；"
        f"请核对该机台账。原始数据：{raw}",
        en=f"machine {machine} reports a fill that was not permitted here; its unit is not known and "
        f"it is not recorded as a fill; compare with the machine's own records. Raw: {raw}",
    )


def unsupervised(machine: str) -> Trouble:
    """Somebody asks a filling machine to fill without its server."""
    return Trouble(
        "unsupervised",
        zh=f"有人在 {machine} 号充装机上请求脱机充装；本机不予应答，请到现场查看",
        en=f"somebody asks machine {machine} to fill without its server; it is not answered, go and see",
    )
