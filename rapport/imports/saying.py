"""What is said of a mapping on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _

from rapport.meta.folding import fold
from rapport.models import ImportFile

from . import flow, mapping as mappings, phones, report
from .mapping import Mapping, MappingRefused


class SaidWrongly(MappingRefused):
    """An option names what the file or Rapport does not have; the message is for people."""


def said(mapping: Mapping, columns: Sequence[str], args: argparse.Namespace) -> Mapping:
    """`mapping` with the options of `args`. Raises MappingRefused."""
    if picks := getattr(args, "map", None):
        mapping = mappings.changed(mapping, columns, picks)
    targets = dict(mapping.columns)
    for name in ("default", "missing", "several"):
        for pick in _all(args, name):
            column, text = _parted(pick, "=")
            index = _index(mapping, columns, column)
            more: dict[str, Any] = {name: text}
            targets[index] = replace(targets[index], **more)
    for pick in _all(args, "value"):
        column, rest = _parted(pick, ":")
        index = _index(mapping, columns, column)
        cell, option = _parted(rest, "=")
        targets[index] = replace(targets[index], values={**targets[index].values, cell: option})
    for column in _all(args, "wipe"):
        index = _index(mapping, columns, column)
        targets[index] = replace(targets[index], wipe=True)
    constants = dict(_parted(pick, "=") for pick in _all(args, "constant"))
    _require_fields(mapping, constants)
    match = tuple(tuple(names.split("+")) for names in _all(args, "match"))
    _require_fields(mapping, (name for names in match for name in names))
    return replace(
        mapping,
        columns=targets,
        constants={**mapping.constants, **constants},
        match=match or mapping.match,
        on_match=getattr(args, "on_match", None) or mapping.on_match,
        duplicates=getattr(args, "duplicates", None) or mapping.duplicates,
    )


# Options that are about columns and fields, in the order in which one may need the other.
_LISTED = (
    "map", "default", "missing", "several", "value", "wipe", "constant", "match",
)  # fmt: skip


def said_of_each(files: Sequence[ImportFile], args: argparse.Namespace) -> list[Mapping]:
    """The mappings of several files with the options of `args`. An option that begins with the name
    of a file, or of what it holds, and a colon is about that; any other is about all files that
    have such a column or field. Raises MappingRefused."""
    usual = {name: getattr(args, name, None) for name in ("on_match", "duplicates")}
    each = [argparse.Namespace(**usual) for _file in files]
    for name in _LISTED:
        for pick in _all(args, name):
            _share(files, each, name, pick)
    return [_of_file(file, own) for file, own in zip(files, each, strict=True)]


def _share(
    files: Sequence[ImportFile], each: Sequence[argparse.Namespace], name: str, pick: str
) -> None:
    """Give an option to the files that it is about."""
    before, _colon, rest = pick.partition(":")
    named = [at for at, file in enumerate(files) if fold(before) in _called(file)]
    refused: MappingRefused | None = None
    fitting = []
    for at in named or range(len(files)):
        tried = argparse.Namespace(**vars(each[at]))
        setattr(tried, name, [*_all(tried, name), rest if named else pick])
        try:
            _of_file(files[at], tried)
        except MappingRefused as error:
            refused = refused or error
        else:
            fitting.append((at, tried))
    if refused is not None and (named or not fitting):
        names = ", ".join(str(file.options.get("member") or file.name) for file in files)
        hint = _("Of several files it may begin with a file and a colon: %(files)s.")
        raise MappingRefused(f"--{name} {pick}: {refused} " + hint % {"files": names})
    for at, tried in fitting:
        vars(each[at]).update(vars(tried))


def _of_file(file: ImportFile, own: argparse.Namespace) -> Mapping:
    return said(flow.mapping_of(file), flow.columns_of(file), own)


def _called(file: ImportFile) -> set[str]:
    """What a file may be called."""
    path = PurePosixPath(str(file.options.get("member") or file.name))
    return {fold(name) for name in (str(path), path.name, path.stem, file.entity)}


def country(args: argparse.Namespace) -> str | None:
    """The country of phone numbers. Raises SaidWrongly."""
    found: str | None = getattr(args, "phone_country", None)
    if found and found.upper() not in phones.countries():
        message = _("“%(text)s” is no country: write its two letters, as in DE.")
        raise SaidWrongly(message % {"text": found})
    return found.upper() if found else None


def as_json(upload: ImportFile) -> dict[str, Any]:
    """What was decided besides which column is which field: {"decided": …}, {} when it is all as
    usual."""
    mapping, columns = flow.mapping_of(upload), flow.columns_of(upload)
    found = {name: value for name, value in mapping.as_json().items() if not name.isdecimal()}
    # Whose ids a file has is not decided; see `program`.
    found.pop("system", None)
    targets = {
        report.column_name(columns, index): {n: v for n, v in kept.items() if n != "field"}
        for index, target in sorted(mapping.columns.items())
        if isinstance(kept := target.as_json(), dict)
    }
    if targets:
        found["columns"] = targets
    if phone_country := upload.reading.get("phone_country"):
        found["phone_country"] = phone_country
    return {"decided": found} if found else {}


def _all(args: argparse.Namespace, name: str) -> list[str]:
    return getattr(args, name, None) or []


def _parted(pick: str, sign: str) -> tuple[str, str]:
    before, found, after = pick.partition(sign)
    if not found:
        message = _("“%(text)s” needs a “%(sign)s”.")
        raise MappingRefused(message % {"text": pick, "sign": sign})
    return before, after


def _index(mapping: Mapping, columns: Sequence[str], name: str) -> int:
    """The mapped column with this header, number or field."""
    index = mappings.index_of(name, columns)
    if index is None:
        index = mapping.column_of(name)
    if index is None or index not in mapping.columns:
        raise MappingRefused(_("There is no mapped column “%(column)s”.") % {"column": name})
    return index


def _require_fields(mapping: Mapping, names: Iterable[str]) -> None:
    known = mappings.targets(mapping.entity)
    for name in names:
        if name not in known:
            raise MappingRefused(_("There is no field “%(name)s”.") % {"name": name})
