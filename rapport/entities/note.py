"""Note: something that somebody wrote down about a record."""

from django.utils.translation import gettext_lazy as _

from rapport.actions import activities
from rapport.meta.entity import Entity, Section, View
from rapport.meta.field import Pointer
from rapport.meta.registry import registry
from rapport.models import Note

from .names import WIRE_OWNED

registry.add(
    Entity(
        model=Note,
        name="note",
        label=_("Note"),
        label_plural=_("Notes"),
        icon="sticky-note",
        wire_name="annotation",
        wire_set="annotations",
        code=5,
        title="subject",
        columns=("subject", "regarding", "occurred_at", "owner"),
        quick=("subject", "text", "regarding"),
        sections=(
            Section(label=_("Note"), fields=("subject", "text", "regarding", "pinned", "owner")),
            Section(label=_("More"), fields=("occurred_at", "account"), tab="details"),
        ),
        search=("subject", "text"),
        pointers={
            "regarding": Pointer(
                label=_("Regarding"),
                targets=("account", "contact", "lead", "opportunity", "task", "phone_call",
                         "appointment", "email"),
            )
        },
        wire={
            **WIRE_OWNED,
            "subject": "subject",
            "text": "notetext",
            "regarding": "objectid",
            "pinned": "ispinned",
        },
        views=(
            View(
                key="my",
                label=_("My Notes"),
                where=(("owner", "me", None),),
                order=("-occurred_at",),
                default=True,
            ),
            View(key="all", label=_("All Notes"), order=("-occurred_at",)),
        ),
        prepare=activities.prepare_notes,
    )
)  # fmt: skip
