"""Model field types that say more than Django's own: the model stays the source of types."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.utils.functional import Promise

Label = str | Promise
# What Django asks of a field for a migration: name, import path, arguments.
Deconstructed = tuple[str, str, Sequence[Any], dict[str, Any]]


class TextColumn(models.CharField):
    """One line of text; empty is '', never NULL."""

    def __init__(
        self, label: Label = "", length: int = 100, *, required: bool = False, **kwargs: Any
    ):
        kwargs.setdefault("blank", not required)
        kwargs.setdefault("default", "")
        kwargs.setdefault("max_length", length)
        kwargs.setdefault("verbose_name", label)
        super().__init__(**kwargs)

    def deconstruct(self) -> Deconstructed:
        name, path, args, kwargs = super().deconstruct()
        kwargs.setdefault("default", "")
        kwargs.setdefault("blank", False)
        return name, path, args, kwargs


class SortColumn(TextColumn):
    """Text to sort by: in the order of code points, whatever language the database was made for."""

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"  # SQLite's own order is this one
        return parameters


class EmailColumn(TextColumn):
    """An e-mail address."""


class PhoneColumn(TextColumn):
    """A phone number, kept as people write it."""


class UrlColumn(TextColumn):
    """A web address; shown as a link only when http or https."""


class LongTextColumn(models.TextField):
    """Text of several lines, at most `length` characters."""

    def __init__(self, label: Label = "", length: int = 2000, **kwargs: Any):
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        kwargs.setdefault("max_length", length)
        kwargs.setdefault("verbose_name", label)
        super().__init__(**kwargs)

    def deconstruct(self) -> Deconstructed:
        name, path, args, kwargs = super().deconstruct()
        kwargs.setdefault("default", "")
        return name, path, args, kwargs


class ChoiceColumn(models.SmallIntegerField):
    """A number out of an `IntegerChoices`; NULL is 'not said'. `grows`: the name of the list, when
    an organisation may add options to it."""

    def __init__(
        self,
        label: Label = "",
        options: type[models.IntegerChoices] | None = None,
        grows: str = "",
        **kwargs: Any,
    ):
        self.grows = grows
        if options is not None:
            kwargs["choices"] = options.choices
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("verbose_name", label)
        super().__init__(**kwargs)

    def deconstruct(self) -> Deconstructed:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("choices", None)  # labels are not schema: a new one needs no migration
        kwargs["null"] = self.null
        return name, path, args, kwargs


class NumberColumn(models.IntegerField):
    """A whole number within `minimum` and `maximum`."""

    def __init__(
        self, label: Label = "", *, minimum: int = 0, maximum: int = 1_000_000_000, **kwargs: Any
    ):
        self.minimum, self.maximum = minimum, maximum
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("verbose_name", label)
        super().__init__(**kwargs)

    def deconstruct(self) -> Deconstructed:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "minimum": self.minimum, "maximum": self.maximum}


class MoneyColumn(models.DecimalField):
    """An amount: at most 15 digits, 2 decimals, so that both databases keep every digit."""

    def __init__(self, label: Label = "", *, minimum: int = 0, **kwargs: Any):
        self.minimum = minimum
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("max_digits", 15)
        kwargs.setdefault("decimal_places", 2)
        kwargs.setdefault("verbose_name", label)
        super().__init__(**kwargs)

    def deconstruct(self) -> Deconstructed:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "minimum": self.minimum}


class DateColumn(models.DateField):
    """A day, without time or zone."""

    def __init__(self, label: Label = "", **kwargs: Any):
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("verbose_name", label)
        super().__init__(**kwargs)


class InstantColumn(models.DateTimeField):
    """A moment in UTC, shown in the viewer's zone."""

    def __init__(self, label: Label = "", **kwargs: Any):
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("verbose_name", label)
        super().__init__(**kwargs)


class YesNoColumn(models.BooleanField):
    """Yes or no; never NULL."""

    def __init__(self, label: Label = "", **kwargs: Any):
        kwargs.setdefault("default", False)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("verbose_name", label)
        super().__init__(**kwargs)


class Link(models.ForeignKey):
    """A look-up. `on_delete` is also what our own deletion does: PROTECT refuses, CASCADE takes
    the row along, SET_NULL unlinks it; all three are journalled."""

    def __init__(self, label: Label = "", to: Any = None, **kwargs: Any):
        if label != "":
            kwargs.setdefault("verbose_name", label)
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", kwargs["null"])
        # Mostly empty links get an index of their filled rows only (see `models.record`).
        kwargs.setdefault("db_index", not kwargs["null"])
        kwargs.setdefault("on_delete", models.SET_NULL)
        kwargs.setdefault("related_name", "+")
        super().__init__(to=to, **kwargs)
