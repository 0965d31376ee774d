"""How a platform says no to what was sent, over whatever wire."""


class RefusedError(Exception):
    """It does not take this now; `permanent`: it never will take it as it is."""

    def __init__(self, why: str, *, permanent: bool = False) -> None:
        super().__init__(why)
        self.permanent = permanent
