"""What an operation did, in words: one entry per kind of operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _, gettext_lazy, ngettext

from rapport.actions.undo import Undone
from rapport.meta.columns import Label
from rapport.meta.registry import registry
from rapport.models import Operation
from rapport.models.journal import ChangeVerb
from rapport.queries.history import Event, FieldChange

from .cells import cell_context

# So many changed fields are named in a sentence; more are counted.
NAMED_FIELDS = 2


CREATED = gettext_lazy("%(who)s created this record")
CHANGED = gettext_lazy("%(who)s changed %(fields)s")
DELETED = gettext_lazy("%(who)s deleted this record")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """`title` names the operation by itself; `along` tells what it did to records that followed its
    main one (the `master` of its parameters). The others tell, on the page of a record, what it did
    to that record: %(who)s, %(fields)s, %(name)s (of the new owner) and %(source)s can stand in
    them."""

    title: Label
    created: Label = CREATED
    changed: Label = CHANGED
    deleted: Label = DELETED
    along: Label = ""


SENTENCES: dict[str, Sentence] = {
    "create": Sentence(title=gettext_lazy("New record")),
    "update": Sentence(title=gettext_lazy("Change")),
    "repair": Sentence(
        title=gettext_lazy("Repair"),
        changed=gettext_lazy("%(who)s mended %(fields)s"),
    ),
    "delete": Sentence(title=gettext_lazy("Deletion")),
    "assign": Sentence(
        title=gettext_lazy("New owner"),
        changed=gettext_lazy("%(who)s gave this record to %(name)s"),
    ),
    "access": Sentence(title=gettext_lazy("Change of access")),
    "share": Sentence(title=gettext_lazy("Sharing")),
    "unshare": Sentence(title=gettext_lazy("End of sharing")),
    "restore": Sentence(
        title=gettext_lazy("Return from the recycle bin"),
        created=gettext_lazy("%(who)s brought this record back from the recycle bin"),
    ),
    "set_state": Sentence(
        title=gettext_lazy("Change of status"),
        changed=gettext_lazy("%(who)s changed the status"),
    ),
    "activate": Sentence(
        title=gettext_lazy("Activation"),
        changed=gettext_lazy("%(who)s activated this record"),
    ),
    "deactivate": Sentence(
        title=gettext_lazy("Deactivation"),
        changed=gettext_lazy("%(who)s deactivated this record"),
    ),
    "publish": Sentence(title=gettext_lazy("Publishing of a rule")),
    "unpublish": Sentence(title=gettext_lazy("End of a rule")),
    "complete": Sentence(
        title=gettext_lazy("Completion"),
        changed=gettext_lazy("%(who)s marked this as complete"),
    ),
    "cancel": Sentence(
        title=gettext_lazy("Cancellation"),
        changed=gettext_lazy("%(who)s called this off"),
    ),
    "reopen": Sentence(
        title=gettext_lazy("Reopening"),
        changed=gettext_lazy("%(who)s opened this again"),
    ),
    "reactivate": Sentence(
        title=gettext_lazy("Reactivation"),
        changed=gettext_lazy("%(who)s opened this again"),
    ),
    "win": Sentence(
        title=gettext_lazy("Deal won"),
        changed=gettext_lazy("%(who)s closed this as won"),
    ),
    "lose": Sentence(
        title=gettext_lazy("Deal lost"),
        changed=gettext_lazy("%(who)s closed this as lost"),
    ),
    "qualify": Sentence(
        title=gettext_lazy("Qualification"),
        created=gettext_lazy("%(who)s created this by qualifying a lead"),
        changed=gettext_lazy("%(who)s qualified this lead"),
    ),
    "disqualify": Sentence(
        title=gettext_lazy("Disqualification"),
        changed=gettext_lazy("%(who)s disqualified this lead"),
    ),
    "import": Sentence(
        title=gettext_lazy("Import"),
        created=gettext_lazy("%(who)s imported this %(source)s"),
        changed=gettext_lazy("%(who)s changed %(fields)s by an import %(source)s"),
    ),
    "load": Sentence(title=gettext_lazy("Demo data")),
    "remove": Sentence(title=gettext_lazy("Removal of demo data")),
    "merge": Sentence(
        title=gettext_lazy("Merge"),
        changed=gettext_lazy("%(who)s merged %(name)s into this record"),
        along=gettext_lazy("%(who)s changed %(fields)s by a merge"),
        deleted=gettext_lazy("%(who)s merged this into another record"),
    ),
    "undo": Sentence(
        title=gettext_lazy("Undo"),
        created=gettext_lazy("%(who)s brought this record back"),
        changed=gettext_lazy("%(who)s took back a change of %(fields)s"),
        deleted=gettext_lazy("%(who)s took back the creation of this record"),
    ),
}
# A kind that nobody has described yet: what it did to a record can still be said.
UNKNOWN = Sentence(title=gettext_lazy("Operation"))


def of_kind(kind: str) -> Sentence:
    """The sentence of an operation kind: 'contact.assign' -> that of 'assign'."""
    return SENTENCES.get(kind.rpartition(".")[2], UNKNOWN)


def title(op: Operation) -> str:
    """The operation by itself: 'Deletion · Contact'."""
    name = op.kind.rpartition(".")[0]
    words = [str(of_kind(op.kind).title)]
    if name in registry:
        words.append(str(registry[name].label))
    return " · ".join(words)


def counts(op: Operation) -> str:
    """How much it did: '2 created, 1 changed'."""
    patterns = {
        "created": _("%(count)s created"),
        "updated": _("%(count)s changed"),
        "deleted": _("%(count)s deleted"),
    }
    cells = cell_context()
    return ", ".join(
        text % {"count": cells.number(op.counts[key])}
        for key, text in patterns.items()
        if op.counts.get(key)
    )


def undone(would: Undone) -> list[str]:
    """What undoing does, or would do."""
    removed, returned, restored = would.removed, would.returned, would.restored
    number = cell_context().number
    found = []
    if restored:
        text = ngettext(
            "%(count)s record gets its old values back",
            "%(count)s records get their old values back",
            restored,
        )
        found.append(text % {"count": number(restored)})
    if removed:
        text = ngettext("%(count)s new record goes away", "%(count)s new records go away", removed)
        found.append(text % {"count": number(removed)})
    if returned:
        text = ngettext(
            "%(count)s deleted record comes back", "%(count)s deleted records come back", returned
        )
        found.append(text % {"count": number(returned)})
    return found


def about(event: Event) -> str:
    """What the operation did to the record on whose page this stands."""
    sentence = of_kind(event.operation.kind)
    match event.change.verb:
        case ChangeVerb.CREATE:
            pattern = sentence.created
        case ChangeVerb.DELETE:
            pattern = sentence.deleted
        case _:
            pattern = sentence.changed
            if sentence.along and _follows(event):
                pattern = sentence.along
    values: dict[str, Any] = {
        "who": event.who,
        "fields": _fields(event.fields),
        "name": event.operation.parameters.get("name", "…"),
        "source": source(event),
    }
    text = " ".join((str(pattern) % values).split())
    if event.other:
        return _("%(text)s, when it was “%(title)s”") % {"text": text, "title": event.other}
    return text


def _follows(event: Event) -> bool:
    """Whether the record is not the one that the operation was about."""
    return event.operation.parameters.get("master") != str(event.change.record)


def source(event: Event) -> str:
    """Where the values came from: 'from fair.xlsx, row 88'; '' when a person typed them."""
    if not event.source:
        return ""
    if event.change.row is None:
        return _("from %(file)s") % {"file": event.source}
    return _("from %(file)s, row %(row)s") % {"file": event.source, "row": event.change.row}


def _fields(changes: Sequence[FieldChange]) -> str:
    labels = [str(change.field.label) for change in changes]
    if not labels:
        return _("this record")
    if len(labels) <= NAMED_FIELDS:
        return _(" and ").join(labels)
    return _("%(count)s fields") % {"count": len(labels)}
