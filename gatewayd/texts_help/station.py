"""Help of the commands for the daily work: cylinders, rules, holds, checks, alarms, shifts."""

from typing import Final

RULES: Final[dict[str, str]] = {
    "What would be decided and why; exit 0 allow, 1 deny.": (
        "显示会如何判定及原因；退出码 0 允许，1 拒绝。"
    ),
    (
        "Before the fill --set scale.tare_g=GRAMS, the cylinder on the scale, shows target and limit. "
        "The stages behind it are judged by what the last fill put in, or by scale.net_g."
    ): (
        "充装前加 --set scale.tare_g=克数（秤上气瓶的重量），可显示目标和上限。"
        "充装后的各阶段按上次充装量判定，或按 scale.net_g 判定。"
    ),
    "The rig it would be filled at.": "在哪个充装工位充装",
    "The cylinder's code, or what a scanner read.": "气瓶编码，或扫码枪读到的内容",
    "The tag's uid or EPC in hex.": "标签号或 EPC，十六进制",
    "Change one fact.": "改变一项事实",
    "Decide as of this date or RFC 3339 time.": "按此日期或 RFC 3339 时间判定",
    "Where it is: receive, prefill, permit (usual), fill, postfill, dispatch.": (
        "处于哪个阶段：receive 入站，prefill 充装前，permit 许可（通常），fill 充装中，"
        "postfill 充装后，dispatch 出站"
    ),
    "The rules that decide, and the examples inside them.": "用于判定的规则及其中的示例。",
    "Every fact that a rule may read: its type, unit and meaning, and which rules read it.": (
        "列出规则可以使用的全部事实：类型、单位、含义，以及哪些规则使用它。"
    ),
    "Every rule: id, reason, severity, stage, condition and basis; and what a site loosened.": (
        "列出全部规则：编号、原因、严重程度、阶段、条件和依据；以及本站放宽了什么。"
    ),
    "Judge the fills and refusals on record again, and show every verdict that changes.": (
        "对已记录的充装和拒绝重新判定，显示每个改变的判定。"
    ),
    "30d, 12h, or a date (30d).": "30d（30 天）、12h（12 小时）或日期；默认 30d",
    "Rule packs to try: a config directory, or a folder of packs.": (
        "要试用的规则包：配置目录，或存放规则包的文件夹"
    ),
    "Run the examples inside every rule; exit 1 when one fails.": (
        "运行每条规则中的示例；有一个失败时退出码为 1。"
    ),
    "Without FILES: the shipped packs and those of the config directory.": (
        "不写 FILES 时：随程序提供的规则包和配置目录中的规则包。"
    ),
}

ARCHIVE: Final[dict[str, str]] = {
    "Import KIND from FILE by code or id: known ones change, new ones are added.": (
        "从 FILE 导入 KIND（气瓶、操作人员或停用编码）；按编码或编号对应，已有的更新，没有的新增。"
    ),
    (
        "FILE is CSV (UTF-8 or GBK) or an Excel workbook (.xlsx). A mistake in any row rejects the "
        "whole file, with row and column of every mistake. Works while the daemon runs: its next scan "
        "sees the new archive. Columns that FILE does not have stay as they are; an empty cell makes "
        "the value unknown, except fills_done, which the station counts itself. With --replace "
        "cylinders that are not in FILE are removed. A code or tag of a cylinder that was scrapped, "
        "cancelled or recoded is retired: a row that uses it again is a mistake, unless "
        "--reuse-retired says why it may. KIND retired takes codes and tags out of use, each with its "
        "reason and record, as `gatewayd retire`."
    ): (
        "KIND：cylinders 气瓶档案，operators 操作人员，retired 停用的编码和标签。"
        "FILE 是 CSV（UTF-8 或 GBK）或 Excel 工作簿（.xlsx）。任何一行有错误，整个文件都不导入，并列出每个错误的行和列。"
        "网关运行时也可以导入：下一次扫描就使用新档案。FILE 中没有的列保持不变；空单元格使该值变为未知，"
        "但 fills_done（充装次数）由本站自行计数，不受影响。加 --replace 时，FILE 中没有的气瓶会被删除。"
        "已报废、注销或换码的气瓶，其编码和标签即为停用：再次使用它们的行是错误，除非用 --reuse-retired 写明理由。"
        "KIND 为 retired 时停用编码和标签，每个都有原因和记录，与 `gatewayd retire` 相同。"
    ),
    "Replace the whole archive by the file, atomically.": "用文件替换整个档案，一次完成",
    "Check FILE and say what would change.": "只检查 FILE，说明会改变什么",
    "Take retired codes and tags back into use.": "恢复使用已停用的编码和标签，写明理由",
    "Of retired codes: who decided it; default: your login.": (
        "停用编码时：谁决定的；默认为登录用户名"
    ),
    "Print an empty file to fill in, and stop.": "输出供填写的空文件，然后结束",
    "Of the template: also the columns that few need.": "用于空文件：也包含少用的列",
    "Of the template; FILE is known by its content.": "空文件的格式；FILE 的格式按内容识别",
    "Export KIND, by code, as CSV or an Excel workbook; `import` takes it back unchanged.": (
        "导出 KIND（气瓶、操作人员或停用编码）为 CSV 或 Excel 工作簿；按编码排列，可用 `import` 原样导回。"
    ),
    (
        "FILE is there whole or not at all, and is replaced when it exists. Works while the daemon "
        "runs. Columns beyond those of `import --template` are there when any cylinder has a value in "
        "them."
    ): (
        "FILE 要么完整写出，要么没有；已存在时被替换。网关运行时也可以导出。"
        "`import --template` 以外的列，只要有气瓶填了值就会导出。"
    ),
    "Default: as FILE is called, else csv.": "默认按 FILE 的扩展名，否则为 csv",
    "Default: stdout.": "默认写到标准输出",
    "Also the columns that no cylinder has a value in.": "也导出所有气瓶都没有值的列",
    (
        "One cylinder's life, oldest first: fills, refusals, checks, movements, holds, its entry."
    ): "一只气瓶的经历，从旧到新：充装、拒绝、检查、流转、锁定和档案。",
    "CODE is its code, what a scanner read, or a tag's uid. Exit 1 when nothing is known of it.": (
        "CODE 是气瓶编码、扫码枪读到的内容，或标签号。没有任何资料时退出码为 1。"
    ),
}

ORDERS: Final[dict[str, str]] = {
    "Hold cylinder CODE: it is refused (REGULATOR_LOCK) until it is released.": (
        "锁定气瓶 CODE：在解除锁定之前拒绝充装（REGULATOR_LOCK）。"
    ),
    (
        "An import does not end a hold. A code that the archive does not know is held once it is known."
    ): "导入档案不会解除锁定。档案中没有的编码，建档后即为锁定状态。",
    "Why; shown where it is refused.": "原因；拒绝充装时显示",
    "Who decided it; default: your login.": "谁决定的；默认为登录用户名",
    "Release cylinder CODE, whoever held it; exit 1 when nothing did.": (
        "解除气瓶 CODE 的锁定，不论由谁锁定；没有被锁定时退出码为 1。"
    ),
    "List the cylinders that are held and the rigs that are locked; with CODE, all its holds.": (
        "列出被锁定的气瓶和工位；写 CODE 则显示该气瓶的全部锁定。"
    ),
    "Lock RIG: its gate closes at once, also during a fill, and stays closed until `unlock`.": (
        "锁定工位 RIG：立即关闭联锁，充装中也一样，直到用 `unlock` 解除。"
    ),
    "Unlock RIG, whoever locked it; exit 1 when nothing did.": (
        "解除工位 RIG 的锁定，不论由谁锁定；没有被锁定时退出码为 1。"
    ),
    "A cylinder that stood there when it was locked must leave before it is judged again.": (
        "锁定时在工位上的气瓶，须先取下，放回后才会重新判定。"
    ),
    "Take CODE out of use for good: it is refused (RETIRED_CODE) wherever it appears.": (
        "永久停用 CODE：在任何地方出现都拒绝（RETIRED_CODE）。"
    ),
    (
        "For a label that was stolen, copied or torn off. CODE is the code or what a scanner read; "
        "with --uid a tag. Only what is named is retired, not the other codes and tags of its cylinder."
    ): (
        "用于被盗、被复制或被撕下的标识。CODE 是编码或扫码枪读到的内容；加 --uid 则是标签。"
        "只停用写明的这一个，该气瓶的其他编码和标签不受影响。"
    ),
    "CODE is a tag's uid or EPC in hex.": "CODE 是标签号或 EPC，十六进制",
    "Why; recorded.": "原因；写入记录",
    "Take a retired CODE back into use, whoever retired it; exit 1 when it is not retired.": (
        "恢复使用已停用的 CODE，不论由谁停用；没有被停用时退出码为 1。"
    ),
    (
        "List the codes and tags that are out of use, the newest first; with CODE only what names it."
    ): "列出停用的编码和标签，最新的在前；写 CODE 则只列出与它有关的。",
    "CODE is a code, or a tag's uid. Exit 1 when CODE is not retired.": (
        "CODE 是编码或标签号。CODE 没有被停用时退出码为 1。"
    ),
}

WATCH: Final[dict[str, str]] = {
    "Check forms: what is in force, and their codes as a sheet for the wall.": (
        "检查表：查看生效的检查表，打印其条码张贴在工位旁。"
    ),
    "List the check forms, each with its items and the rigs that ask for it.": (
        "列出检查表，及其检查项和使用它的工位。"
    ),
    "Print the codes of FORM: all in order, and each answer that fails the check.": (
        "打印检查表 FORM 的条码：“全部合格”，以及每个不合格的答案。"
    ),
    (
        "Hang the sheet up beside the rig; the scanner there takes its codes. The page opens in any "
        "browser and needs no network. Print it at 100 %, not fitted to the page."
    ): (
        "张贴在工位旁，由该处的扫码枪扫描。页面可用任何浏览器打开，不需要网络。"
        "请按 100 % 打印，不要选择适应页面。"
    ),
    "Write a page for the printer (HTML); default: blocks on the terminal.": (
        "写出供打印的页面（HTML）；默认在终端上用方块显示"
    ),
    "Whether the clock of this machine is believed, and why not; exit 0 it is, 1 it is not.": (
        "本机时钟是否可信，不可信的原因；退出码 0 可信，1 不可信。"
    ),
    (
        "Say that date and time of this machine are right, after comparing them with another clock."
    ): "与标准时间核对后，确认本机日期和时间正确。",
    (
        "Older records and a clock that was set no longer speak against it; who said so is recorded. "
        "The running daemon believes it within seconds. A time before this program was made stays "
        "refused."
    ): (
        "此后，较早的记录和时钟被改动过都不再算作疑点；由谁确认会写入记录。运行中的网关几秒内恢复。"
        "早于本程序制作日期的时间始终不予接受。"
    ),
    "Who compared it.": "由谁核对",
    "With what, and what was wrong.": "与什么核对，原来有什么问题",
    "Show the alarms that stand, each with its cause and what to do.": (
        "显示当前报警，及其原因和处理方法。"
    ),
    "Also those that are over.": "也显示已结束的报警",
    "Answer for an alarm, also while the daemon runs. What merely happened is over with that.": (
        "确认报警并对处理负责，网关运行时也可以。只是一次性事件的报警，确认后即结束。"
    ),
    "Who answers for it.": "由谁负责",
    "What was found and done.": "查明的情况和处理",
    "Show closed shifts, the newest last: grams of the records against the gate's totaliser.": (
        "显示已结束的班次，最新的在后；记录的克数与联锁的累计量对照。"
    ),
    (
        "Below them what a tank scale or a flow meter says of all rigs that it feeds, where there is "
        "one."
    ): "其下是储罐秤或流量计（如有）对其供气的全部工位的计量。",
    "Only this rig.": "只显示该工位",
}
