"""Options that a choice list lacks, made because a person asked for them in the mapping."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext as _

from rapport.access import Actor, Forbidden
from rapport.actions.options import add_option
from rapport.actions.records import InvalidRecord

from . import parts
from .mapping import Mapping, MappingRefused

# A cell that means this becomes an option of its own name.
NEW = "+"


def make(mapping: Mapping, *, by: Actor) -> Mapping:
    """`mapping` with an option for each cell that means NEW. Raises MappingRefused."""
    if not any(NEW in target.values.values() for target in mapping.columns.values()):
        return mapping
    columns = dict(mapping.columns)
    with transaction.atomic():
        for index, target in mapping.columns.items():
            found = parts.field_of(mapping.entity, target.field)
            wanted = [text for text, option in target.values.items() if option == NEW]
            if not wanted:
                continue
            if found is None or not found.grows:
                raise MappingRefused(_("Options cannot be added to this list."))
            made = _made(found.grows, wanted, by)
            columns[index] = replace(target, values={**target.values, **made})
    return replace(mapping, columns=columns)


def without(mapping: Mapping) -> Mapping:
    """`mapping` as it is before anything is made: such cells are left blank."""
    columns = {
        index: replace(
            target, values={cell: "" if o == NEW else o for cell, o in target.values.items()}
        )
        for index, target in mapping.columns.items()
    }
    return replace(mapping, columns=columns)


def _made(list_name: str, labels: list[str], by: Actor) -> MappingType[str, str]:
    """The number of a new option by its label: an option may be called otherwise later."""
    try:
        return {label: str(add_option(list_name, label, by=by)) for label in labels}
    except Forbidden:
        raise MappingRefused(_("Only administrators add options to choice lists.")) from None
    except InvalidRecord as error:
        raise MappingRefused(error.complaints) from None
