"""The import wizard, step by step, as a browser without script walks it."""

import io
import re
import uuid

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from rapport.actions import records
from rapport.meta.registry import registry
from rapport.models import (
    Account,
    ChoiceOption,
    Contact,
    ImportFile,
    Lead,
    Operation,
    Opportunity,
    Plan,
)
from tests.factories import make_account, make_contact, make_user
from tests.web import browsing
from tests.working import work_off

pytestmark = pytest.mark.django_db

PEOPLE = (
    b"First Name;Last Name;Mail;Company;Odd\n"
    b"Anna;Bo;anna@x.de;Acme;<script>alert(1)</script>\n"
    b"Carl;;carl@x.de;Acme;\n"
    b"Eve;Fa;nonsense;Acme;\n"
    b"Gus;Ho;anna@x.de;Bee;\n"
)


@pytest.fixture(autouse=True)
def own_uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.QUEUE = "none"
    settings.JOB_RETRY_SECONDS = 0


def send(client, content=PEOPLE, entity="contact", name="people.csv", **more):
    file = SimpleUploadedFile(name, content)
    return client.post("/imports/new/", {"file": file, "entity": entity}, **more)


def upload(client, *arguments, **options):
    """The import after its file was taken, and its address."""
    answer = send(client, *arguments, **options)
    assert (answer.status_code, answer.content) == (303, b"")
    made = ImportFile.objects.order_by("created_at").last()
    assert answer.headers["Location"] == f"/imports/{made.pk}/"
    return made, answer.headers["Location"]


def mapping_form(client, url, **changes):
    """What the mapping form would send."""
    upload = ImportFile.objects.get(pk=url.split("/")[2])
    fields = {f"column-{i}": "" for i in range(len(upload.options["columns"]))}
    for index, target in upload.mapping.items():
        if not index.isdecimal():
            continue
        fields[f"column-{index}"] = target if isinstance(target, str) else target["field"]
    return {**fields, "plan": "1", **changes}


def plan(client, url, **changes):
    return client.post(f"{url}columns/", mapping_form(client, url, **changes))


def text(answer):
    return " ".join(answer.content.decode().split())


def asked_for(client, *arguments, **options):
    """An import that waits for a worker, and its address."""
    made, url = upload(client, *arguments, **options)
    plan(client, url)
    client.post(f"{url}apply/")
    return made, url


def applied(client, *arguments, **options):
    """An import that is through, and its address."""
    made, url = asked_for(client, *arguments, **options)
    work_off()
    return ImportFile.objects.get(pk=made.pk), url


def test_whole_way_through_plain_forms(client_of, alice):
    client = client_of(alice)
    page = text(client.get("/imports/new/?entity=contact&format=csv"))
    assert '<option value="contact" selected>Contacts</option>' in page

    made, url = upload(client)
    columns = text(client.get(url))
    assert "Columns of people.csv" in columns
    assert '<option value="last_name" selected>Last name *</option>' in columns
    assert re.search(
        r'<span class="badge" data-tone="ok"><svg[^>]*>.*?</svg>Last name</span>', columns
    )
    assert "<script>alert" not in columns

    answer = plan(client, url)
    assert (answer.status_code, answer.headers["Location"]) == (303, url)
    checked = text(client.get(url))
    assert "Import 1 contact" in checked
    assert re.search(r'<input form="row-form-3" name="cell-1" value=""[^>]*>.*?Required', checked)
    assert 'name="cell-2" value="nonsense"' in checked
    twice = text(client.get(f"{url}?fate=duplicate"))
    assert re.search(r"Gus Ho</bdi></b> <span[^>]*>the same as row 2</span>", twice)
    assert (Contact.objects.count(), Account.objects.count()) == (0, 0)

    assert client.post(f"{url}apply/").status_code == 303
    assert "Waiting for a worker" in text(client.get(url))
    work_off()
    result = text(client.get(url))
    assert "1 contact created" in result
    assert (Contact.objects.get().full_name, Account.objects.get().name) == ("Anna Bo", "Acme")

    made.refresh_from_db()
    outlook = f"{reverse('operation', args=[made.operation_id])}?next={url}"
    assert f'href="{outlook}"' in result
    assert f'name="next" value="{url}"' in text(client.get(outlook))
    undone = client.post(reverse("undo", args=[made.operation_id]), {"next": url})
    assert undone.headers["Location"] == url
    assert "This import has been undone" in text(client.get(url))
    assert Contact.objects.count() == 0
    assert "Undone" in text(client.get("/imports/"))


def test_my_imports_show_counts_and_whose_they_are(client_of, alice, admin):
    applied(client_of(alice))

    mine, every = (text(client_of(user).get("/imports/")) for user in (alice, admin))

    for page in (mine, every):
        assert "people.csv" in page
        cells = re.findall(r'<td class="table-num" data-label="(\w+).*?">(?:<a[^>]*>)?(\d*)', page)
        assert cells == [
            ("Successes", "1"), ("Failures", "2"), ("Partial", "0"), ("Held", "1"), ("Total", "4"),
        ]  # fmt: skip
    assert ("Alice Archer</td>" in mine, "Alice Archer</td>" in every) == (False, True)
    client = client_of(alice)
    listed = {
        status: "people.csv" in text(client.get(f"/imports/?status={status}"))
        for status in ("done", "failed", "open", "nonsense")
    }
    assert listed == {"done": True, "failed": False, "open": False, "nonsense": True}


def test_list_costs_the_same_for_one_and_for_three(client_of, alice, django_assert_num_queries):
    client = client_of(alice)
    for _ in range(2):
        upload(client)
        client.get("/imports/")
        with django_assert_num_queries(4):
            client.get("/imports/")


@pytest.mark.once
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "There is no data in this file. Choose a file with a header row"),
        (b"\n\n", "There is no data in this file. Choose a file with a header row"),
        (b"%PDF-1.7\n\0binary", "This is a file of the type “PDF”, which holds no table."),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            "This is a file of the type “PNG”, which holds no table.",
        ),
        (b"<!DOCTYPE html><html></html>", "This is a web page"),
    ],
)
def test_what_is_no_table_is_refused_on_the_spot(content, reason, client_of, alice):
    answer = send(client_of(alice), content)

    assert answer.status_code == 422
    assert reason in text(answer)
    assert ImportFile.objects.count() == 0


def test_upload_is_bounded(client_of, alice, settings, tmp_path):
    settings.UPLOAD_LIMIT = 20
    answer = send(client_of(alice))
    assert (answer.status_code, ImportFile.objects.count()) == (413, 0)
    assert list((tmp_path / "uploads" / "imports").iterdir()) == []


def test_request_that_says_it_is_too_large_is_not_read(client_of, alice, settings):
    settings.UPLOAD_LIMIT = -1024 * 1024
    answer = send(client_of(alice), b"x" * 2000)
    assert answer.status_code == 413
    assert "This is too large" in text(answer)

    # Somebody who is not signed in has nothing to upload.
    settings.UPLOAD_LIMIT = 1024**3
    stranger = Client(enforce_csrf_checks=True)
    stranger.get("/sign-in/")
    assert send(stranger, b"x" * 100_000).status_code == 413


@pytest.mark.once
def test_undone_import_leads_to_what_stayed(client_of, alice):
    client = client_of(alice)
    made, url = applied(client, b"Last Name;Mail\nBo;bo@x.de\nDee;dee@x.de\n")
    made.refresh_from_db()
    changed = Contact.objects.get(last_name="Bo")
    records.update_record(registry["contact"], changed.pk, {"job_title": "CEO"}, by=alice)
    client.post(reverse("undo", args=[made.operation_id]), {"next": url})

    (back,) = re.findall(r'href="(/operations/[^"]+)">See what', text(client.get(url)))

    assert "<b>Bo</b></a> (Contact): It has been changed since." in text(client.get(back))


@pytest.mark.once
def test_list_that_is_there_already_is_nothing_to_import(client_of, alice):
    client = client_of(alice)
    applied(client, b"Last Name;Mail\nBo;bo@x.de\n")
    _made, url = upload(client, b"Last Name;Mail\nBo;bo@x.de\n")
    plan(client, url)

    pages = (text(client.get(address)) for address in ("/imports/", "/imports/new/"))
    assert [page.count(">Nothing to import<") for page in pages] == [1, 1]


def test_import_whose_undo_was_undone_stands_again(client_of, alice):
    client = client_of(alice)
    made, url = applied(client, b"Last Name;Mail\nBo;bo@x.de\n")
    made.refresh_from_db()
    said = []
    for _times in range(3):
        last = Operation.objects.order_by("-id").first()
        client.post(reverse("undo", args=[last.pk]), {"next": url})
        (heading,) = browsing.page(client.get(url)).cssselect("main h1")
        said.append(("Undone" in text(client.get("/imports/")), browsing.words(heading)))

    undone, stands = (True, "This import has been undone"), (False, "1 contact created")
    assert said == [undone, stands, undone]


def test_stopped_import_says_how_many_rows_there_are(client_of, alice):
    client = client_of(alice)
    made, url = asked_for(client)
    ImportFile.objects.filter(pk=made.pk).update(
        state="cancelled", counts={"rows": 2, "created": 2, "refused": 0}
    )

    assert "<dt>Rows read</dt><dd>2 of 4</dd>" in text(client.get(url))


def workbook(*names):
    """One with these sheets, each a list or none."""
    made, content = openpyxl.Workbook(), io.BytesIO()
    made.remove(made.active)
    for name in names:
        sheet = made.create_sheet(name)
        for row in SHEETS[name]:
            sheet.append(row)
    made.save(content)
    return content.getvalue()


SHEETS = {
    "People": [["Last Name", "E-mail"], ["Bo", "bo@x.example"], ["Dee", "dee@x.example"]],
    "Firms": [["Account Name", "Tel"], ["Acme", "1"]],
    "Notes": [["To do"], ["Ask Bo"]],
}


@pytest.mark.once
def test_all_sheets_of_a_workbook_are_imported_in_one_go(client_of, alice):
    client = client_of(alice)
    _made, url = upload(client, workbook("People", "Notes", "Firms"), name="book.xlsx")

    one = text(client.get(url))
    client.post(f"{url}columns/", {"read": "*"})
    each = text(client.get(url))
    client.post(f"{url}columns/", {"plan": "1"})
    client.post(f"{url}apply/")
    work_off()

    assert ("3 sheets with rows. This page is about “People” alone" in one) is True
    assert ("Check the file: 2 rows" in one, "Check 2 sheets" in each) == (True, True)
    assert "<bdi>Notes</bdi>: The headers (To do) do not tell" in each
    assert (Account.objects.count(), Contact.objects.count()) == (1, 2)


def test_one_sheet_alone_is_taken_after_all_were(client_of, alice):
    client = client_of(alice)
    made, url = upload(client, workbook("People", "Notes", "Firms"), name="book.xlsx")

    def state():
        made.refresh_from_db()
        return made.reading.get("sheet"), made.entity, made.members.count(), made.state

    client.post(f"{url}columns/", {"read": "*"})
    client.post(f"{url}columns/", {"plan": "1"})
    assert state() == ("*", "account", 2, "planned")
    wrong = client.post(f"{url}columns/", {"alone": "../x"})
    assert "“../x” is none of these files." in text(wrong)
    assert state() == ("*", "account", 2, "planned")

    client.post(f"{url}columns/", {"alone": "Firms"})
    assert state() == ("Firms", "account", 0, "uploaded")
    client.post(f"{url}columns/", {"read": "*"})
    # What was left out because nobody knows what it holds is asked for.
    client.post(f"{url}columns/", {"alone": "Notes"})
    assert state() == ("Notes", "account", 0, "uploaded")
    assert "The headers (To do) do not tell" in text(client.get(url))


def test_owners_of_another_program_are_said_one_by_one(client_of, alice, bob):
    client = client_of(alice)
    rows = f"Id,LastName,OwnerId\n003A,Fay,{bob.email}\n003B,Bo,005x01\n003C,Dee,005x02\n"
    _made, url = upload(client, rows.encode())

    page = text(client.get(url))
    folded = page.partition('id="col-2"')[2].partition("</li>")[0]
    assert "1 of 3 owners are known" in folded
    assert re.findall(r"<label[^>]*><bdi>(.*?)</bdi>", folded) == [
        "005x01", "005x02", bob.email,
    ]  # fmt: skip
    assert re.findall(r'<option value="="[^>]*>(.*?)</option>', folded) == [
        "— take myself —", "— take myself —", str(bob),
    ]  # fmt: skip

    said = {"was-2": "owner", "cell-2-0": "005x01", "value-2-0": str(bob.pk), "value-2-1": "="}
    plan(client, url, **said)
    again = text(client.get(f"{url}columns/"))
    assert f'<option value="{bob.pk}" selected>{bob}</option>' in again
    client.post(f"{url}apply/")
    work_off()
    assert dict(Contact.objects.values_list("last_name", "owner")) == {
        "Bo": bob.pk, "Dee": alice.pk, "Fay": bob.pk,
    }  # fmt: skip


@pytest.mark.once
def test_company_by_another_spelling_can_be_one_of_its_own(client_of, alice):
    make_account(name="Acme GmbH", owner=alice)
    client = client_of(alice)
    _made, url = upload(client, b"Last Name,Company\nFay,Acme\n")
    shown = r'<select id="value-1-0".*?</select>'
    said = {"was-1": "account", "cell-1-0": "Acme"}

    first = re.search(shown, text(client.get(f"{url}columns/")))[0]
    assert re.findall(r"<option (.*?)</option>", first) == [
        'value="Acme GmbH" selected>Acme GmbH',
        'value="Acme">— as it is: Acme —',
    ]
    plan(client, url, **said, **{"value-1-0": "Acme"})
    again = re.search(shown, text(client.get(f"{url}columns/")))[0]
    assert re.findall(r"<option (.*?)</option>", again) == [
        'value="Acme" selected>— as it is: Acme —'
    ]
    client.post(f"{url}apply/")
    work_off()
    assert sorted(Account.objects.values_list("name", flat=True)) == ["Acme", "Acme GmbH"]


@pytest.mark.once
def test_owners_of_many_are_typed(client_of, alice, bob, monkeypatch):
    monkeypatch.setattr("rapport.web.importtargets.PEOPLE", 1)
    client = client_of(alice)
    _made, url = upload(client, b"Id,LastName,OwnerId\n003A,Fay,005x01\n003B,Bo,005x02\n")
    said = {"was-2": "owner", "cell-2-0": "005x01", "who-2-1": ""}

    wrong = plan(client, url, **said, **{"who-2-0": "Nobody"})
    assert "There is no user or team “Nobody”." in text(wrong)
    assert 'name="who-2-0" value="Nobody"' in text(wrong)
    plan(client, url, **said, **{"who-2-0": bob.email})
    again = text(client.get(f"{url}columns/"))
    assert sorted(re.findall(r'name="who-2-\d" value="(.*?)"', again)) == ["", bob.email]
    client.post(f"{url}apply/")
    work_off()
    owners = dict(Contact.objects.values_list("last_name", "owner"))
    assert owners == {"Fay": bob.pk, "Bo": alice.pk}


@pytest.mark.once
def test_workbook_with_one_list_stays_that_list_when_all_are_asked_for(client_of, alice):
    client = client_of(alice)
    made, url = upload(client, workbook("Notes", "People"), name="book.xlsx")

    client.post(f"{url}columns/", {"read": "*"})

    made.refresh_from_db()
    assert (made.reading["sheet"], made.entity) == ("People", "contact")
    assert "No other sheet is a list" in text(client.get(url))


def test_more_files_than_come_at_once_are_better_a_zip(client_of, alice, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1
    files = [SimpleUploadedFile(name, b"Last Name\nBo\n") for name in ("a.csv", "b.csv")]

    answer = client_of(alice).post("/imports/new/", {"entity": "auto", "file": files})

    assert (answer.status_code, "Put them into a .zip." in text(answer)) == (413, True)


@pytest.mark.parametrize("entity", ["auto", "lead"])
def test_empty_file_is_named_and_the_others_are_taken(entity, client_of, alice):
    client = client_of(alice)
    files = [
        SimpleUploadedFile("list.csv", b"Last Name,Company\nBo,Acme\n"),
        SimpleUploadedFile("void.csv", b""),
    ]

    client.post("/imports/new/", {"entity": entity, "file": files})

    made = ImportFile.objects.get(parent=None)
    page = text(client.get(f"/imports/{made.pk}/"))
    assert "“void.csv” is left out. There is no data in this file." in page
    assert entity in {"auto", made.entity}


def test_files_of_which_none_is_a_list_are_told(client_of, alice):
    files = [SimpleUploadedFile(name, b"%PDF-1.7\n\0") for name in ("a.csv", "b.csv")]

    answer = client_of(alice).post("/imports/new/", {"entity": "auto", "file": files})

    found = "None of these files holds a list that can be imported. a.csv: " in text(answer)
    assert (answer.status_code, found) == (422, True)


def test_file_that_tells_nothing_asks_what_it_holds(client_of, alice):
    client = client_of(alice)
    made, url = upload(client, b"a,b\nAcme,1\nBee,2\n", "auto")

    page = text(client.get(url))
    assert "do not tell whether these are contacts, accounts or leads" in page

    answer = client.post(f"{url}columns/", {"read": "1", "entity": "account"})
    made.refresh_from_db()
    assert (answer.status_code, made.entity, made.mapping) == (303, "account", {"0": "name"})
    assert "do not tell" not in text(client.get(url))


def test_file_is_read_as_chosen(client_of, alice):
    client = client_of(alice)
    content = "Titel\nName;Ort\nM\xfcller;K\xf6ln\n".encode("cp1252")
    made, url = upload(client, content, "account")

    client.post(
        f"{url}columns/",
        {
            "read": "1",
            "entity": "account",
            "encoding": "mac-roman",
            "delimiter": ";",
            "header": "2",
        },
    )
    made.refresh_from_db()
    assert (made.reading["encoding"], made.reading["header"]) == ("mac-roman", 2)
    client.post(
        f"{url}columns/",
        {"read": "1", "entity": "account", "encoding": "cp1252", "delimiter": ";", "header": "2"},
    )
    made.refresh_from_db()
    assert made.options["columns"] == ["Name", "Ort"]
    assert made.options["sample"] == [["Müller", "Köln"]]


def test_chosen_columns_count(client_of, alice):
    client = client_of(alice)
    made, url = upload(client)

    plan(client, url, **{"column-2": "", "column-4": "nickname", "missing-3": "blank"})

    made.refresh_from_db()
    assert made.mapping == {
        "0": "first_name", "1": "last_name", "3": {"field": "account", "missing": "blank"},
        "4": "nickname",
    }  # fmt: skip
    assert made.counts["create"] == 3


@pytest.mark.once
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"column-0": "last_name"}, "Two columns are mapped to Last name."),
        ({"column-0": "no_such_field"}, "There is no field “no_such_field”."),
        ({f"column-{n}": "" for n in range(5)}, "No column matches a field of Contacts."),
    ],
)
def test_mapping_that_makes_no_sense_is_explained(changes, reason, client_of, alice):
    client = client_of(alice)
    made, url = upload(client)

    answer = plan(client, url, **changes)

    assert answer.status_code == 422
    assert reason in text(answer)
    made.refresh_from_db()
    assert (made.state, Plan.objects.count()) == ("uploaded", 0)


def test_column_that_is_chosen_twice_says_so_at_once(client_of, alice):
    client = client_of(alice)
    _made, url = upload(client)
    form = mapping_form(client, url, **{"column-0": "last_name"}) | {"column": "0"}
    del form["plan"]

    part = text(client.post(f"{url}columns/", form, headers=HTMX))

    assert "Another column goes to this field already." in part


def test_back_to_the_columns_and_forget_it(client_of, alice, tmp_path):
    client = client_of(alice)
    made, url = upload(client)
    plan(client, url)

    assert "Check the file" in text(client.get(f"{url}columns/"))
    answer = client.post(f"{url}delete/")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/imports/")
    assert not ImportFile.objects.filter(pk=made.pk).exists()
    assert list((tmp_path / "uploads" / "imports").iterdir()) == []


@pytest.mark.once
def test_imported_file_is_not_mapped_again(client_of, alice):
    client = client_of(alice)
    made, url = applied(client)

    assert client.get(f"{url}columns/").status_code == 303
    assert plan(client, url).status_code == 303
    assert client.post(f"{url}apply/").status_code == 303
    made.refresh_from_db()
    assert (made.state, Contact.objects.count()) == ("done", 1)


@pytest.mark.once
def test_error_rows_come_as_a_file(client_of, alice):
    client = client_of(alice)
    _made, url = applied(client)

    answer = client.get(f"{url}errors.csv")

    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="people (errors).csv"'
    assert lines[0] == '"First Name";"Last Name";"Mail";"Company";"Odd";"Reason"'
    assert [line.split(";")[0] for line in lines[1:]] == ['"Carl"', '"Eve"']
    duplicates = client.get(f"{url}errors.csv?fate=duplicate")
    assert len(b"".join(duplicates.streaming_content).splitlines()) == 2


@pytest.mark.once
def test_repaired_error_rows_are_mapped_as_the_file_was(client_of, alice):
    client = client_of(alice)
    _made, url = upload(client)
    plan(client, url, **{"column-4": "nickname"})
    client.post(f"{url}apply/")
    work_off()
    errors = b"".join(client.get(f"{url}errors.csv").streaming_content)

    again, its_url = upload(client, errors.replace(b"nonsense", b"eve@x.de"), entity="auto")

    assert "mapped as those of “people.csv”" in text(client.get(its_url))
    assert again.mapping["4"] == "nickname"
    client.post(f"{its_url}columns/", {"read": "1", "entity": "lead"})
    assert "mapped as those of" not in text(client.get(its_url))


@pytest.mark.once
def test_rows_go_on_page_by_page_and_by_reason(client_of, alice):
    client = client_of(alice)
    rows = b"".join(b"Bo %d,nonsense\n" % n for n in range(60))
    _made, url = upload(client, b"Last Name,Mail\n" + rows + b",a@b.de\n")
    plan(client, url)

    first = text(client.get(url))
    assert first.count('<tr class="plan-row"') == 50
    assert f'href="{url}?fate=refused&amp;after=51"' in first
    more = text(client.get(f"{url}?fate=refused&after=51"))
    assert more.count('<tr class="plan-row"') == 11
    assert f'href="{url}?fate=refused&amp;reason=0%7Crequired"' in first
    one = text(client.get(f"{url}?fate=refused&reason=0|required"))
    assert one.count('<tr class="plan-row"') == 1


HTMX = {"HX-Request": "true"}


@pytest.mark.once
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_wrong_cell_is_repaired_in_place(headers, client_of, alice):
    client = client_of(alice)
    made, url = upload(client)
    plan(client, url)
    back = f"{url}?fate=refused"
    assert "no e-mail address" in text(client.get(back))

    row = f"{url}rows/4/?fate=refused&columns=2.1"
    answer = client.post(row, {"cell-2": "eve@x.de", "repair": "1", "next": back}, headers=headers)

    made.refresh_from_db()
    assert (made.counts["create"], made.counts["refused"]) == (2, 1)
    if headers:
        part = text(answer)
        assert part.startswith('<table><tr class="plan-row" id="row-4" tabindex="-1" data-decided')
        assert "will be created" in part
        assert 'id="fates"' in part
        # Nothing is wrong with an address any more.
        assert 'id="plan-reasons"' in part
        assert "no e-mail address" not in part
        assert "Import 2 contacts" in part
    else:
        assert answer.headers["Location"] == f"{back}#row-4"

    # Still wrong: the same cell, with what was typed.
    wrong = client.post(f"{url}rows/3/?fate=refused&columns=1", {"cell-1": " "}, headers=HTMX)
    assert 'aria-invalid="true"' in text(wrong)
    # With the last one that was wrong go the reasons, and come back with it.
    for typed, reasons in (("Xu", 0), (" ", 2)):
        last = client.post(f"{url}rows/3/?fate=refused&columns=1", {"cell-1": typed}, headers=HTMX)
        nav = text(last).partition('id="plan-reasons"')[2].partition("</nav>")[0]
        assert (nav.count('class="chip"'), "CSV" in nav) == (reasons, reasons > 0)
    client.post(f"{url}apply/")
    work_off()
    assert sorted(Contact.objects.values_list("email", flat=True)) == ["anna@x.de", "eve@x.de"]


def test_duplicates_are_decided_one_by_one_and_all_alike(client_of, alice):
    stored = [
        make_contact(last_name=n, email=f"{n}@x.de".lower(), owner=alice) for n in ("Ax", "By")
    ]
    client = client_of(alice)
    content = b"Last Name,Mail,Job Title\nAx,ax@x.de,CEO\nBy,by@x.de,CFO\n"
    made, url = upload(client, content)
    plan(client, url)
    page = text(client.get(f"{url}?fate=duplicate"))
    assert "Import" not in page.partition('id="plan-bar"')[2].partition("</div>")[0]
    assert f'href="/contacts/{stored[0].pk}/"' in page
    assert re.search(r"Job title</th><td><bdi>CEO</bdi></td>.*?only one has it", page)

    row = f"{url}rows/2/?fate=duplicate"
    part = text(client.post(row, {"decision": "fill"}, headers=HTMX))
    assert part.startswith('<li class="plan-row plan-card" id="row-2" tabindex="-1" data-decided')
    assert "will be updated" in part
    assert "Take back" in part
    left_out = {"fate": "duplicate", "decision": "skip"}
    for more, counts in (({}, (1, 1)), ({"over": "on"}, (0, 2))):
        # What was said of one row holds, unless one asks for more.
        assert "also the 1 row decided by itself" in text(client.get(f"{url}?fate=duplicate"))
        assert client.post(f"{url}alike/", left_out | more).status_code == 303
        made.refresh_from_db()
        assert (made.counts["update"], made.counts["skip"]) == counts
    assert "Decided for all" in text(client.get(f"{url}?fate=skip"))
    client.post(f"{url}alike/", {"fate": "duplicate", "decision": ""})
    client.post(f"{url}rows/2/", {"decision": "fill"})
    client.post(f"{url}rows/3/", {"decision": "create"})

    client.post(f"{url}apply/")
    work_off()
    assert sorted(Contact.objects.values_list("last_name", "job_title")) == [
        ("Ax", "CEO"), ("By", ""), ("By", "CFO"),
    ]  # fmt: skip


@pytest.mark.once
def test_what_cannot_be_decided_is_said(client_of, alice):
    client = client_of(alice)
    made, url = upload(client)
    plan(client, url)

    assert client.post(f"{url}alike/", {"fate": "nonsense", "decision": "skip"}).status_code == 404
    assert client.post(f"{url}alike/", {"fate": "create", "decision": "x"}).status_code == 404
    answer = client.post(f"{url}rows/3/", {"decision": "update"}, follow=True)
    assert "This cannot be decided about row 3." in text(answer)
    made.refresh_from_db()
    assert made.counts["create"] == 1


def test_result_lists_failures_and_the_records(client_of, alice):
    client = client_of(alice)
    _made, url = applied(client)

    lines = text(client.get(url))
    assert re.search(
        r'<td class="table-num">4</td><td><bdi>Mail</bdi></td><td><span[^>]*><bdi>nonsense</bdi>'
        r"</span></td><td>[^<]*is not an e-mail address",
        lines,
    )
    held = text(client.get(f"{url}?fate=duplicate"))
    assert "The same as row 2 of this file" in held
    created = text(client.get(f"{url}records/created/"))
    assert "Created by “people.csv”" in created
    assert f'<a href="/contacts/{Contact.objects.get().pk}/">Anna Bo</a>' in created
    assert client.get(f"{url}records/nonsense/").status_code == 404


@pytest.mark.once
def test_source_file_is_deleted_and_the_outcome_stays(client_of, alice, tmp_path):
    client = client_of(alice)
    _made, url = applied(client)

    assert client.post(f"{url}delete/").headers["Location"] == url

    assert list((tmp_path / "uploads" / "imports").iterdir()) == []
    page = text(client.get(url))
    assert "1 contact created" in page
    assert "Delete the file" not in page
    assert client.get(f"{url}errors.csv").status_code == 303
    assert Contact.objects.count() == 1


def test_cells_are_pasted(client_of, alice):
    client = client_of(alice)
    answer = client.post(
        "/imports/new/", {"entity": "contact", "pasted": "Last Name\tMail\nBö\tb@x.de\n"}
    )
    made = ImportFile.objects.get()
    assert answer.headers["Location"] == f"/imports/{made.pk}/"
    assert made.options["sample"] == [["Bö", "b@x.de"]]
    summary = browsing.page(client.get(f"/imports/{made.pk}/")).cssselect(".import-summary span")
    assert [browsing.words(said) for said in summary] == [
        "Contacts", "Text", "Unicode (UTF-8)", "Tab", "header in row 1",
    ]  # fmt: skip
    assert client.post("/imports/new/", {"entity": "contact"}).status_code == 422


def test_several_files_are_one_import(client_of, alice):
    client = client_of(alice)
    files = [
        SimpleUploadedFile("people.csv", b"Last Name,Mail,Account Id\nBo,b@x.de,A1\nCy,no,A1\n"),
        SimpleUploadedFile("firms.csv", b"Id,Name,Website\nA1,Acme,acme.example\n"),
    ]
    answer = client.post("/imports/new/", {"file": files, "entity": "auto"})
    url = answer.headers["Location"]
    page = text(client.get(url))
    # What others refer to comes first.
    assert page.index("firms.csv</bdi>") < page.index("people.csv</bdi>")
    assert "Check 2 files" in page
    # One of them alone, and all of them again.
    client.post(f"{url}columns/", {"alone": "people.csv"})
    assert "<span>file “people.csv”</span>" in text(client.get(url))
    client.post(f"{url}columns/", {"read": "1", "member": "*"})
    assert "Check 2 files" in text(client.get(url))
    people = ImportFile.objects.get(name="people.csv")
    own = f"/imports/{people.pk}/"

    # A change of one file's columns leads back to all; they are checked together.
    back = plan(client, own)
    assert back.headers["Location"] == url
    client.post(f"{url}columns/", {"plan": "1"})
    assert "Import 2 records" in text(client.get(url))
    member = text(client.get(own))
    assert 'value="no"' in member
    assert "1 account to create" in member
    client.post(f"{own}rows/3/", {"cell-1": "c@x.de"})

    assert client.post(f"{own}apply/").headers["Location"] == url
    assert client.get(own).headers["Location"] == url
    work_off()
    done = text(client.get(url))
    assert "3 records created" in done
    (accounts,) = re.findall(r'href="(\S+of=account)">Created accounts', done)
    assert re.findall(">(Acme|Bo|Cy)<", text(client.get(accounts))) == ["Acme"]
    assert Contact.objects.filter(account__name="Acme").count() == 2
    assert "people.csv" not in re.sub(r"[^<>]*, [^<>]*", "", text(client.get("/imports/")))


@pytest.mark.once
def test_rows_that_are_there_may_say_more_of_their_company(client_of, alice):
    client = client_of(alice)
    for more, word in (("", "Import 1 contact"), (",+49 30 1", "Update 1 account")):
        header = b"Last Name,Mail,Company" + (b",Company Phone" if more else b"")
        _made, url = upload(client, header + f"\nBo,b@x.de,Acme{more}\n".encode())
        plan(client, url)
        assert f">{word}</button>" in text(client.get(url))
        client.post(f"{url}apply/")
        work_off()

    done = text(client.get(url))
    assert "<h1>1 account updated</h1>" in done
    assert Account.objects.get().main_phone == "+49 30 1"
    # Now there is nothing to do any more, which the list says, too.
    _made, url = upload(client, b"Last Name,Mail,Company\nBo,b@x.de,Acme\n")
    plan(client, url)
    assert "Everything in this file is there already." in text(client.get(url))
    assert "Nothing to import" in text(client.get("/imports/"))


def test_plan_of_nothing_but_records_of_others_says_what_helps(client_of, alice, charlie):
    client = client_of(alice)
    theirs = [make_contact(last_name="Bo", owner=charlie).pk for _number in range(2)]
    header = b"(Do Not Modify) Contact,Last Name,Mail\n"
    for mail, told in (("c@x.de", "not yours to change: ask its owner"), ("", "correct the colu")):
        rows = f"{theirs[0]},Bo,b@x.de\n{theirs[1] if mail else 7},Bo,c@x.de\n"
        _made, url = upload(client, header + rows.encode())
        plan(client, url)
        assert told in text(client.get(url))


@pytest.mark.once
def test_row_without_a_name_is_called_by_what_it_knows(client_of, alice):
    make_contact(first_name="Bo", last_name="Lind", email="bo@x.example", owner=alice)
    client = client_of(alice)
    _made, url = upload(client, b"E-Mail,Function\nbo@x.example,Buyer\n")

    plan(client, url, match="email")

    assert "<b><bdi>bo@x.example</bdi></b>" in text(client.get(f"{url}?fate=update"))


@pytest.mark.once
def test_what_the_form_does_not_ask_stays_as_it_was_found(client_of, alice, monkeypatch):
    monkeypatch.setattr("rapport.web.importtargets.VALUES", 1)
    for name in ("Hansa GmbH", "Kontor AG"):
        make_account(name=name, owner=alice)
    client = client_of(alice)
    content = b"Topic,Company,Probability\nRoof,Hansa,0.6\nDoor,Kontor,1\n"
    _made, url = upload(client, content, entity="opportunity")
    page = text(client.get(url))
    assert "“Probability” has shares of one: 0.6 becomes 60." in page
    assert "<bdi>0.6</bdi> <small>→ 60</small>" in page

    plan(client, url, **{"was-1": "account", "cell-1-0": "Hansa", "value-1-0": "Hansa GmbH"})
    client.post(f"{url}apply/")
    work_off()

    found = Opportunity.objects.order_by("-topic").values_list("account__name", "probability")
    assert list(found) == [("Hansa GmbH", 60), ("Kontor AG", 100)]


@pytest.mark.once
def test_options_of_the_mapping_are_kept_and_shown_again(client_of, alice):
    client = client_of(alice)
    content = b"Last Name,Mail,Contact way,Company\nBo,b@x.de,Dove,Acme\nCy,c@x.de,Any,Acme\n"
    made, url = upload(client, content)
    said = {
        "column-2": "preferred_contact_method", "was-2": "preferred_contact_method",
        "cell-2-0": "Dove", "value-2-0": "2", "cell-2-1": "Any", "value-2-1": "=",
        "was-3": "account", "missing-3": "refuse", "several-3": "oldest",
        "was-1": "email", "default-1": "x@x.de", "wipe-1": "1",
        "constant-0": "job_title", "constant-text-0": "Guest",
        "match": ["email"], "match-own": ["last_name", "email"], "on_match": "fill",
        "duplicates": "create",
    }  # fmt: skip

    form = {**mapping_form(client, url), **said, "column": "2"}
    del form["plan"]
    part = text(client.post(f"{url}columns/", form, headers=HTMX))
    assert part.startswith('<li class="column" id="col-2" data-mapped>')
    assert 'id="needs" hx-swap-oob' in part

    assert plan(client, url, **said).status_code == 303
    made.refresh_from_db()
    assert made.mapping == {
        "0": "last_name",
        "1": {"field": "email", "default": "x@x.de", "wipe": True},
        "2": {"field": "preferred_contact_method", "values": {"Dove": "2"}},
        "3": {"field": "account", "missing": "refuse", "several": "oldest"},
        "constants": {"job_title": "Guest"},
        "match": [["email"], ["last_name", "email"]],
        "on_match": "fill",
        "duplicates": "create",
    }
    page = text(client.get(f"{url}columns/"))
    assert 'name="default-1" value="x@x.de"' in page
    assert '<input name="constant-text-0" value="Guest"' in page
    assert 'name="match" value="email" checked' in page
    assert 'name="match-own" value="last_name" checked' in page

    # Options of another field than the one that stood there say nothing.
    plan(client, url, **{"column-1": "nickname", "was-1": "email", "default-1": "x@x.de"})
    made.refresh_from_db()
    assert made.mapping["1"] == "nickname"


def test_option_that_a_list_lacks_is_added_by_who_may(client_of, alice, admin):
    content = b"Last Name,Company,Lead source\nBo,Acme,Stand 7\n"
    said = {"column-2": "source", "was-2": "source", "cell-2-0": "Stand 7", "value-2-0": "+"}
    client = client_of(alice)
    _made, url = upload(client, content, "lead")
    refused = plan(client, url, **said)
    assert "Only administrators add options to choice lists." in text(refused)

    client = client_of(admin)
    _made, url = upload(client, content, "lead")
    form = {**mapping_form(client, url), "column-2": "source", "column": "2"}
    del form["plan"]
    part = text(client.post(f"{url}columns/", form, headers=HTMX))
    assert "— add “Stand 7” as an option —" in part
    assert plan(client, url, **said).status_code == 303
    client.post(f"{url}apply/")
    work_off()
    assert Lead.objects.get().source == ChoiceOption.objects.get(label="Stand 7").value


def test_change_of_dates_keeps_the_columns(client_of, alice):
    client = client_of(alice)
    made, url = upload(client, b"Last Name,Born\nBo,03/04/1980\nCy,31/12/1980\n")
    assert made.reading["date_order"] == "dmy"
    form = mapping_form(client, url, **{"column-1": "birthday", "read": "1", "date_order": "mdy"})
    del form["plan"]

    page = client.post(f"{url}columns/", form, headers=HTMX)

    made.refresh_from_db()
    assert (made.mapping["1"], made.reading["date_order"]) == ("birthday", "mdy")
    assert '03/04/1980</bdi> <small>→ <time datetime="1980-03-04">' in text(page)


@pytest.mark.once
def test_running_import_is_polled_and_then_left(client_of, alice):
    client = client_of(alice)
    _made, url = asked_for(client)

    part = client.get(f"{url}?poll=1", headers={"HX-Request": "true"})
    assert text(part).startswith('<section class="panel" id="running"')
    work_off()
    over = client.get(f"{url}?poll=1", headers={"HX-Request": "true"})
    assert (over.status_code, over.headers["HX-Redirect"]) == (204, url)


@pytest.mark.once
def test_large_file_is_planned_by_a_worker(client_of, alice, monkeypatch):
    from rapport.web import importcolumns

    monkeypatch.setattr(importcolumns, "AT_ONCE", 10)
    client = client_of(alice)
    made, url = upload(client)

    assert plan(client, url).status_code == 303
    assert "Checking every row" in text(client.get(url))
    work_off()
    made.refresh_from_db()
    assert (made.state, made.counts["create"]) == ("planned", 1)


def test_large_workbook_is_read_by_a_worker(client_of, alice, monkeypatch):
    from rapport.imports import flow

    monkeypatch.setattr(flow, "READ_AT_ONCE", 10)
    client = client_of(alice)
    xml = b"<people><person><name>Anna Bo</name></person><person><name>C D</name></person></people>"
    made, url = upload(client, xml, name="x.xml")

    assert "Reading the file" in text(client.get(url))
    work_off()
    made.refresh_from_db()
    assert made.options["columns"] == ["name"]

    broken, url = upload(client, b"<people><person>", name="x.xml")
    work_off()
    broken.refresh_from_db()
    assert broken.state == "failed"
    assert "This file cannot be imported" in text(client.get(url))


@pytest.mark.once
def test_stop_and_go_on(client_of, alice):
    client = client_of(alice)
    made, url = asked_for(client)

    assert client.post(f"{url}cancel/").status_code == 303
    work_off()
    made.refresh_from_db()
    assert (made.state, Contact.objects.count()) == ("cancelled", 0)
    assert "Go on where it stopped" in text(client.get(url))

    client.post(f"{url}retry/")
    work_off()
    made.refresh_from_db()
    assert (made.state, Contact.objects.count()) == ("done", 1)


PATHS = ("", "columns/", "records/created/", "errors.csv")
POSTS = ("columns/", "apply/", "cancel/", "retry/", "delete/", "alike/", "rows/2/")


@pytest.mark.once
def test_only_the_uploader_and_administrators_see_an_import(client_of, alice, bob, charlie, admin):
    _made, url = upload(client_of(alice))
    plan(client_of(alice), url)

    for user, expected in ((alice, 200), (admin, 200), (bob, 404), (charlie, 404)):
        assert [client_of(user).get(url + path).status_code for path in PATHS] == [expected] * 4
    for user in (bob, charlie):
        said = {"fate": "create", "decision": "skip"}
        assert {client_of(user).post(url + path, said).status_code for path in POSTS} == {404}
    assert client_of(alice).get(f"/imports/{uuid.uuid4()}/").status_code == 404


def test_row_that_no_file_can_have_is_not_found(client_of, alice):
    client = client_of(alice)
    _made, url = upload(client)
    plan(client, url)

    answer = client.post(f"{url}rows/{10**20}/", {"decision": "skip"})

    assert answer.status_code == 404


def test_right_to_import_is_needed(client_of):
    reader = client_of(make_user(roles=("read-only",)))

    assert reader.get("/imports/new/").status_code == 403
    assert send(reader).status_code == 403
    assert reader.get("/imports/").status_code == 200
    assert ImportFile.objects.count() == 0


def test_entity_that_one_may_not_import_is_refused(client_of):
    mira = client_of(make_user(roles=("marketing",)))
    assert send(mira, entity="account").status_code == 403
    _made, url = upload(mira)
    assert mira.post(f"{url}columns/", {"read": "1", "entity": "account"}).status_code == 403


def test_strangers_are_sent_to_the_door(client):
    assert [
        client.get(path).headers["Location"].split("?")[0]
        for path in ("/imports/", "/imports/new/", f"/imports/{uuid.uuid4()}/")
    ] == ["/sign-in/"] * 3


def test_nothing_is_done_by_a_get(client_of, alice):
    client = client_of(alice)
    _made, url = upload(client)
    assert [client.get(url + path).status_code for path in POSTS[1:]] == [405] * 6


def test_titles_of_hidden_duplicates_are_not_shown(client_of, alice, charlie):
    make_contact(last_name="Secret", email="anna@x.de", owner=charlie)
    client = client_of(alice)
    _made, url = upload(client)
    plan(client, url)

    assert "Secret" not in text(client.get(f"{url}?fate=duplicate"))


@pytest.mark.once
def test_very_wide_file_stays_usable(client_of, alice):
    client = client_of(alice)
    header = ",".join([*(f"x{n}" for n in range(900)), "Last Name"])
    _made, url = upload(client, f"{header}\n{',' * 900}Bo\n".encode())

    page = client.get(url)
    assert "651 more columns are ignored" in text(page)
    assert page.content.count(b'<select id="column-') == 250
    assert plan(client, url).status_code == 303
    assert "Import 1 contact" in text(client.get(url))


def test_cells_written_for_people_are_shown_as_what_they_become(client_of, alice):
    client = client_of(alice)
    content = b"Company,Employees,Industry\nAcme,51-200,-\nBee,many,Consulting\n"
    made, url = upload(client, content, entity="account")
    page = text(client.get(url))

    assert re.search(r"51-200</bdi>.{0,80}51\b", page)
    assert "“many” is not a number" in page
    # What is said of a column that is taken stays in sight.
    assert "“Employees” has numbers for others near them: “51-200” becomes 51." in page
    # A word for nothing asks for no option.
    assert re.search(r'value="-">\s*<select[^>]*><option value="=" selected>— leave blank —', page)
    assert made.options["notes"]
