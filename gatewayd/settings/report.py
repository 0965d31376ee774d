"""Everything wrong with a configuration, collected over all files before anything is refused."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gatewayd.errors import ConfigError
from protocols.documents import Mark, Problem


class ConfigProblemsError(ConfigError):
    """The configuration is wrong; `problems` lists all of it, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        assert self.problems
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(slots=True)
class Report:
    """Problems stop the daemon, warnings only speak. One value gets one complaint of its cause."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    _blamed: set[Mark] = field(default_factory=set)

    def problem(self, mark: Mark, what: str, expected: str = "", hint: str = "") -> None:
        """Add one mistake."""
        self.problems.append(Problem(mark, what, expected, hint))

    def warn(self, mark: Mark, what: str, expected: str = "", hint: str = "") -> None:
        """Add one piece of advice."""
        self.warnings.append(Problem(mark, what, expected, hint))

    def blame(self, problems: Iterable[Problem]) -> None:
        """Add mistakes whose value became unusable: what follows from it is not told again."""
        for problem in problems:
            self.problems.append(problem)
            self._blamed.add(problem.mark)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Add mistakes, except those at a place already blamed."""
        self.problems += [p for p in problems if p.mark not in self._blamed]
