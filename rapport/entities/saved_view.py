"""Personal views are records: owned, shareable, journalled, restorable."""

from django.utils.translation import gettext_lazy as _

from rapport.meta.entity import Entity, Section, View
from rapport.meta.registry import registry
from rapport.models import SavedView

from .names import WIRE_OWNED

registry.add(
    Entity(
        model=SavedView,
        name="saved_view",
        label=_("Personal view"),
        label_plural=_("Personal views"),
        icon="list-checks",
        wire_name="userquery",
        wire_set="userqueries",
        code=4230,
        title="name",
        columns=("name", "entity", "modified_at", "owner"),
        sections=(
            Section(label=_("View"), fields=("name", "entity", "owner")),
            Section(label=_("Definition"), fields=("definition",), tab="details"),
        ),
        wire={
            **WIRE_OWNED,
            "name": "name",
            "entity": "returnedtypecode",
            "definition": "layoutjson",
        },
        views=(View(key="all", label=_("Personal views"), default=True),),
        importable=False,
        in_search=False,
    )
)
