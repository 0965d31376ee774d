"""What can be wrong with the registers of a device, for a person: device, register and raw value."""

from drivers.contract import Trouble


def not_read(device: str, what: str, why: str) -> Trouble:
    """A request had no usable answer."""
    return Trouble(
        "not_read",
        zh=f"{device}：{what} 没有读到（{why}）；请核对 unit、地址基数和功能码，可用 --hunt 查找",
        en=f"{device}: {what} could not be read ({why}); check unit, base of the addresses and "
        "functions, --hunt looks for them",
    )


def unknown_bits(device: str, why: str) -> Trouble:
    """A bit is set that has no name: another device, another register, or a newer version."""
    return Trouble(
        "unknown_bits",
        zh=f"{device}：出现寄存器表中没有的状态位：{why}；请核对型号和地址，可用 --hunt 查找",
        en=f"{device}: {why}; check model and addresses, --hunt looks for them",
    )


def weight_unknown(device: str, why: str) -> Trouble:
    """Overload, underload, no number, an unknown code: there is no weight, and it is not 0."""
    return Trouble(
        "weight_unknown",
        zh=f"{device}：重量未知（不是 0）：{why}",
        en=f"{device}: the weight is unknown (not 0): {why}",
    )


def out_of_range(device: str, shown: str) -> Trouble:
    """A mass at the end of its type or beyond every scale."""
    return Trouble(
        "out_of_range",
        zh=f"{device}：数值超出合理范围：{shown}；请检查过载、word_order、正负号和小数位",
        en=f"{device}: out of range: {shown}; check overload, word_order, sign and decimals",
    )


def motion_inverted(device: str, why: str) -> Trouble:
    """Stable is set while the weight moves."""
    return Trouble(
        "motion_inverted",
        zh=f"{device}：重量在变化，稳定标志却一直有效：{why}；请检查寄存器表的 inverted",
        en=f"{device}: {why}; stable is stuck, or `inverted` in the map is wrong",
    )


def never_stable(device: str, shown: str, for_s: float) -> Trouble:
    """Stable is not set although the weight stands still."""
    return Trouble(
        "never_stable",
        zh=f"{device}：重量 {for_s:g} 秒没有变化，却不稳定：{shown}；稳定标志可能接反（inverted）",
        en=f"{device}: the weight stood still for {for_s:g} s and is not called stable: {shown}; "
        "the bit may be inverted",
    )


def display_changed(device: str, why: str) -> Trouble:
    """Unit, decimals or division changed while it was looked at."""
    return Trouble(
        "display_changed",
        zh=f"{device}：运行中单位或小数位改变：{why}；请恢复仪表设置",
        en=f"{device}: {why}; set the indicator back and do not switch units while it runs",
    )


def total_backwards(device: str, was: int, shown: str) -> Trouble:
    """A counter that only grows went back."""
    return Trouble(
        "total_backwards",
        zh=f"{device}：累计值倒退，之前 {was}，现在 {shown}；仪表被清零、更换，或字序不对",
        en=f"{device}: the totaliser went backwards from {was}: {shown}; it was reset, exchanged, "
        "or word_order is wrong",
    )


def total_wrapped(device: str, was: int, shown: str) -> Trouble:
    """A counter started again from 0, as its map says it does."""
    return Trouble(
        "total_wrapped",
        zh=f"{device}：累计值溢出后从 0 重新开始，之前 {was}，现在 {shown}；请核对 wraps_at",
        en=f"{device}: the totaliser wrapped after {was}: {shown}; check wraps_at of the map",
    )
