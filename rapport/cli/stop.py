"""How a command ends early."""


class Stop(Exception):
    """End with this message and exit code."""

    def __init__(self, message: str, code: int = 1):
        self.code = code
        super().__init__(message)
