"""What this room says to people: messages that a page can translate, and the one exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


def gettext_noop(message: str) -> str:
    """Mark a message for translation. Named as Django's marker, so that makemessages finds it."""
    return message


@dataclass(frozen=True)
class Message:
    """An English template and its values; a page writes `gettext(m.template) % m.values`."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template % self.values if self.values else self.template


class FileRefused(Exception):
    """A file that cannot be read at all: nothing of it is taken.

    `code` is for programs ("empty", "encrypted", "damaged" ...), `reason` and `remedy` for people.
    """

    def __init__(self, code: str, reason: str, remedy: str, **values: object) -> None:
        self.code = code
        self.reason = Message(reason, values)
        self.remedy = Message(remedy, values)
        super().__init__(f"{self.reason} {self.remedy}")


def empty() -> FileRefused:
    return FileRefused(
        "empty",
        gettext_noop("There is no data in this file."),
        gettext_noop("Choose a file with a header row and at least one record."),
    )


def damaged(detail: object) -> FileRefused:
    return FileRefused(
        "damaged",
        gettext_noop("The file is damaged and cannot be read (%(detail)s)."),
        gettext_noop(
            "Open it in the program that it comes from, save it again, and try once more."
        ),
        detail=str(detail)[:300],
    )
