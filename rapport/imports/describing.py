"""A look at a file that came in: format, columns, samples; what it seems to hold, and how it is
written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping as MappingType, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _, ngettext

from rapport.access import Actor, SystemActor
from rapport.files.detect import Detected, sniff
from rapport.files.foot import FOOT
from rapport.files.read import FileRefused, ReadOptions, Record, Table, open_table
from rapport.files.refusal import gettext_noop
from rapport.meta.entity import Entity
from rapport.meta.kinds import Reading
from rapport.meta.registry import registry
from rapport.models import ImportFile
from rapport.models.operations import ImportState
from rapport.queries.imports import imports_with

from . import (
    beginning,
    bundle,
    companies,
    currencies,
    detection,
    feed,
    layouts,
    mapping as mappings,
    owners,
    packing,
    reasons,
    shares,
    steps,
    uploads,
    whose,
)
from .layouts import Layout
from .mapping import MappingRefused
from .proposal import propose
from .subject import choose_entity, importable_for

# Records looked at for mapping and dates, and those kept to be shown.
LOOKED_AT, SHOWN = 1000, 8
# Cells kept to be shown, and how much of each.
SHOWN_CELLS, SHOWN_LENGTH = 5000, 120


def describe(
    upload: ImportFile,
    *,
    by: Actor,
    reading: MappingType[str, Any] | None = None,
    guess: bool = True,
    keep: bool = False,
) -> None:
    """Look at the file: format, columns, samples; propose entity, mapping, dates and numbers.

    `reading`: what a person has chosen instead of what is detected; a key with None is detected
    anew. `keep`: also files of an archive that cannot be mapped by their headers. Raises
    FileRefused, MappingRefused (no entity fits), NotNow, UploadGone.
    """
    path = uploads.path_of(upload)
    detected = sniff(path)
    packing.refuse_backup(detected)
    if "sheet" in upload.options:
        # One sheet of a workbook of which each is a list.
        reading = {**(reading or {}), "sheet": upload.options["sheet"]}
    if _is_bundle(upload, detected, reading or {}):
        _describe_members(upload, detected, by, reading or {}, keep=keep)
        return
    if detected.members and (reading or {}).get("member") is None:
        upload.options["left_out"] = packing.no_tables(detected)
        if len(detected.members) > 1 and not _only_table(detected):
            raise _no_list(upload.options["left_out"])
    options = _options(detected, reading or {})
    others = () if "sheet" in (reading or {}) else packing.lists_of(detected)
    with _unescaped(path, beginning.opened(path, options, others), by) as table:
        whole = (record for record in table if record.problem != FOOT)
        looked = list(islice(whole, LOOKED_AT if len(table.columns) < 300 else SHOWN))
        sample = [record.cells for record in looked]
        layout = layouts.recognise(table.columns, sample)
        # Also where nobody can tell what it is about, its records are counted.
        upload.reading = uploads.reading_of(table.options)
        entity = _entity(upload, table, sample, layout, by)
        zone = "UTC" if isinstance(by, SystemActor) else by.time_zone or _active_zone()
        language = translation.get_language() or "en"
        made = propose(
            entity,
            table.columns,
            sample,
            reading=Reading(),
            guess=guess and not _is_auto(upload),
            layout=layout,
        )
        if detected.format != "vcard":
            rest = (record.cells for record in whole)
            made = _about_records(made, upload, sample, rest, columns=table.columns, by=by)
        read = detection.reading(made, sample, time_zone=zone, language=language)
        chosen = {k: v for k, v in (reading or {}).items() if k in dataclasses.asdict(read) and v}
        read = replace(read, **chosen)
        made = shares.as_percentages(made, table.columns, sample, read)
        upload.entity = entity.name
        upload.reading = {**uploads.reading_of(table.options), **dataclasses.asdict(read)}
        if options.member is not None:
            upload.reading["member"] = options.member
        upload.mapping = made.as_json()
        notes = [*_left_out(upload, options), *_other_sheet(others, table)]
        notes += [*_other_elements(detected, table), *_around(table), *made.notes]
        notes += detection.rounding(made, table.columns, sample, read)
        notes += detection.as_spoken(made, table.columns, sample, read)
        notes += currencies.notes(made, table.columns, sample)
        if "date_order" not in chosen:
            notes += detection.undecided(made, table.columns, sample, read)
        upload.options |= _description(detected, table, looked, notes)
        # The columns of cards bear the names of one program, whichever wrote them.
        is_card = detected.format == "vcard"
        upload.options["program"] = layout.program.label if layout and not is_card else ""
    _keep(upload)
    if upload.parent is not None and bundle.is_bundle(upload.parent):
        bundle.relate([upload], upload.parent)


def _about_records(
    made: mappings.Mapping,
    upload: ImportFile,
    sample: Sequence[Sequence[str]],
    rest: Iterator[Sequence[str]],
    *,
    columns: Sequence[str],
    by: Actor,
) -> mappings.Mapping:
    """The mapping with what a look at stored records tells of the rows."""
    made = whose.found_by(made, sample, by=by)
    records = [*sample, *islice(rest, companies.ROWS)]
    made = owners.called_otherwise(made, columns, records)
    if upload.parent_id is not None:
        # What one of several files calls a company may be a record of another.
        return made
    return companies.named_otherwise(made, columns, records, by=by)


def _is_bundle(upload: ImportFile, detected: Detected, reading: MappingType[str, Any]) -> bool:
    """Whether all of an archive is wanted: nobody has chosen one file of it."""
    if upload.parent_id is None and reading.get("sheet") == bundle.EACH_SHEET and detected.sheets:
        return len(packing.lists_of(detected)) > 1
    tables = [member for member in detected.members if member.format]
    chosen = upload.parent_id is not None or reading.get("member") is not None
    each = _is_auto(upload) or upload.options.get("each")
    return len(tables) > 1 and bool(each) and not chosen


def _describe_members(
    upload: ImportFile,
    detected: Detected,
    by: Actor,
    reading: MappingType[str, Any],
    *,
    keep: bool = False,
) -> None:
    """Look at each file of an archive. When only one is a list, the import is of that."""
    members, left = packing.unpack(upload, detected)
    taken = []
    untold = False
    for member in members:
        if not _is_auto(upload):
            member.entity = upload.entity
            member.options["auto"] = False
        try:
            try:
                describe(member, by=by, reading=reading)
                mappings.check(feed.mapping_of(member))
            except MappingRefused:
                if not keep:
                    raise
                member.entity = member.entity or importable_for(by)[0].name
                member.options["auto"] = False
                describe(member, by=by, reading=reading)
            taken.append(member)
        except (FileRefused, MappingRefused) as refused:
            untold = untold or isinstance(refused, MappingRefused)
            left.append([member.options["member"], str(refused)])
            packing.drop(member)
    if len(taken) > 1:
        bundle.join(upload, taken, left)
        _keep(upload)
        return
    for member in taken:
        packing.drop(member)
    if not taken:
        none = _no_list(left)
        # Somebody may say what they hold.
        raise MappingRefused(str(none)) if untold and _is_auto(upload) else none
    upload.options = {**upload.options, "left_out": left}
    place = "sheet" if "sheet" in taken[0].options else "member"
    describe(upload, by=by, reading={**reading, place: taken[0].options["member"]})


def _no_list(left: Sequence[Sequence[str]]) -> FileRefused:
    return FileRefused(
        "no-list",
        gettext_noop("None of these files holds a list that can be imported."),
        "%(files)s",
        files=" ".join(f"{name}: {reason}" for name, reason in left)[:2000],
    )


def _keep(upload: ImportFile) -> None:
    """Keep what was found, unless somebody has deleted the file while it was read, or is about to
    plan or import it."""
    with transaction.atomic():
        steps.hold(upload, ImportState.UPLOADED, ImportState.PLANNED, ImportState.FAILED)
        upload.state, upload.message = ImportState.UPLOADED, ""
        upload.save()


def _unescaped(path: Path, table: Table, by: Actor) -> Table:
    """The file as a table; rows of ours that were not taken come back without the apostrophes that
    keep a spreadsheet from running what is in them. They have a reason behind the columns of a file
    that was brought before: others have such a column, too."""
    if table.options.format != "csv" or table.columns[-1] != reasons.heading():
        return table
    plain = open_table(path, replace(table.options, unescape=True), scratch=path.parent)
    if imports_with(plain.columns[:-1], by).exists():
        return plain
    return table


def _active_zone() -> str:
    return str(timezone.get_current_timezone())


def _is_auto(upload: ImportFile) -> bool:
    return bool(upload.options.get("auto"))


def _options(detected: Detected, chosen: MappingType[str, Any]) -> ReadOptions:
    options = ReadOptions.of(detected)
    if encoding := chosen.get("encoding"):
        # Another encoding may show other delimiters: they are looked for anew.
        options = ReadOptions(format=options.format, encoding=encoding)
    if detected.members:
        options = replace(options, member=chosen.get("member") or _only_table(detected))
    if chosen.get("sheet") == bundle.EACH_SHEET:
        chosen = {name: value for name, value in chosen.items() if name != "sheet"}
    names = {"delimiter", "quote", "header", "sheet", "element"}
    return replace(options, **{n: v for n, v in chosen.items() if n in names and v is not None})


def _only_table(detected: Detected) -> str | None:
    """The first member of an archive that is a table."""
    return next((member.name for member in detected.members if member.format), None)


def _entity(
    upload: ImportFile,
    table: Table,
    sample: Sequence[Sequence[str]],
    layout: Layout | None,
    by: Actor,
) -> Entity:
    if upload.entity and not _is_auto(upload):
        return registry[upload.entity]
    if layout is not None and layout.entity in {entity.name for entity in importable_for(by)}:
        return registry[layout.entity]
    among = importable_for(by)
    found = choose_entity(table.columns, sample, file_name=upload.name, among=among)
    found = whose.entity_of(found, among, table.columns, sample, by=by)
    if found is None and table.options.format == "vcard":
        return registry["contact"]
    if found is None:
        raise MappingRefused(_what_are_these(table))
    return found


def _what_are_these(table: Table) -> str:
    """Why nobody can tell what a file holds, and what helps."""
    names = ", ".join(column for column in table.columns if column)[:300]
    if not names:
        return _("No header tells whether these are contacts, accounts or leads. Say which.")
    said = _(
        "The headers (%(names)s) do not tell whether these are contacts, accounts or leads. Say "
        "which."
    ) % {"names": names}
    if table.header_guess:
        below = _("Row %(row)s looks more like the header: choose it if it is.")
        return f"{said} {below % {'row': table.header_guess}}"
    if any("@" in column for column in table.columns):
        first = _("The header looks like a record: choose row 0 if there is no header.")
        return f"{said} {first}"
    return said


def _description(
    detected: Detected, table: Table, looked: Sequence[Record], notes: Sequence[str]
) -> dict[str, Any]:
    """What the pages show of the file, so that it need not be opened again."""
    shown = max(1, min(SHOWN, SHOWN_CELLS // max(1, len(table.columns))))
    damaged = [record for record in looked if record.problems]
    return {
        "format": detected.format,
        "columns": list(table.columns),
        "sample": [[c[:SHOWN_LENGTH] for c in r.cells] for r in looked[:shown]],
        "empty": not looked,
        "known_rows": table.known_records,
        "about_rows": table.known_records or _about(detected, looked),
        "header_row": table.header,
        "header_guess": table.header_guess,
        "unreadable": [[r.number, str(r.problems[0].message)] for r in damaged[:SHOWN]],
        "unreadable_count": len(damaged),
        "unit": table.unit,
        "sheets": [sheet.name for sheet in detected.sheets],
        "lists": len(packing.lists_of(detected)),
        "members": [member.name for member in detected.members if member.format],
        "elements": [list(element) for element in detected.elements[:20]],
        "encoding": dataclasses.asdict(detected.encoding) if detected.encoding else None,
        "notes": list(notes),
    }


def _left_out(upload: ImportFile, options: ReadOptions) -> list[str]:
    """Files or sheets that came with the one that is read, and why they are none."""
    read = {options.member, options.sheet}
    left = [one for one in upload.options.get("left_out", ()) if one[0] not in read]
    notes = [
        _("“%(file)s” is left out. %(reason)s") % {"file": name, "reason": reason}
        for name, reason in left[:SHOWN]
    ]
    if (more := len(left) - SHOWN) > 0:
        said = ngettext("… and %(count)s more file.", "… and %(count)s more files.", more)
        notes.append(said % {"count": more})
    return notes


def _other_sheet(others: Sequence[str], table: Table) -> list[str]:
    """That the sheet is not the first, which a person might expect."""
    sheet = table.options.sheet
    if not others or sheet == others[0]:
        return []
    return [_("Sheet “%(sheet)s” is read, not “%(first)s”.") % {"sheet": sheet, "first": others[0]}]


def _other_elements(detected: Detected, table: Table) -> list[str]:
    """That other elements beside those that are read repeat as well: a second list."""
    chosen = f"{table.options.element or ''}/"
    paths = [path for path, _count in detected.elements]
    # Neither what is in them nor what they are in.
    others = [p for p in paths if not (f"{p}/".startswith(chosen) or chosen.startswith(f"{p}/"))]
    if chosen == "/" or not others:
        return []
    said = _("“%(element)s” is read. What else repeats is left out and can be chosen: %(others)s.")
    named = ", ".join(f"“{path}”" for path in others[:SHOWN])
    return [said % {"element": chosen[:-1], "others": named}]


def _around(table: Table) -> list[str]:
    """That something stands above the header or below the records; what the file itself says."""
    notes = []
    if table.above:
        said = _("Row %(row)d is the header; what stands above it is left out: %(text)s")
        notes.append(said % {"row": table.header, "text": table.above[:SHOWN_LENGTH]})
    if table.foot:
        said = _("The foot of the report below the records is left out: %(text)s")
        text = " · ".join(sorted(" ".join(row) for row in table.foot))
        notes.append(said % {"text": text[:SHOWN_LENGTH]})
    return [*notes, *map(str, table.notes)]


def _about(detected: Detected, looked: Sequence[Record]) -> int | None:
    """How many rows a text file may have, by the length of those that were looked at."""
    if detected.format != "csv" or len(looked) < LOOKED_AT:
        return len(looked) if detected.format == "csv" else None
    # A sign behind each cell. Letters of several bytes make it a little too many.
    length = sum(sum(map(len, record.cells)) + len(record.cells) for record in looked)
    return round(detected.size * len(looked) / length / 100) * 100
