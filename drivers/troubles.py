"""What can be wrong with a device that a person can put right: one kind a function, zh and en.

Drivers raise these with a DriverError, or report them to `Context.trouble` while they go on. Every
text says what was seen and what to change; nothing here guesses an identity.
"""

from drivers.contract import Trouble


def other_protocol(expected: str, found: str, driver: str) -> Trouble:
    """The wire carries proven frames of another protocol."""
    return Trouble(
        "wrong_dialect",
        zh=f"线路上是 {found} 协议的数据，配置的是 {expected}；请把 driver 改为 {driver}",
        en=f"the wire carries {found} frames, not {expected}; set driver: {driver}",
    )


def several_tags(antenna: int, uids: tuple[str, ...]) -> Trouble:
    """More than one tag answers at one antenna."""
    shown = ", ".join(uids)
    return Trouble(
        "several_tags",
        zh=f"天线 {antenna} 的读取范围内有多个标签：{shown}；请移开其他气瓶，或降低 power_dbm",
        en=f"several tags in the field of antenna {antenna}: {shown}; move the other cylinders "
        "away or lower power_dbm",
    )


def blank_tag(antenna: int) -> Trouble:
    """A tag answered without any id."""
    return Trouble(
        "blank_tag",
        zh=f"天线 {antenna} 读到空白标签（没有编号）；请更换或写入标签",
        en=f"a blank tag without any id at antenna {antenna}; replace it or have it written",
    )


def flood(reads_a_second: int) -> Trouble:
    """So many sightings a second that a rig's work drowns in them."""
    return Trouble(
        "flood",
        zh=f"每秒超过 {reads_a_second} 次读取；请降低 power_dbm、加大 poll_ms，或移开堆放的气瓶",
        en=f"more than {reads_a_second} reads a second; lower power_dbm, raise poll_ms, or move "
        "stacked cylinders away",
    )
