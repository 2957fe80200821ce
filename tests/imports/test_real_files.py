"""Files that other people made, through plan and apply, with the outcome of their manifest."""

import argparse
import json
import os
from pathlib import Path

import pytest

from rapport.actions import undo
from rapport.actions.lease import Refused
from rapport.files.read import FileRefused
from rapport.imports import command, flow
from rapport.imports.mapping import MappingRefused
from rapport.meta.registry import registry
from rapport.models import Account, Contact, ImportFile
from tests.imports.bringing import bring, describe, outcome, plan

pytestmark = pytest.mark.django_db

ENTITIES = {"account", "contact", "lead"}
# Two names that differ in quotation marks only are one company to the duplicate rules.
SAME_NAME = {"forcedotcom__dataloader/csvEscapedQuotes.csv": 1}
# Of archives the manifest counts the files inside.
OTHER_COUNT = {
    "frictionlessdata__frictionless-py/ogd10_catalogs.zip",
    "roo-rb__roo/bode-v1.xls.zip",
}
# The manifest has no header for these because there is none in the file.
WITHOUT_HEADER = {
    "PHPOffice__PhpSpreadsheet/premiere.utf16bebom.csv",
    "PHPOffice__PhpSpreadsheet/premiere.utf16le.csv",
    "PHPOffice__PhpSpreadsheet/NumberFormatTest.de.csv",
}
# The reference parser could not read it; a person can.
READABLE = {"roo-rb__roo/implicit_coordinates.xlsx": 1}
# Larger than a quick test needs.
LARGE = {
    "forcedotcom__dataloader/20kRows.csv",
    "microsoft__PowerApps-Samples/aibuilder_customer.csv",
}


def manifest():
    """{name: what is expected}; nothing without the folder, then one test says so."""
    folder = Path(os.environ.get("RAPPORT_TEST_FILES", ""))
    file = folder / "import" / "expected.json"
    found = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return {name: expected for name, expected in found.items() if name not in LARGE}


EXPECTED = manifest()


@pytest.fixture
def real(real_files):
    """`real(name)`: the bytes of a file of the import folder."""
    return lambda name: (real_files / "import" / name).read_bytes()


def test_real_files_are_there(real_files):
    assert EXPECTED


@pytest.mark.once
def test_every_file_comes_out_as_its_manifest_says(real_files, alice, capsys):
    wrong = {}
    for name, expected in EXPECTED.items():
        found = dry_run(name, expected, real_files / "import" / name, alice, capsys)
        sums = ("created", "updated", "duplicates", "skipped", "refused_rows")
        if name not in OTHER_COUNT and found["rows"] != _records(name, expected):
            wrong[name] = "records", found["rows"]
        elif found["refused"] and expected["accepted"] and expected["entity"] in ENTITIES:
            wrong[name] = "refused", found["refused"]
        elif not found["refused"] and found["rows"] != sum(found[n] for n in sums):
            wrong[name] = "sums", found
        elif not found["refused"] and not _as_accepted(name, expected, found):
            wrong[name] = "accepted", found
    assert wrong == {}
    assert (Account.objects.count(), Contact.objects.count()) == (0, 0)
    assert ImportFile.objects.count() == 0


def dry_run(name, expected, path, by, capsys):
    """What `rapport import --dry-run --json` prints."""
    entity = expected["entity"] if expected["entity"] in ENTITIES else "account"
    more = {"header": 0} if name in WITHOUT_HEADER else {}
    asked = {"file": path, "entity": entity, "by": by, "dry_run": True, "json": True, "map": None}
    command.run(argparse.Namespace(**asked, **more))
    return json.loads(capsys.readouterr().out)


def _records(name, expected):
    """Of a file that cannot be read, none."""
    known = isinstance(expected["records"], int)
    return READABLE.get(name, expected["records"] if known else 0)


def _as_accepted(name, expected, found):
    """Whether as many are taken and the same ones are rejected, each for a reason."""
    if expected["accepted"] is None:
        return True
    same = SAME_NAME.get(name, 0)
    rejected = {(error["row"] - 1, bool(error["reason"])) for error in found["errors"]}
    return (found["created"], found["duplicates"], rejected) == (
        expected["accepted"] - same,
        same,
        {(row, True) for row, _reason in expected["rejected"]},
    )


@pytest.mark.parametrize("name", [n for n, e in EXPECTED.items() if e["entity"] in ENTITIES])
def test_apply_writes_what_was_planned_once_and_undo_takes_it_back(name, real, alice):
    entity = EXPECTED[name]["entity"]
    try:
        upload = plan(real(name), entity, by=alice, name=Path(name).name)
    except (FileRefused, MappingRefused, Refused):
        return
    counts = upload.counts
    flow.apply_now(upload, by=alice)
    done = outcome(upload)

    created = counts["create"] + (counts["accounts"] if entity != "account" else 0)
    assert done.counts.get("created", 0) == counts["create"]
    assert Account.objects.count() + Contact.objects.count() == created

    again = bring(real(name), entity, by=alice, name=Path(name).name)
    assert again.counts.get("created", 0) == 0
    assert Account.objects.count() + Contact.objects.count() == created

    if done.operation is not None:
        undo.undo(done.operation, by=alice)
    assert (Account.objects.count(), Contact.objects.count()) == (0, 0)


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "entity"),
    [
        ("roundcube__roundcubemail/rc_gmail.csv", "contact"),
        ("roundcube__roundcubemail/rc_apple.vcf", "account"),
        ("mozilla__releases-comm-central/basic_csv_addressbook.csv", "contact"),
        ("mautic__mautic/10contacts.csv", "contact"),
        ("mautic__mautic/fakecompanydata.csv", "account"),
        ("frictionlessdata__frictionless-py/encoding-issue-274.csv", "account"),
        ("SaicoBys__csv-contact-cleaner/demo_contacts.csv", "contact"),
    ],
)
def test_entity_is_told_by_the_file(name, entity, real, alice):
    assert describe(real(name), "auto", by=alice, name=Path(name).name).entity == entity


def test_google_contact_is_whole(real, alice):
    bring(real("roundcube__roundcubemail/rc_gmail.csv"), by=alice)

    contact = Contact.objects.select_related("account").get()
    assert {
        name: getattr(contact, name)
        for name in (
            "salutation", "first_name", "middle_name", "last_name", "suffix", "nickname",
            "job_title", "email", "email2", "email3", "home_phone", "mobile_phone", "fax",
            "address1_line1", "address1_city", "address1_postal_code", "website",
        )
    } == {
        "salutation": "Prefix", "first_name": "Firstname", "middle_name": "Middle",
        "last_name": "Lastname", "suffix": "Suffix", "nickname": "nick", "job_title": "jobtitle",
        "email": "home@aaa.pl", "email2": "work@email.pl", "email3": "unknown@email.com",
        "home_phone": "homephone", "mobile_phone": "mobile", "fax": "workfax",
        "address1_line1": "home_street", "address1_city": "home_city",
        "address1_postal_code": "home_zip", "website": "test.com",
    }  # fmt: skip
    assert (contact.account.name, contact.birthday.isoformat()) == ("company", "1975-12-12")


def test_names_of_many_scripts_are_intact(real, alice):
    bring(real("frictionlessdata__frictionless-py/encoding-issue-274.csv"), "account", by=alice)
    assert Account.objects.filter(name__contains="ā").exists()


@pytest.mark.once
def test_unknown_sheet_and_encoding_can_be_chosen(real, alice):
    name = "frictionlessdata__frictionless-py/sheets.xlsx"
    upload = describe(real(name), "account", by=alice, name="sheets.xlsx")
    sheets = upload.options["sheets"]
    flow.read_again(upload, registry["account"], {"sheet": sheets[1]}, by=alice)

    upload = ImportFile.objects.get(pk=upload.pk)
    assert (len(sheets) > 1, upload.reading["sheet"]) == (True, sheets[1])
