"""The `rapport` command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .parser import parser
from .stop import Stop

__all__ = ["main"]

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code: 0, 1 when it failed, 2 when it was asked wrongly."""
    args = parser().parse_args(arguments)
    try:
        if args.needs_django:
            _set_up()
        if "makes_database" in args:
            from .prepare import require_database

            require_database()
        if "as_user" in args:
            from .people import acting

            args.by = acting(args.as_user)
        return _function(args.run)(args) or 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough; nothing more can be said to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Stop as stop:
        return _complain(args.command, str(stop), stop.code)
    except Exception as error:
        if os.environ.get("RAPPORT_DEBUG") == "1":
            raise
        return _complain(args.command, _in_words(error), 1)


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.settings")
    import django  # only what needs it waits for it

    django.setup()


def _function(path: str):  # type: ignore[no-untyped-def]
    """The function "module:name": rooms on this floor do not import each other."""
    import importlib

    module, _colon, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name and module.startswith(error.name):
            raise Stop("this command is not part of this installation") from None
        raise


def _complain(command: str, message: str, code: int) -> int:
    print(f"rapport {command}: {message}", file=sys.stderr)
    return code


def _in_words(error: Exception) -> str:
    """One line about an error that nobody foresaw."""
    text = " ".join(str(error).split())
    kind = type(error).__name__
    if kind in {"OperationalError", "ProgrammingError"}:
        if "no such table" in text or "does not exist" in text or "no such column" in text:
            return f"the database is not ready ({text}); run: rapport migrate"
        return f"the database does not answer: {text}"
    if kind in {"OSError", "PermissionError", "FileNotFoundError"} or not text:
        return text or kind
    # A sentence is for people; anything shorter needs to say what went wrong at all.
    return text if " " in text else f"{kind}: {text}"
