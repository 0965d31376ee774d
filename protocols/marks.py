"""What is wrong and where, for every file a person writes: `file:line:column: what; expected; hint`."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file; line and column count from 1, 0 means the file as a whole."""

    origin: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """`file:line:column`, as compilers print it."""
        return f"{self.origin}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: where, what is wrong, what was expected, and a hint (may be empty)."""

    mark: Mark
    what: str
    expected: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """`file:line:column: what is wrong; what was expected; hint`."""
        return f"{self.mark}: " + "; ".join(t for t in (self.what, self.expected, self.hint) if t)


class DocumentError(Exception):
    """A text is not what it should be; `problems` lists all of it, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        assert self.problems
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest_hint(wrong: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?` when something known is near, else empty."""
    close = difflib.get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""
