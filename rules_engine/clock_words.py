"""Why a clock is not believed and what to do about it, in both languages.

`clock.doubt` names the reason; `{clock.now}` is what the clock shows, `{clock.against}` what it was
held against.
"""

from collections.abc import Mapping

from rules_engine.template import Template

DOUBTS: Mapping[str, Template] = {
    "before_build": Template(
        "网关时钟显示 {clock.now}，早于本程序的制作日期 {clock.against}；请把时钟校准（timedatectl），"
        "校准后自动恢复，断电后再次出错请更换时钟电池",
        "the clock shows {clock.now}, before this program was made ({clock.against}); set it "
        "(timedatectl), filling then goes on by itself; if it is wrong again after a power cut, "
        "replace the clock battery",
    ),
    "before_last_record": Template(
        "网关时钟显示 {clock.now}，早于最近一条记录的时间 {clock.against}；请把时钟校准（timedatectl），"
        "校准后自动恢复；如确认时钟正确而记录时间有误，运行 gatewayd clock accept",
        "the clock shows {clock.now}, before the newest record ({clock.against}); set it "
        "(timedatectl), filling then goes on by itself; if the clock is right and that record is "
        "not, run `gatewayd clock accept`",
    ),
    "jumped": Template(
        "网关时钟在运行中被改动了 {clock.against}，现显示 {clock.now}；请核对日期和时间，"
        "正确的运行 gatewayd clock accept，不正确的改回或启用网络校时",
        "the clock was set by {clock.against} while running and shows {clock.now} now; compare date "
        "and time: if they are right, run `gatewayd clock accept`, else set them back or let a time "
        "server keep them",
    ),
    "not_synchronised": Template(
        "网关时钟没有与时间服务器同步，而配置要求同步（clock.require_ntp）；请检查网络和校时服务（timedatectl）",
        "no time server keeps the clock, and the configuration asks for one (clock.require_ntp); "
        "check network and time service (timedatectl)",
    ),
    "unreadable": Template(
        "无法从数据库读取最近一条记录的时间，时钟无从核对；请检查磁盘和数据库",
        "the time of the newest record cannot be read from the store, so nothing proves the clock; "
        "check disk and store",
    ),
}
"""By the word of `clock.doubt`."""

UNSPOKEN = Template(
    "网关时钟不可信；请校准网关时钟（timedatectl）",
    "the clock of the gateway is not trusted; set it (timedatectl)",
)
"""When nobody says why."""

WAITING = Template(
    "{why.zh}；与日期有关的规则无法判定，禁止充装（{rules}）",
    "{why.en}; no rule about a day can be decided, so filling is refused ({rules})",
)
"""What a verdict says; `why` is one of the above."""


def why(doubt: object) -> Template:
    """The words of a reason; an unknown or absent one has general words."""
    return DOUBTS.get(str(doubt), UNSPOKEN)
