"""What tests ask the journal."""

from rapport.models import Change, Operation
from rapport.models.journal import ChangeVerb


def operations():
    """Ids of all operations: what is new later is what an action did."""
    return set(Operation.objects.values_list("pk", flat=True))


def since(known):
    """Kinds of the operations that are not among `known`, oldest first."""
    new = Operation.objects.exclude(pk__in=known).order_by("started_at", "pk")
    return list(new.values_list("kind", flat=True))


def last():
    """The newest operation."""
    return Operation.objects.order_by("-started_at", "-pk").first()


def changes(operation):
    """(entity, verb, record) of each change of `operation`, in the order written."""
    return [
        (change.entity, ChangeVerb(change.verb).name.lower(), change.record)
        for change in Change.objects.filter(operation_id=operation.pk).order_by("pk")
    ]


def fields(operation, record):
    """{field: (before, after)} of what `operation` changed in `record`."""
    change = Change.objects.get(operation_id=operation.pk, record=record.pk)
    return {name: ((change.before or {})[name], new) for name, new in (change.after or {}).items()}
