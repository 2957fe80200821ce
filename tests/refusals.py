"""What an action says against what it is asked."""

import pytest

from rapport.actions.records import InvalidRecord


def errors(call, *arguments, **options):
    """Names of the fields that the action refuses, '' for the whole record."""
    with pytest.raises(InvalidRecord) as caught:
        call(*arguments, **options)
    return sorted(caught.value.errors)
