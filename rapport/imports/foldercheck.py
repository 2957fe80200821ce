"""Whether the import folder can be used, for who runs Rapport."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from django.conf import settings

from rapport.models import ImportRecipe

from .folders import NoFolder, folder_of


class Fault(ValueError):
    """What is wrong with a folder; for who runs Rapport. `works`: files are taken all the same."""

    def __init__(self, message: str, *, works: bool = False) -> None:
        super().__init__(message)
        self.works = works


def state() -> str:
    """What the import folder is like, in a few words. Raises Fault when nothing can be taken from
    it."""
    path = Path(settings.IMPORT_FOLDER)
    facts = _usable(path)
    recipes = list(ImportRecipe.objects.exclude(folder="").order_by("folder"))
    for recipe in recipes:
        own = path / recipe.folder
        try:
            # Those of which nobody has made use yet are made when files are looked for.
            if own.exists():
                _usable(folder_of(recipe.folder))
        except NoFolder as error:
            message = f"{error}, and is not followed (recipe “{recipe.name}”)"
            raise Fault(message) from error
    if facts.st_mode & stat.S_IWOTH:
        message = (
            "everybody on this machine may put files there, and recipes import them: chmod o-w"
        )
        raise Fault(f"{path} {_owner(facts)}: {message}", works=True)
    some = "1 recipe has" if len(recipes) == 1 else f"{len(recipes)} recipes have"
    watched = f"{some} a folder in it" if recipes else "no recipe uses it"
    return f"{path} {_owner(facts)}: {watched}"


def _usable(path: Path) -> os.stat_result:
    try:
        facts = path.stat()
    except FileNotFoundError as error:
        message = f"{path} does not exist: make it, or correct RAPPORT_IMPORT_FOLDER"
        raise Fault(message) from error
    except OSError as error:
        raise Fault(f"{path} cannot be looked at: {error.strerror}") from error
    if not stat.S_ISDIR(facts.st_mode):
        raise Fault(f"{path} is no folder")
    missing = [
        what
        for what, mode in (("read", os.R_OK), ("written to", os.W_OK), ("entered", os.X_OK))
        if not os.access(path, mode)
    ]
    if missing:
        can = " or ".join(missing)
        user = _name_of(os.geteuid()) if hasattr(os, "geteuid") else "this user"
        raise Fault(f"{path} cannot be {can} by {user} {_owner(facts)}")
    return facts


def _owner(facts: os.stat_result) -> str:
    return f"(owner {_name_of(facts.st_uid)}, {stat.filemode(facts.st_mode)})"


def _name_of(uid: int) -> str:
    """Whom a number of a user means, where the system has names."""
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return f"user {uid}"
