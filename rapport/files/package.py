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

MAIN, _MAIN_LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_ROOT_LINKS = "_rels/.rels"
_TO_MAIN = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="xl/workbook.xml" Type="http://schemas.openxmlformats.org/'
    'officeDocument/2006/relationships/officeDocument"/></Relationships>'
)


class Part(NamedTuple):
    """A worksheet of an xlsx file and the member of the archive that holds it."""

    name: str
    member: str
    hidden: bool


def named(opened: zipfile.ZipFile) -> dict[str, str]:
    """The members by the names that they should have: some programs write others."""
    names = {name.lower().replace("\\", "/").lstrip("/"): name for name in opened.namelist()}
    if MAIN not in names and _ROOT_LINKS in names:
        for relation in _part(opened, names, _ROOT_LINKS).iter():
            folder, _slash, own = relation.get("Target", "").lower().lstrip("/").rpartition("/")
            if relation.get("Type", "").endswith("/officeDocument"):
                if folder != "xl":
                    names = _moved(names, folder)
                names[MAIN] = names.pop(f"xl/{own}", "")
                names[_MAIN_LINKS] = names.pop(f"xl/_rels/{own}.rels", "")
    return {name: member for name, member in names.items() if member}


def _moved(names: dict[str, str], folder: str) -> dict[str, str]:
    """Everything in `folder`, which may be the outermost, as if it were in the usual one."""
    begin = f"{folder}/" if folder else ""
    return {
        f"xl/{name[len(begin) :]}" if name.startswith(begin) and name != _ROOT_LINKS else name: m
        for name, m in names.items()
    }


def tidied(path: Path, target: Path) -> Path:
    """`path`, or a copy beside `target` whose members have the names that the library looks for."""
    with archive.opened(path) as opened, archive.honest():
        names = named(opened)
        is_main = names.get(MAIN, "").lower().endswith(MAIN)
        if is_main and not any(member.startswith("/") for member in names.values()):
            return path
        copy = target.with_suffix(".xlsx")
        with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
            for name, member in names.items():
                if name == _ROOT_LINKS:
                    made.writestr(name, _TO_MAIN)
                    continue
                # Links tell capital letters from small ones.
                as_named = member.lstrip("/").replace("\\", "/")
                own = as_named if as_named.lower() == name else name
                with opened.open(member) as source, made.open(own, "w", force_zip64=True) as out:
                    shutil.copyfileobj(source, out)
    return copy


def parts(opened: zipfile.ZipFile) -> list[Part]:
    names = named(opened)
    targets = targets_of(opened, names)
    found = []
    for element in _part(opened, names, MAIN).iter():
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


def targets_of(opened: zipfile.ZipFile, names: dict[str, str]) -> dict[str, str]:
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
