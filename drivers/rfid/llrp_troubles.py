"""What can be wrong with an LLRP reader that a person can put right."""

from collections.abc import Iterable

from drivers.contract import Trouble


def power_not_allowed(power_dbm: int, allowed_cdbm: Iterable[int]) -> Trouble:
    """The reader's own table has no such power."""
    table = sorted(allowed_cdbm)
    known = f"{table[0] / 100:g}..{table[-1] / 100:g} dBm" if table else ""
    if not table:
        return Trouble(
            "power_not_allowed",
            zh="读写器没有给出功率表，无法设置功率；请删除 power_dbm",
            en="the reader tells no power table, so power cannot be set; remove power_dbm",
        )
    return Trouble(
        "power_not_allowed",
        zh=f"读写器不允许 power_dbm: {power_dbm}；其功率表范围为 {known}，请改为表中的值",
        en=f"the reader does not allow power_dbm: {power_dbm}; its table has {known}, set one of it",
    )


def antenna_not_there(antenna: int, antennas: int) -> Trouble:
    """The reader has fewer ports."""
    return Trouble(
        "antenna_not_there",
        zh=f"读写器只有 {antennas} 个天线口，没有天线 {antenna}；请修改 antennas",
        en=f"the reader has {antennas} antenna ports and no antenna {antenna}; correct antennas",
    )


def reads_lost(where: str, where_zh: str) -> Trouble:
    """Reports came faster than they could be taken."""
    return Trouble(
        "reads_lost",
        zh=f"{where_zh}缓冲区已满，部分读取丢失；请降低 power_dbm，移开堆放的气瓶",
        en=f"{where} ran full and reads were lost; lower power_dbm or move stacked cylinders away",
    )


def reader_exception(text: str) -> Trouble:
    """The reader reports a fault of its own, in its own words."""
    return Trouble(
        "reader_exception",
        zh=f"读写器报告异常：{text}；请查看读写器网页或日志",
        en=f"the reader reports: {text}; look at its web page or log",
    )


def other_tries(wire: str) -> Trouble:
    """Somebody else keeps trying to connect to our reader."""
    return Trouble(
        "other_client",
        zh=f"另一个程序正在尝试连接 {wire}；读写器只接受一个连接，请关闭该程序",
        en=f"another program tries to connect to {wire}; a reader serves one client, close it",
    )
