"""What a person can put right at a flow meter, zh and en."""

from drivers.contract import Trouble


def total_unknown(why: str) -> Trouble:
    """The meter gives no total that may be used; `why` has device, register and raw value."""
    return Trouble(
        "total_unknown",
        zh=f"流量计累计值未知：{why}；请查看表上的故障信息、单位和累计设置，恢复后自动继续",
        en=f"the total of the meter is unknown: {why}; look at what the meter says is wrong, at its "
        "unit and totaliser settings; it goes on by itself when the total is back",
    )


def total_backwards(device: str, was_g: int, now_g: int, shown: str) -> Trouble:
    """The total is less than it was: somebody reset it, or gas flowed back."""
    return Trouble(
        "total_backwards",
        zh=f"{device}：累计值倒退，之前 {was_g} g，现在 {now_g} g（{shown}）；本班次无法核对。"
        "表被清零、更换，或字序不对",
        en=f"{device}: the total went back from {was_g} g to {now_g} g ({shown}); this shift cannot "
        "be compared. The meter was reset or exchanged, or word_order is wrong",
    )
