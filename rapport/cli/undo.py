"""`rapport undo`."""

from __future__ import annotations

import argparse
import uuid

from rapport.actions import undo
from rapport.actions.undo import Undone
from rapport.models import Operation

from .stop import Stop

CONFLICTS_SHOWN = 20


def run(args: argparse.Namespace) -> None:
    """Take an operation back, or say what that would do."""
    try:
        op = Operation.objects.filter(pk=uuid.UUID(args.operation)).first()
    except ValueError:
        raise Stop(f"{args.operation} is not the id of an operation", 2) from None
    if op is None:
        raise Stop(f"there is no operation {args.operation}")
    try:
        if args.dry_run:
            tell("Would be undone", undo.preview(op, by=args.by))
            return
        back, undone = undo.undo(op, by=args.by)
    except undo.NotYours as error:
        raise Stop(str(error)) from None
    tell("Undone", undone)
    print(f"This undo is operation {back.pk}.")


def tell(title: str, undone: Undone) -> None:
    """What an undo did, or would do."""
    print(
        f"{title}: {undone.removed} created records removed, {undone.restored} changed ones "
        f"restored, {undone.returned} deleted ones returned, {len(undone.conflicts)} conflicts."
    )
    for conflict in undone.conflicts[:CONFLICTS_SHOWN]:
        field = f".{conflict.field}" if conflict.field else ""
        print(f"  {conflict.entity}{field} {conflict.record}: {conflict.reason}")
    if len(undone.conflicts) > CONFLICTS_SHOWN:
        print(f"  … and {len(undone.conflicts) - CONFLICTS_SHOWN} more")
