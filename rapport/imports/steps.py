"""Where an import stands, and what may be done to it there."""

from __future__ import annotations

from django.utils.translation import gettext as _

from rapport.models import ImportFile


class NotNow(ValueError):
    """The import is not in a state for this; the message is for people."""


def require_state(upload: ImportFile, *states: str) -> None:
    """Raise NotNow unless `upload` is in one of `states` and nothing of it is written."""
    if upload.operation_id is not None or upload.state not in states:
        raise NotNow(_("This import is %(state)s.") % {"state": upload.get_state_display().lower()})


def hold(upload: ImportFile, *states: str) -> None:
    """Lock the file, and the archive that it is from. Within a transaction. Raises NotNow unless
    both are in one of `states` and nothing of them is written."""
    for one in (upload.parent, upload):
        if one is not None:
            lock(one)
            require_state(one, *states)


def lock(upload: ImportFile) -> None:
    """Two clicks on the same button are one: the second waits and finds another state. Within a
    transaction."""
    kept = ImportFile.objects.select_for_update(of=("self",)).get(pk=upload.pk)
    upload.state, upload.operation_id = kept.state, kept.operation_id
