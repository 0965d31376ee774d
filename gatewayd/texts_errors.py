"""What the store and a chain say is wrong, (zh, en) by key; a part of `texts.py`."""

from typing import Final

PROBLEMS: Final[dict[str, tuple[str, str]]] = {
    "verify.problem.record": ("第 {sequence} 号记录：{said}", "record {sequence}: {said}"),
    "verify.problem.at_end": (
        "末尾缺少第 {first} 至 {last} 号记录",
        "records {first} to {last} are missing at the end",
    ),
    "verify.problem.torn": (
        (
            "它的日志已撕裂，撕裂处之后还有已提交的内容；可用 gatewayd records salvage 文件 读出剩余内容，"
            "gatewayd 下次启动时会将它隔离并带过完好的部分"
        ),
        (
            "its log is torn, and more was committed behind the tear; `gatewayd records salvage FILE` reads "
            "what is left of it, a start of gatewayd puts it aside and takes over what is sound"
        ),
    ),
    "verify.problem.gap": (
        "缺少序号 {sequence}，下一条是 {next}",
        "sequence {sequence} is missing, the next is {next}",
    ),
    "verify.problem.no_record": ("内容不是记录：{why}", "its body is not a record: {why}"),
    "verify.problem.changed": ("内容被改动", "its content was changed"),
    "verify.problem.hash": (
        "内容被改动：哈希为 {told}，实际内容为 {digest}",
        "its content was changed: hash says {told}, content is {digest}",
    ),
    "verify.problem.unlinked": (
        "它应接在 {told} 之后，而前一条记录是 {digest}",
        "it follows {told}, the record before it has {digest}",
    ),
    "verify.problem.row": (
        "数据库行写的是 {row}，记录内容写的是另一个",
        "its row says {row}, its body another",
    ),
}
"""What can be wrong with a chain; its English is how `store` says it, so it is exact."""

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "store.error.none": (
        "{file}：这里还没有数据库；gatewayd run 或 import 会建立它",
        "{file}: no store here yet; `gatewayd run` or `import` creates it",
    ),
    "store.error.none_yet": (
        "{file}：这里还没有数据库；gatewayd run 会建立它",
        "{file}: no store here yet; `gatewayd run` creates it",
    ),
    "store.error.only_log": (
        "{file}：文件不见了，但 {log} 还在：请恢复备份，或把它移开",
        "{file}: missing, but {log} is there: restore or move it aside",
    ),
    "store.error.in_use": (
        "{file}：数据库正由进程 {pid} 使用；一个数据库只能有一个 gatewayd：请先停止它，或另设 store.path",
        (
            "{file}: the store is in use by process {pid}; one gatewayd per store: stop that one first, or "
            "give this one its own store.path"
        ),
    ),
    "store.error.importing": (
        "{file}：进程 {pid} 正在导入；请等它结束后再试",
        "{file}: process {pid} is importing into this store; wait until it has ended, then import again",
    ),
    "store.error.damaged": (
        (
            "{file}：数据库已损坏；设有 store.on_corrupt: quarantine 时，重启会将它隔离并带过完好的部分；"
            "或停止 gatewayd 后用 gatewayd restore 恢复最近的备份（{why}）"
        ),
        (
            "{file}: the store is damaged; with store.on_corrupt: quarantine a restart sets it aside and "
            "takes over what is sound; or stop gatewayd and `gatewayd restore` the last backup ({why})"
        ),
    ),
    "store.error.full": (
        "{file}：数据库已满；请清理磁盘或增大 store.quota_mb（{why}）",
        "{file}: the store is full; free space on the disk or raise store.quota_mb ({why})",
    ),
    "store.error.reserve": (
        "{file}：数据库已满，只剩结束充装用的余量；请清理磁盘或增大 store.quota_mb",
        (
            "{file}: the store is full: only the reserve for open fills is left; free the disk or raise "
            "store.quota_mb"
        ),
    ),
    "store.error.locked": (
        "{file}：数据库被另一个进程锁住；请结束占用它的备份、导入或 SQL 工具（{why}）",
        (
            "{file}: the store is locked by another process; end the backup, import or SQL shell that "
            "holds it ({why})"
        ),
    ),
    "store.error.read_only": (
        "{file}：数据库只读；请让 gatewayd 的用户可以写入（{why}）",
        "{file}: the store is read-only; give the user of gatewayd write access to it ({why})",
    ),
    "store.error.not_opened": (
        "{file}：数据库打不开；请检查目录及其所属用户是否为 gatewayd（{why}）",
        "{file}: the store cannot be opened; check the folder and that its user is gatewayd's ({why})",
    ),
    "store.error.disk": (
        "{file}：数据库无法读写；请检查磁盘和系统日志（{why}）",
        "{file}: the store cannot be read or written; check the disk and the kernel log ({why})",
    ),
    "store.error.backup_in_place": (
        (
            "{file}：这是直接复制到数据库位置的备份；请移到别处，再用 gatewayd restore 文件 --by 姓名，"
            "以免编号重复使用"
        ),
        (
            "{file}: a backup that was copied into the place of the store; move it elsewhere, then "
            "`gatewayd restore FILE --by NAME`, which lets no number be used twice"
        ),
    ),
    "store.error.no_backup": (
        (
            "{file}：不是完好的备份（{why}）；没有改动任何内容。请换一个备份；损坏的文件中剩余的内容可用 "
            "gatewayd records salvage 文件 读出"
        ),
        (
            "{file}: no sound backup ({why}); nothing was changed. Give another one; what is left in a "
            "damaged file `gatewayd records salvage FILE` reads"
        ),
    ),
    "store.error.itself": (
        "{file}：这就是数据库本身；请给出它的备份",
        "{file}: that is the store itself; give a backup of it",
    ),
    "store.error.exists": (
        "{file}：已存在；请换一个名称",
        "{file}: exists already; give another name",
    ),
    "store.error.folder": (
        "{file}：已存在；请换一个目录",
        "{file}: exists already; give another folder",
    ),
    "store.error.room": (
        "{file}：磁盘容不下第二个数据库文件：需要 {need} MB，只有 {free} MB；请在 {folder} 腾出空间后重试",
        (
            "{file}: the disk has no room for a second file beside the store: {need} MB must be free, "
            "{free} MB are; free some space on {folder}, then try again"
        ),
    ),
    "store.error.unwritable": ("{file}：无法写入：{why}", "{file}: cannot be written: {why}"),
    "store.error.no_store": (
        "{file}：是 SQLite 文件，但不是 gatewayd 的数据库；请给出正确的文件，或更正 store.path",
        "{file}: a SQLite file, but no gatewayd store; give the right file, or correct store.path",
    ),
    "store.error.newer": (
        (
            "{file}：由更新版本的 gatewayd 写成（格式 {theirs}，本版本只认识 {ours}）；请重新安装该版本，"
            "或恢复升级之前的备份"
        ),
        (
            "{file}: written by a newer gatewayd (schema {theirs}, this one knows {ours}); install that "
            "version again or restore the backup from before it"
        ),
    ),
    "store.error.older": (
        "{file}：由较早版本的 gatewayd 写成（格式 {theirs}，本版本为 {ours}）；gatewayd run 或 import 会升级它",
        (
            "{file}: written by an older gatewayd (schema {theirs}, this one knows {ours}); `gatewayd run` "
            "or `import` brings it up to date"
        ),
    ),
    "store.error.station": (
        "{file}：这是充装站 {owner} 的数据库，配置为 {station}；请更正 station.id，或移走该文件以建立空库",
        (
            "{file}: the store belongs to station {owner}, the config says {station}; correct station.id, "
            "or move the store aside to start an empty one"
        ),
    ),
}
"""Errors of the store; their English is how `store` says them, so it is exact."""

FOLDER: Final[dict[str, tuple[str, str]]] = {
    "config.error.no_directory": (
        "{wanted}：没有这个配置目录；请用 -c 目录 指明",
        "{wanted}:0:0: no such config directory; expected a folder; use -c DIR",
    ),
}
"""What is wrong before anything is read."""

ERRORS_SAID: Final = FOLDER | PROBLEMS | ERRORS
