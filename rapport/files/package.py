"""An xlsx file as the archive that it is: its parts, also where programs name them oddly."""

from __future__ import annotations

import posixpath
import shutil
import zipfile
from pathlib import Path
from typing import NamedTuple

from rapport.files import archive, safexml
from rapport.files.refusal import damaged
from rapport.files.safexml import Element, local

_MAIN, _MAIN_LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"


class Part(NamedTuple):
    """A worksheet of an xlsx file and the member of the archive that holds it."""

    name: str
    member: str
    hidden: bool


def named(opened: zipfile.ZipFile) -> dict[str, str]:
    """The members by the names that they should have: some programs write others."""
    names = {name.lower().replace("\\", "/").lstrip("/"): name for name in opened.namelist()}
    if _MAIN not in names and "_rels/.rels" in names:
        for relation in _part(opened, names, "_rels/.rels").iter():
            folder, _slash, own = relation.get("Target", "").lower().lstrip("/").rpartition("/")
            if relation.get("Type", "").endswith("/officeDocument") and folder == "xl":
                names[_MAIN] = names.pop(f"xl/{own}", "")
                names[_MAIN_LINKS] = names.pop(f"xl/_rels/{own}.rels", "")
    return {name: member for name, member in names.items() if member}


def tidied(path: Path, target: Path) -> Path:
    """`path`, or a copy beside `target` whose members have the names that the library looks for."""
    with archive.opened(path) as opened, archive.honest():
        names = named(opened)
        is_main = names.get(_MAIN, "").lower().endswith("workbook.xml")
        if is_main and not any(member.startswith("/") for member in names.values()):
            return path
        copy = target.with_suffix(".xlsx")
        with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
            for name, member in names.items():
                own = member.lstrip("/") if name not in {_MAIN, _MAIN_LINKS} else name
                with opened.open(member) as source, made.open(own, "w", force_zip64=True) as out:
                    shutil.copyfileobj(source, out)
    return copy


def parts(opened: zipfile.ZipFile) -> list[Part]:
    names = named(opened)
    targets = _targets(opened, names)
    found = []
    for element in _part(opened, names, _MAIN).iter():
        if local(element.tag) != "sheet":
            continue
        relation = next(
            (v for k, v in element.attrib.items() if local(k) == "id" and k != "id"), ""
        )
        member = names.get(targets.get(relation, ""))
        if member:
            hidden = element.get("state", "visible") != "visible"
            found.append(Part(name=element.get("name", ""), member=member, hidden=hidden))
    if not found:
        raise damaged("xl/worksheets")
    return found


def _targets(opened: zipfile.ZipFile, names: dict[str, str]) -> dict[str, str]:
    """Relation id → member, only of worksheets: a chart sheet has no cells."""
    targets = {}
    for element in _part(opened, names, _MAIN_LINKS).iter():
        target = element.get("Target", "")
        if element.get("Type", "").endswith("/worksheet") and target:
            whole = target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
            targets[element.get("Id", "")] = posixpath.normpath(whole).lower()
    return targets


def _part(opened: zipfile.ZipFile, names: dict[str, str], wanted: str) -> Element:
    if wanted not in names:
        raise damaged(wanted)
    return safexml.small(archive.read_member(opened, names[wanted]))
