"""What the commands for store, outbox and alarms say, (zh, en) by key; a part of `texts.py`."""

from typing import Final

BACKUP: Final[dict[str, tuple[str, str]]] = {
    "backup.done": (
        "{file}：{bytes} 字节，{records} 条记录，至序号 {last}；逐页逐条核对无误",
        "{file}: {bytes} bytes, {records} records through {last}, pages and chain right",
    ),
    "restore.done": (
        "已恢复 {records} 条记录，至序号 {last}",
        "restored {records} records through {last}",
    ),
    "restore.replaced": ("被替换的数据库：{file}", "replaced store: {file}"),
    "restore.nothing_replaced": ("被替换的数据库：无", "replaced store: none"),
    "restore.since": (
        "备份之后产生并已带过来的记录：{records} 条",
        "records made since and taken over: {records}",
    ),
    "restore.lost": ("丢失：{first} 至 {last}", "lost: {first} to {last}"),
    "restore.left_out": (
        "跳过：{first} 至 {last}，以免编号重复使用：无人知道已失去的数据库编到了哪里",
        (
            "left out: {first} to {last}, so that no number is used twice: nobody knows how far the store "
            "that is gone had counted"
        ),
    ),
    "restore.as_in_backup": (
        "与备份时相同、可能已过时：{groups}",
        "as in the backup, may be old: {groups}",
    ),
    "restore.locked": (
        "已锁定，待有人核对哪些仍被禁止后再解锁：{rigs}（gatewayd unlock）",
        "locked, until somebody has compared what is forbidden: {rigs} (gatewayd unlock)",
    ),
}

GROUPS: Final[dict[str, tuple[str, str]]] = {
    "group.rigs": ("工位的许可与累计量（rigs）", "rigs (open permits, totalisers)"),
    "group.locks": ("工位锁定（locks）", "locks (of rigs)"),
    "group.upstreams": ("上级平台的进度（upstreams）", "upstreams (what each has taken)"),
    "group.alarms": ("报警（alarms）", "alarms"),
    "group.clock": ("时钟（clock）", "clock"),
    "group.lives": (
        "气瓶锁定、停用编码与最近充装（lives）",
        "lives (holds, retired codes, last fills)",
    ),
    "group.checks": ("检查与批次（checks）", "checks (and batches)"),
    "group.sessions": ("登录（sessions）", "sessions (who is logged in)"),
}
"""What a restore takes over together; the word in brackets is the one of `--json` and of the alarm."""

SALVAGE: Final[dict[str, tuple[str, str]]] = {
    "salvage.nothing": (
        "{file}：其中没有任何 gatewayd 数据库的内容；文件对吗？",
        "{file}: nothing of a store of gatewayd is in it; is it the right file?",
    ),
    "salvage.proven": (
        "{records} 条记录经哈希证明完好，其中 {from_pages} 条只能从单页中找到",
        "{records} records proven, {from_pages} of them only from pages",
    ),
    "salvage.ends": ("最早 {first}，最晚 {last}", "first {first}, last {last}"),
    "salvage.ends_unsure": (
        "最早 {first}，最晚 {last}（不确定：其后可能还有）",
        "first {first}, last {last} (not sure: more may have followed)",
    ),
    "salvage.missing_one": ("缺失：{first}", "missing: {first}"),
    "salvage.missing": ("缺失：{first} 至 {last}", "missing: {first} to {last}"),
    "salvage.missing_more": ("缺失：另有 {count} 段", "missing: {count} more stretches"),
    "salvage.changed": (
        "内容被改动：{count} 条：{sequences}",
        "changed: {count}: {sequences}",
    ),
    "salvage.unlinked": (
        "与前一条记录不衔接：{count} 条：{sequences}",
        "unlinked, not what followed the record before: {count}: {sequences}",
    ),
    "salvage.written": ("已写入：{files}", "written: {files}"),
    "salvage.not_written": (
        "没有写出任何文件；加 --out 目录 可写出找到的内容",
        "nothing was written; --out DIR writes what was found",
    ),
    "salvage.lacks_log": (
        (
            "{file}：旁边没有它的日志 {file}-wal：若这是在 gatewayd 运行时复制的，最新的记录就在该日志里。"
            "请两个文件一起复制，或用 gatewayd backup 生成一个完整的文件"
        ),
        (
            "{file}: its log, {file}-wal, is not beside it: if this was copied while gatewayd ran, the newest "
            "records are in that log. Copy both, or let `gatewayd backup` make one whole file"
        ),
    ),
}

VERIFY: Final[dict[str, tuple[str, str]]] = {
    "records.shown": (
        "显示 {count} 条，最后序号 {last}",
        "{count} shown, last sequence {last}",
    ),
    "records.none": (
        "{given}：没有这条记录；用 gatewayd records list 查看现有记录",
        "{given}: no such record; `gatewayd records list` shows what is there",
    ),
    "verify.pruned": (
        "序号 {last} 及以前：已到保存期限并全部送达，已删除",
        "through {last}: deleted for their age, all delivered",
    ),
    "verify.through": ("{first} 至 {last}", "{first} to {last}"),
    "verify.lost": (
        "{which}：随 {file} 丢失（{at}）",
        "{which}: lost with {file} ({at})",
    ),
    "verify.lost_unsure": (
        "{which}：随 {file} 丢失，其中有跳过的编号：无人知道它编到了哪里（{at}）",
        (
            "{which}: lost with {file}, and numbers left out: nobody knows how far it had counted "
            "({at})"
        ),
    ),
    "verify.left_out": (
        "{which}：恢复备份时原处没有数据库，跳过了这些编号（{at}）",
        "{which}: left out when a backup took an empty place ({at})",
    ),
    "verify.ok": (
        "{records} 条记录，序号不缺，哈希全部正确；最后一条 {last}",
        "{records} records, gap-free, every hash right; last {last}",
    ),
    "verify.broken": (
        "{records} 条完好的记录之后：{problem}",
        "after {records} good records: {problem}",
    ),
    "verify.numbers_missing": (
        "有编号缺失；现有的每一条记录都正确",
        "numbers are missing; every record that is here is right",
    ),
}

ALARMS: Final[dict[str, tuple[str, str]]] = {
    "severity.critical": ("严重", "CRITICAL"),
    "severity.warning": ("警告", "WARNING"),
    "severity.info": ("提示", "INFO"),
    "alarms.count": ("共 {count} 个报警", "{count} alarms"),
    "alarms.none": (
        "{kind} {subject}：没有这样的报警；用 gatewayd alarms 查看现有报警",
        "{kind} {subject}: no such alarm stands; `gatewayd alarms` shows what does",
    ),
    "alarms.answered": (
        "{kind} {subject}：已由 {by} 确认，记录 {sequence}",
        "{kind} {subject}: acknowledged by {by}, record {sequence}",
    ),
}
"""What `alarms` says beside the words of each kind."""

OUTBOX: Final[dict[str, tuple[str, str]]] = {
    "outbox.line": (
        "待发 {backlog}  最近送达 {last_ack}  最早待发 {oldest}{pace}  被拒收 {dead}，重发中 {retrying}",
        (
            "backlog {backlog}  last ack {last_ack}  oldest waiting {oldest}{pace}  dead {dead}, "
            "retrying {retrying}"
        ),
    ),
    "outbox.never": ("从未", "never"),
    "outbox.oldest": ("{time}（{age} 前）", "{time} ({age} ago)"),
    "outbox.rate": ("  每秒 {rate} 条", "  rate {rate}/s"),
    "outbox.done_in": ("，还需 {left}", ", done in {left}"),
    "outbox.mapped": (
        "  （映射 {mapping}：只接收 {records}）",
        "  (mapping {mapping}: takes only {records})",
    ),
    "outbox.stranger": ("  （配置中没有）", "  (not in the config)"),
    "outbox.last": ("最后序号 {sequence}", "last sequence {sequence}"),
    "outbox.dead": ("被拒收", "dead"),
    "outbox.retrying": ("重发中", "retrying"),
    "outbox.dead_count": (
        "显示 {shown} 条，共 {total} 条被拒收；gatewayd outbox retry 可重发",
        "{shown} of {total} dead letters; `gatewayd outbox retry` sends them again",
    ),
    "outbox.again": ("将重发 {count} 条记录", "{count} records will be sent again"),
}

STORE: Final = ALARMS | OUTBOX | BACKUP | GROUPS | SALVAGE | VERIFY
