"""Options that the organisation adds to choice lists."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import NumberColumn, TextColumn
from rapport.meta.options import FIRST, LAST

from .record import Record


class ChoiceOption(Record):
    """One more option of a choice list that ships. An inactive one is not offered any more; records
    that have it keep it."""

    list_name = TextColumn(_("Choice list"), 40, required=True)
    label = TextColumn(_("Label"), 100, required=True)
    value = NumberColumn(_("Number"), minimum=FIRST, maximum=LAST, null=False, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["list_name", "value"], name="one_option_value")
        ]

    def __str__(self) -> str:
        return self.label
