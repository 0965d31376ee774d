"""A planted fault: one small wrong line in the safety path, as data, and how it gets into a copy."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path


class UnfitError(Exception):
    """A plant that the code has outgrown: its old text is not there, or not once."""


@dataclass(frozen=True, slots=True)
class Plant:
    """`old` is in `file` exactly once and becomes `new`; `harm`: what that would do to a person.

    `tests` are what must catch it, as pytest takes them, run in this order until one fails.
    `simulated`: it lies in what the simulated histories live through, so that they are asked, too.
    """

    name: str
    harm: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    simulated: bool = True

    def grown(self, root: Path) -> str:
        """The text of its file with the plant in it. Raises UnfitError."""
        file = root / self.file
        if not file.is_file():
            raise UnfitError(f"{self.name}: there is no {self.file} any more; move the plant")
        text = file.read_text(encoding="utf-8")
        found = text.count(self.old)
        if found != 1 or self.old == self.new:
            raise UnfitError(
                f"{self.name}: its old text is in {self.file} {found} times; expected once, and "
                "another new one: look at what became of that line and plant it anew"
            )
        return text.replace(self.old, self.new)

    def put(self, root: Path) -> None:
        """Put it into the tree at `root`: a copy, never the work tree. Raises UnfitError."""
        (root / self.file).write_text(self.grown(root), encoding="utf-8")


def by_name(plants: tuple[Plant, ...]) -> dict[str, Plant]:
    """Every plant under its name; a name that is given twice is our error."""
    twice = [name for name, times in Counter(each.name for each in plants).items() if times > 1]
    assert not twice, twice
    return {each.name: each for each in plants}
