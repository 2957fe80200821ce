"""What every record has: key, state, version, who and when, and derived sort and search text."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import ChoiceColumn, InstantColumn, LongTextColumn, SortColumn
from rapport.meta.folding import SORT_LENGTH
from rapport.meta.ids import new_id
from rapport.meta.states import States, Status

ACTIVE_INACTIVE = States(
    states={0: _("Active"), 1: _("Inactive")},
    statuses=(
        Status(value=1, label=_("Active"), state=0, default=True, tone="ok"),
        Status(value=2, label=_("Inactive"), state=1, default=True),
    ),
    transitions=frozenset({(0, 1), (1, 0)}),
)


class Record(models.Model):
    """A row of any entity. Written by `actions.write` only, hence no `save` rules here."""

    STATES: ClassVar[States] = ACTIVE_INACTIVE

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    state = ChoiceColumn(_("Status"), null=False, default=0, editable=False)
    status = ChoiceColumn(_("Status reason"), null=False, default=1, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = InstantColumn(_("Created on"), null=False, editable=False)
    # No constraints on who: users stay, and PostgreSQL would look for them row by row.
    created_by = models.ForeignKey(
        "rapport.User",
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("Created by"),
    )
    modified_at = InstantColumn(_("Modified on"), null=False, editable=False)
    modified_by = models.ForeignKey(
        "rapport.User",
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("Modified by"),
    )
    sort_name = SortColumn("", SORT_LENGTH, editable=False)
    search_text = LongTextColumn("", 10_000, editable=False)

    class Meta:
        abstract = True


class OwnedRecord(Record):
    """A record that a user or a team owns; the unit is the owner's."""

    owner = models.ForeignKey(
        "rapport.Principal",
        models.PROTECT,
        related_name="+",
        verbose_name=_("Owner"),
        db_index=False,
    )
    # The owner has a constraint, and is of this unit with another one.
    owning_unit = models.ForeignKey(
        "rapport.BusinessUnit",
        models.PROTECT,
        related_name="+",
        editable=False,
        db_constraint=False,
        verbose_name=_("Owning business unit"),
    )

    class Meta:
        abstract = True


def list_indexes(name: str, *links: str, numbers: tuple[str, ...] = ()) -> list[models.Index]:
    """Indexes behind every list of an entity: all by name, by owner, last changed, and for each of
    `links` those that name the same record, by name. `numbers`: fields by which others know a
    record, found in any case.

    These and the links hold only rows that are filled: small, and SQLite's statistics of a mostly
    empty column would otherwise make it walk the whole table.
    """
    made = [
        models.Index(fields=["sort_name", "id"], name=f"{name}_by_name"),
        models.Index(fields=["modified_at", "id"], name=f"{name}_by_change"),
    ]
    made.append(models.Index(fields=["owner", "sort_name", "id"], name=f"{name}_by_owner"))
    for link in links:
        filled = models.Q(**{f"{link}__isnull": False})
        fields = [link, "sort_name", "id"]
        made.append(models.Index(fields=fields, condition=filled, name=f"{name}_{link}"[:30]))
    for number in numbers:
        said = ~models.Q(**{number: ""})
        made.append(models.Index(Lower(number), condition=said, name=f"{name}_{number}"[:30]))
    return made
