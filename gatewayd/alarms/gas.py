"""Alarms about gas: what flowed, what should not have, and whether the sums agree."""

from typing import Final

from gatewayd.alarms.kinds import Kind
from gatewayd.texts import Text

GAS: Final = (
    Kind(
        "open_without_permit",
        "critical",
        Text(zh="联锁在没有许可的情况下打开", en="the gate is open without a permit"),
        Text(
            zh="阀门卡住、PLC 程序被手动操作，或有其他主机在写 PLC",
            en="a stuck valve, a PLC run by hand, or another master that writes to the PLC",
        ),
        Text(zh="请关闭气源并检查阀门和 PLC", en="shut the gas and check valve and PLC"),
    ),
    Kind(
        "gate_not_closed",
        "critical",
        Text(
            zh="已命令关闭，但联锁没有关闭",
            en="the gate was told to close and shows that it did not",
        ),
        Text(
            zh="阀门卡住、输出触点粘连，或 PLC 程序没有执行",
            en="a stuck valve, a welded contact, or a PLC program that does not run",
        ),
        Text(
            zh="请立即关闭气源，再检查阀门和 PLC",
            en="shut the gas now, then check valve and PLC",
        ),
    ),
    Kind(
        "unauthorised_flow",
        "critical",
        Text(
            zh="没有许可却有气体流出，已记录为未经许可的充装",
            en="gas flowed without a permit; it is recorded as unauthorised",
        ),
        Text(
            zh="阀门内漏、手动旁路、PLC 手动模式，或标定累计量时放气",
            en="a leaking valve, a bypass, a PLC in manual mode, or gas run for a calibration",
        ),
        Text(
            zh="请检查阀门、旁路和 PLC，查明气体去向后确认",
            en="check valve, bypass and PLC, find out where the gas went, then acknowledge",
        ),
        lasts=False,
        every=True,
    ),
    Kind(
        "totaliser_mismatch",
        "warning",
        Text(zh="累计量与充装净重不符", en="totaliser and net mass of a fill disagree"),
        Text(
            zh="秤漂移、流量计误差、充装时碰秤、软管内余气，或 PLC 断电丢失累计量（后值小于前值）",
            en="a scale that drifts, a meter that errs, a scale that was touched in the fill, or a PLC that lost its totaliser (the second reading is below the first)",
        ),
        Text(
            zh="请检查秤和累计量，复称该气瓶后确认",
            en="check scale and totaliser, weigh that cylinder again, then acknowledge",
        ),
        lasts=False,
        every=True,
    ),
    Kind(
        "totaliser_went_back",
        "warning",
        Text(zh="累计量变小或被改写", en="a totaliser went backwards, or was set"),
        Text(
            zh="PLC 或流量计更换、清零、断电丢失，或寄存器表不对",
            en="the PLC or the meter was replaced or reset, or the register map is wrong",
        ),
        Text(
            zh="请查明原因；此后以新的累计量为准，确认即可",
            en="find out why; the new reading counts from now on, then acknowledge",
        ),
        lasts=False,
    ),
    Kind(
        "shift_mismatch",
        "warning",
        Text(
            zh="班次对账不符：记录合计与累计量或储罐相差超限",
            en="a shift does not add up: records against totaliser, tank scale or meter",
        ),
        Text(
            zh="阀门内漏、秤或流量计漂移，或有充装未经本系统",
            en="a leaking valve, a scale or meter that drifts, or gas that went past this system",
        ),
        Text(
            zh="请用 gatewayd shifts 查看两边的数字，查明后确认",
            en="look at both numbers with `gatewayd shifts`, find the cause, then acknowledge",
        ),
        lasts=False,
        every=True,
    ),
    Kind(
        "shift_uncompared",
        "warning",
        Text(
            zh="班次无法与储罐秤或流量计核对",
            en="a shift could not be compared with its tank scale or flow meter",
        ),
        Text(
            zh="该设备在班次内掉线或重量、累计值不可信，累计量步长过大，或班末有一次充装的流量未知",
            en="that device was not heard for too long or told no number that can be trusted, it counts in too large steps, or nobody knows what a fill that ran had taken",
        ),
        Text(
            zh="请检查该设备，并人工核对本班储罐减少量与记录合计（gatewayd shifts）；在确认备注中写明结果",
            en="check that device, compare by hand what the tank lost with the sum of the records (`gatewayd shifts`), and acknowledge with what you found",
        ),
        lasts=False,
        every=True,
    ),
    Kind(
        "tank_refilled",
        "info",
        Text(
            zh="储罐在班次内进过料，本班无法与记录核对",
            en="a tank was refilled in a shift, which cannot be compared with the records",
        ),
        Text(
            zh="槽车卸料，或有人从别处向储罐倒料",
            en="a delivery, or gas that somebody moved into the tank",
        ),
        Text(
            zh="请核对卸料单：储罐减少量＋卸料量＝记录合计；在确认备注中写明卸料量和单号",
            en="check the delivery note: fall of the tank + delivery = sum of the records; acknowledge with grams and number of the note",
        ),
        lasts=False,
        every=True,
    ),
)
