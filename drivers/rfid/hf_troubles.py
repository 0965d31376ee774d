"""What HF readers show that a person can put right; the general ones are in `drivers.troubles`."""

from drivers.contract import Trouble


def uid_backwards(uid: str, uid_order: str) -> Trouble:
    """An ISO 15693 UID that ends with E0 instead of starting with it."""
    return Trouble(
        "uid_reversed",
        zh=f"标签号 {uid} 以 E0 结尾，字节顺序反了；请设置 uid_order: {uid_order}",
        en=f"tag {uid} ends with E0, its bytes are in reverse; set uid_order: {uid_order}",
    )


def collided() -> Trouble:
    """Tags that answered at the same moment: the reader cannot tell them apart."""
    return Trouble(
        "several_tags",
        zh="多个标签同时应答，读写器无法区分；请移开其他气瓶，只留一个标签",
        en="several tags answered at once and the reader cannot tell them apart; leave one tag in "
        "the field",
    )


def random_uid(uid: str) -> Trouble:
    """A card or phone that makes up another UID at every contact names nothing."""
    return Trouble(
        "random_uid",
        zh=f"{uid} 是随机编号（手机或银行卡），每次都不同，不能识别气瓶；请移开",
        en=f"{uid} is made up for this contact (a phone or bank card) and names no cylinder; take "
        "it away",
    )
