"""What the desk and the card reader say, (zh, en) by key; a part of the catalogue in `texts.py`."""

from typing import Final

DESK: Final[dict[str, tuple[str, str]]] = {
    "desk.no_rig": (
        "没有工位 {rig}；工位：{known}",
        "there is no rig {rig}; rigs: {known}",
    ),
    "desk.store_unavailable": (
        "数据库无法写入，未作任何更改；请检查磁盘空间后重试",
        "the store cannot be written, nothing was changed; check disk space and try again",
    ),
    "desk.not_asked": (
        "工位 {rig} 没有设置 operator，不需要登录",
        "rig {rig} has no operator in its file, nobody logs in there",
    ),
    "desk.unknown_card": (
        "卡 {card} 不在人员名册中；请在名册中登记该卡后再刷",
        "card {card} is not in the list of operators; add it there, then show it again",
    ),
    "desk.card_is_cylinder": (
        "{card} 既登记为人员卡，又是气瓶标签；请更正名册或气瓶档案",
        "{card} is listed as a card and is the tag of a cylinder; correct one of the two lists",
    ),
    "desk.unknown_operator": (
        "人员 {operator} 不在名册中",
        "operator {operator} is not in the list of operators",
    ),
    "desk.barred": (
        "{operator} 已停用，不能登录",
        "{operator} is no longer active and cannot log in",
    ),
    "desk.nobody_logged_in": (
        "工位 {rig} 没有人员登录；请先刷卡或扫码登录",
        "nobody is logged in at rig {rig}; log in with a card or a code first",
    ),
    "desk.no_form": (
        "没有检查表 {form}；检查表：{known}",
        "there is no check form {form}; forms: {known}",
    ),
    "desk.not_this_form": (
        "工位 {rig} 不使用检查表 {form}；使用：{known}",
        "rig {rig} does not use check form {form}; it uses: {known}",
    ),
    "desk.no_cylinder": (
        "工位 {rig} 上没有已识别的气瓶；请先放置并识别气瓶，或指明气瓶编码",
        "no known cylinder stands at rig {rig}; put it on and let it be read, or name its code",
    ),
    "desk.unknown_cylinder": (
        "气瓶 {cylinder} 不在档案中",
        "cylinder {cylinder} is not in the archive",
    ),
    "desk.no_batch": (
        "工位 {rig} 没有打开的批次；此检查表按批次填写，请先开批",
        "no batch is open at rig {rig}; this form belongs to a batch, open one first",
    ),
    "desk.no_fill": (
        "没有等待充装后检查的充装记录（工位 {rig}）",
        "no fill of rig {rig} waits for its post-fill check",
    ),
    "desk.unknown_item": (
        "检查表中没有 {item}；检查项：{known}",
        "the form has no item {item}; items: {known}",
    ),
    "desk.bad_answer": (
        "检查项 {item} 的答案 {answer} 无效；可填：{expected}",
        "{answer} is no answer to item {item}; expected {expected}",
    ),
    "desk.unanswered": (
        "还有检查项未填：{items}",
        "items without an answer: {items}",
    ),
    "desk.may_not_answer": (
        "{operator} 无权填写（要求：{roles}）；请由有资格的人员填写",
        "{operator} may not answer this (it takes: {roles}); have someone answer who may",
    ),
    "desk.not_by_code": (
        "检查表 {form} 不能用扫码回答；请在页面上逐项填写",
        "form {form} cannot be answered by a printed code; answer its items on the page",
    ),
    "desk.bad_code": (
        "无法识别的指令码 {scanned}；请重新扫描或重新打印",
        "{scanned} is no code of this station; scan again, or print it anew",
    ),
    "desk.shared_device": (
        "{device} 为多个工位共用，扫码无法确定工位；请在页面上填写",
        "{device} serves several rigs, so a code does not say which; answer on the page",
    ),
    "desk.bad_batch": (
        "批次号 {number} 无效；最多 64 个字符，不含空格和 / + #",
        "{number} is no batch number; up to 64 characters without blanks and / + #",
    ),
    "desk.automatic_batch": (
        "工位 {rig} 按模板自动编批次，不能手动开批或关批",
        "rig {rig} numbers its batches by itself; they cannot be opened or closed by hand",
    ),
    "desk.no_open_batch": (
        "工位 {rig} 没有打开的批次",
        "no batch is open at rig {rig}",
    ),
    "desk.batch_open": (
        "工位 {rig} 的批次 {number} 已经打开",
        "batch {number} is open at rig {rig} already",
    ),
    "desk.other_batch": (
        "工位 {rig} 打开的是批次 {number}",
        "the batch that is open at rig {rig} is {number}",
    ),
    "desk.nothing_refused": (
        "工位 {rig} 当前没有被拒绝的气瓶",
        "no cylinder stands refused at rig {rig}",
    ),
}
"""Refusals of the desk."""

WAITING: Final[dict[str, tuple[str, str]]] = {
    "finding.postcheck_open": (
        "本工位充装的气瓶 {cylinder} 尚未做充装后检查；请先完成该检查，再充装下一瓶",
        "cylinder {cylinder} was filled here and its post-fill check is open; do it, then fill the next",
    ),
    "rig.leaked": (
        "秤上多出 {leaked_g} g，累计量未变：阀门内漏或秤漂移",
        "{leaked_g} g more on the scale, the totaliser stands still: the valve leaks, or the scale drifts",
    ),
    "rig.beyond": (
        "充装后又无许可进入 {gas_g} g",
        "{gas_g} g without a permit after its fill",
    ),
    "finding.voucher_pending": (
        "正在向监管平台 {upstream} 申请充装凭证，最多 {within_s} 秒；请稍候",
        "the platform {upstream} is asked for a fill voucher, for {within_s} s at most; wait",
    ),
    "finding.voucher_invalid": (
        "监管平台：{reason}；没有有效的充装凭证，不得充装",
        "the platform says: {reason}; without a valid voucher nothing is filled",
    ),
    "finding.of_platform": (
        "监管平台拒绝：{reason}；请到平台核对该气瓶",
        "the platform refuses: {reason}; put the cylinder right there",
    ),
    "finding.voucher_offline": (
        "监管平台没有答复（{reason}），按本站书面决定继续充装至 {until}：{because}；批准人 {approved_by}",
        "the platform is silent ({reason}); {approved_by} lets fills go on to {until}: {because}",
    ),
    "finding.tag_memory_pending": (
        "标签存储区在规定时间内没有读到；请把读写器贴近标签、不要晃动，取下气瓶后重新放上",
        "the tag's memory was not read in time; hold the reader close, take the cylinder off and on",
    ),
    "finding.tag_memory_no_tag": (
        "没有读到标签，无法核对其中有无监察结论；请把读写器对准标签，取下气瓶后重新放上",
        "no tag was read, so nobody knows what it holds; aim the reader, take the cylinder off and on",
    ),
    "finding.tag_memory_unread": (
        "标签存储区读不出（{why}）；请擦净标签、贴近读写器后重新放上；仍读不出请更换标签",
        "the tag's memory cannot be read ({why}); clean the tag, come close, or have it replaced",
    ),
    "finding.tag_memory_not_of_layout": (
        "标签内容与配置的格式不符（{why}）；不得充装，请隔离该气瓶并核对标签和 tags/*.yaml",
        "the tag is not of its layout ({why}); set it aside, compare the tag with tags/*.yaml",
    ),
    "finding.tag_memory_untold": (
        "标签存储区的内容未知；请在工位上读取标签",
        "what the tag's memory holds is not known; read the tag at the rig",
    ),
    "finding.tag_finding": (
        "监察人员在标签中写入：{finding}；不得充装，请联系监管部门",
        "an inspector wrote into the tag: {finding}; do not fill, contact the regulator",
    ),
    "waiting.voucher": (
        "等待监管平台的充装凭证",
        "waiting for the platform's fill voucher",
    ),
    "waiting.operator": (
        "等待充装人员刷卡或扫码登录",
        "waiting for an operator to log in with a card or a code",
    ),
    "waiting.precheck": (
        "等待充装前检查（{form}）",
        "waiting for the pre-fill check ({form})",
    ),
    "waiting.postcheck": (
        "等待气瓶 {cylinder} 的充装后检查（{form}）",
        "waiting for the post-fill check of cylinder {cylinder} ({form})",
    ),
}
"""What a rig waits for, and what it still owes."""
