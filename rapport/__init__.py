"""Rapport: the accounts, contacts and leads of a sales team in one place."""

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    # Read on demand: importing the package must cost nothing.
    if name == "__version__":
        from importlib.metadata import version  # 20 ms that few callers need

        return version("rapport-crm")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
