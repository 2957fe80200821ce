"""Personal views: a query with a name."""

from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import LongTextColumn, TextColumn

from .record import OwnedRecord


class SavedView(OwnedRecord):
    """A personal view of `entity`. `definition` is the JSON of a `queries.query.Query`."""

    name = TextColumn(_("Name"), 200, required=True)
    entity = TextColumn(_("Entity"), 32, required=True)
    definition = LongTextColumn(_("Definition"), 50_000)

    def __str__(self) -> str:
        return self.name
