"""The codes of one check form that are worth printing: what `reception` takes from a scanner. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from gatewayd.rigs.cards import PREFIX
from gatewayd.settings.checks import ChoiceItem, FormSettings, Item, NumberItem, YesNoItem
from rules_engine.verdict import Message

LOGOUT = f"{PREFIX}LOGOUT"
ALL_GOOD = Message("全部合格", "every item is in order")
LOG_OUT = Message("退出登录", "log out")
_YES_NO = {"yes": Message("是", "yes"), "no": Message("否", "no")}


@dataclass(frozen=True, slots=True)
class PrintedCode:
    """One code: `text` is scanned, `asks` is the question (None = the whole form), `says` the answer.

    `good` is whether it speaks for the cylinder; None = about neither.
    """

    text: str
    says: Message
    asks: Message | None = None
    good: bool | None = None


def printed_codes(name: str, form: FormSettings) -> tuple[PrintedCode, ...]:
    """Everything in order, then each answer that fails the check, then the end of the shift.

    Empty when the form does not take codes. A number is read off and typed in: it has no code.
    """
    if not form.device:
        return ()
    good = PrintedCode(f"{PREFIX}CHECK:{name}:OK", ALL_GOOD, good=True)
    failing = (code for item in form.items for code in _failing(name, item))
    return (*((good,) if form.by_codes() else ()), *failing, PrintedCode(LOGOUT, LOG_OUT))


def unprinted(form: FormSettings) -> tuple[Message, ...]:
    """The questions that no printed code answers: numbers."""
    return tuple(_asked(item) for item in form.items if isinstance(item, NumberItem))


def _failing(name: str, item: Item) -> Iterator[PrintedCode]:
    for answer, says in _answers(item):
        if item.blocked(answer):
            text = f"{PREFIX}CHECK:{name}:{item.id}:{answer}"
            yield PrintedCode(text, says, _asked(item), good=False)


def _answers(item: Item) -> Iterator[tuple[str, Message]]:
    if isinstance(item, YesNoItem):
        yield from _YES_NO.items()
    elif isinstance(item, ChoiceItem):
        for choice in item.choices:
            yield choice.id, Message(choice.text.zh, choice.text.en)


def _asked(item: Item) -> Message:
    return Message(item.text.zh, item.text.en)
