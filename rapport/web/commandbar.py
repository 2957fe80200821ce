"""What `ui/commandbar.html` and `ui/menu.html` show, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapport.meta.columns import Label


@dataclass(slots=True, kw_only=True)
class Item:
    """A command of the bar, or an item of a menu: the templates say what each attribute does.
    All of them are there, because a template pays for each that is missing."""

    label: Label = ""
    url: str = ""
    icon: str = ""
    tone: str = ""
    key: str = ""
    when: str = ""
    form: str = ""
    submit: str = ""
    name: str = ""
    value: str = ""
    confirm: str = ""
    hint: str = ""
    title: Label = ""
    id: str = ""
    menu: Sequence[Item] = ()
    dialog: bool = False
    post: bool = False
    keep: bool = False
    icon_only: bool = False
    flip: bool = False
    line: bool = False
    current: bool = False


LINE = Item(line=True)
