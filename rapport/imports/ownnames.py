"""Whether some row of an import is called so: the manager whom a row names may stand further down,
or in another file."""

from __future__ import annotations

from collections.abc import Callable, Mapping as MappingType
from dataclasses import replace

from rapport.duplicates.keys import has_title_key, person_key, title_key
from rapport.meta.entity import Entity
from rapport.models import ImportFile, Plan
from rapport.models.operations import ImportState

from . import names, uploads
from .chains import LOW
from .feed import READ_AT_ONCE, mapping_of, mended, reading_of
from .kept import Keys
from .rows import Converter
from .seen import Seen
from .sources import name_key

# Whether a text is the name of a row.
Brings = Callable[[str], bool]


class Read:
    """Told by the files of the import of `upload` that hold `entity`; they are read when first
    somebody asks. `repaired`: cells of `upload` that are other than in the file."""

    def __init__(
        self,
        upload: ImportFile,
        entity: Entity,
        repaired: MappingType[int, MappingType[int, str]],
    ) -> None:
        self._upload, self._entity, self._repaired = upload, entity, repaired
        self._known: Seen | None = None

    def __call__(self, text: str) -> bool:
        entity = self._entity
        if self._known is None:
            self._known = Seen()
            for one in _with_such(self._upload, entity):
                self._read(one, self._known)
        return bool(self._known.get(name_key(entity, names.called(entity, text))))

    def _read(self, upload: ImportFile, known: Seen) -> None:
        mapping = mapping_of(upload)
        entity = mapping.entity
        wanted = {entity.title, *entity.title_fields}
        columns = {i: target for i, target in mapping.columns.items() if target.field in wanted}
        repaired = self._repaired if upload == self._upload else {}
        with uploads.open_upload(upload) as table:
            converter = Converter(
                replace(mapping, columns=columns), reading_of(upload), lenient=table.unit == "card"
            )
            for records in table.iter_batches(READ_AT_ONCE):
                for row in converter.rows(mended(records, repaired)):
                    values = {**row.values, **entity.derive(row.values)}
                    if title := values.get(entity.title):
                        known.add(name_key(entity, str(title)), 1)


def _with_such(upload: ImportFile, entity: Entity) -> list[ImportFile]:
    """The files of an import that hold this kind of record."""
    if upload.parent is None:
        return [upload] if upload.entity == entity.name else []
    return [*upload.parent.members.filter(entity=entity.name).exclude(state=ImportState.FAILED)]


def kept(plan: Plan, entity: Entity) -> Brings:
    """The same told by what a plan has kept."""
    keys = Keys(plan, entity)

    def brings(text: str) -> bool:
        name = names.called(entity, text)
        key = title_key(name) if has_title_key(entity) else person_key([name])
        return bool(keys.rows([key & LOW], ()))

    return brings
