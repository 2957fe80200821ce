"""Shapes that lists have in the world, one by one."""

from dataclasses import replace
from datetime import date

import openpyxl
import pytest

from rapport.imports import choicewords, flow
from rapport.imports.mapping import MappingRefused
from rapport.meta.folding import fold
from rapport.meta.kinds import Reading, parse
from rapport.meta.registry import registry
from rapport.models import Account, Contact, Lead, Opportunity
from tests.imports.bringing import applied, bring, describe, plan

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("entity", "lines"),
    [
        ("opportunity", ("Topic,Company,Contact,Amount", "New Website,Acme,Anna Bo,500")),
        ("opportunity", ("Title,Customer,Stage", "Roof,Acme,Propose")),
        ("lead", ("Name,Company,Amount", "Anna Bo,Acme,500", "Eva Dee,Acme,20")),
        # A deal that names nobody would be refused.
        ("account", ("Name,Description,Amount", "Roof,Steep,500")),
        ("contact", ("Title,First Name,Last Name,Company", "CEO,Anna,Bo,Acme")),
        ("contact", ("Nom;Email;Entreprise", "Jean Dupont;jean@x.example;Acme SA")),
        ("contact", ("Name,Email", "Anna ✨,anna@x.example", "Bo,bo@y.example")),
        ("account", ("Name,Email", "Acme,info@acme.example", "Bee,hello@bee.example")),
        ("contact", ("First Name,Last Name,Company,Lead Source,Birthday", "Anna,Bo,Acme,Web,")),
        ("lead", ("First Name,Last Name,Company,Lead Source,Lead Status", "Anna,Bo,Acme,Web,New")),
        ("account", ("Name,Industry,Revenue", "Acme Ltd,Consulting,500")),
    ],
)
def test_list_is_told_by_its_headers(alice, table, entity, lines):
    assert describe(table(*lines), "auto", by=alice).entity == entity


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("Anna,Bo,anna@bo.example", "No header tells whether these are contacts"),
        ("Anna,Bo,Mail: anna@bo.example", "The header looks like a record: choose row 0"),
        ("Customers\n,,\nEmail,Phone,Roof,Slope,Pitch", "Row 3 looks more like the header"),
    ],
)
def test_list_that_nobody_can_tell_says_what_helps(alice, table, line, hint):
    with pytest.raises(MappingRefused, match=hint):
        describe(table(line, "Roof,Steep,500"), "auto", by=alice)


def test_one_known_word_makes_no_header(alice, table):
    with pytest.raises(MappingRefused, match="Row 2 looks more like the header"):
        describe(table("Customers,", "Roof,Email", "Steep,a@bo.example"), "auto", by=alice)


@pytest.mark.parametrize("title", ["Customers", "Company,Acme Ltd"])
def test_title_above_the_header_is_passed_over(alice, table, title):
    done = bring(table(title, "", "Name,Email,Phone,City", "Anna Bo,a@bo.example,1,Bonn"), by=alice)

    assert Contact.objects.values_list("full_name", "email").get() == ("Anna Bo", "a@bo.example")
    assert done.upload.options["notes"][0].startswith("Row 3 is the header; what stands above")


def test_headers_may_say_whose_names_they_are(alice, table):
    header = "Player First Name,Player Last name,player_email,Mother – email,IND/ORG"
    bring(table(header, "Anna,Bo,a@bo.example,eva@bo.example,Individual"), "auto", by=alice)

    found = Contact.objects.values_list("first_name", "last_name", "email", "email2", "account")
    assert found.get() == ("Anna", "Bo", "a@bo.example", "", None)


def test_whole_name_with_a_first_name_beside_it_stays_whole(alice, table):
    lines = ('"Bo, Anna",Anna,a@bo.example', '"Dee, Eva",Eva,')
    bring(table("Donor Name,First Name,Donor Email", *lines), by=alice)

    found = Contact.objects.order_by("pk").values_list("first_name", "last_name", "email")
    assert list(found) == [("Anna", "Bo", "a@bo.example"), ("Eva", "Dee", "")]


@pytest.mark.parametrize(("parents", "made"), [(("1-0017", "20 18"), 0), (("360", "1-0017"), 2)])
def test_numbers_of_companies_elsewhere_make_none(alice, table, parents, made):
    lines = [f"Acme {number},{number}" for number in parents]
    done = bring(table("Name,Parent Account", *lines), "account", by=alice)
    assert (Account.objects.count(), len(done.upload.options["notes"])) == (2 + made, not made)


def test_column_of_ranges_gives_the_lower_ends_and_is_told(alice, table):
    lines = ("Bee,51-200,€1m - €5m", "Acme,10.001+ employees,> 5 Mio")
    done = bring(table("Company,Company Size,Annual Revenue", *lines), "account", by=alice)

    assert (done.counts["created"], len(done.upload.options["notes"])) == (2, 2)
    found = Account.objects.order_by("name").values_list("employees", "annual_revenue")
    assert list(found) == [(10_001, 5_000_000), (51, 1_000_000)]


def test_deals_name_their_customer_and_contact(alice, table):
    header = "Topic,Company,Contact,Amount,Probability"
    done = bring(table(header, "Roof,Acme,Anna Bo,500,60%"), "auto", by=alice)
    names = ("topic", "account__name", "contact__full_name", "estimated_revenue", "probability")
    assert (done.errors, list(Opportunity.objects.values_list(*names))) == (
        [], [("Roof", "Acme", "Anna Bo", 500, 60)],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "chances"),
    [
        # As a workbook keeps what it shows as 60 %; all of a deal that is won.
        (("0.6", "1", "0", "0.125"), [60, 100, 0, 13]),
        (("0,05", "1,0"), [5, 100]),
        # So few of a hundred.
        (("1", "0"), [1, 0]),
    ],
)
def test_chances_may_be_shares_of_one(alice, table, cells, chances):
    lines = (f"Deal {at};{cell};Acme" for at, cell in enumerate(cells))
    done = bring(table("Topic;Probability;Company", *lines), "opportunity", by=alice)
    found = Opportunity.objects.order_by("topic").values_list("probability", flat=True)
    assert (done.errors, list(found)) == ([], chances)
    assert len(done.upload.options["notes"]) == (chances != [1, 0])


def test_chances_in_tenths_are_rounded_and_told(alice, table):
    rows = ("Roof;17,5", "Wall;12", "Door;99,9", "Sink;0,6")
    lines = ("Topic;Probability;Company", *(f"{row};Acme" for row in rows))
    done = bring(table(*lines), "opportunity", by=alice)

    made = Opportunity.objects.order_by("pk").values_list("topic", "probability")
    assert list(made) == [("Roof", 18), ("Wall", 12), ("Door", 100)]
    assert done.upload.options["notes"] == [
        "“Probability” has fractions, which are rounded: 17,5 becomes 18."
    ]
    # Nobody knows whether that is of one or of a hundred.
    ((row, column, reason),) = done.errors
    assert (row, column, reason[:29]) == (5, "Probability", "“0,6” is not a whole number. ")


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("Mom,,Mom", ("", "", "Mom")),
        ("Mary Ann,,Mary Ann Smith", ("Mary Ann", "", "Smith")),
        ("Anna,,Anna B. Smith", ("Anna", "B.", "Smith")),
        ("Anna,Smith,Dr. A. Smith", ("Anna", "", "Smith")),
        (",,\u0301", ("", "", "\u0301")),  # nothing is left of it when case and accents go
    ],
)
def test_full_name_beside_a_first_name_adds_what_is_missing(alice, table, row, name):
    bring(table("First Name,Last Name,Full Name", row), by=alice)
    assert Contact.objects.values_list("first_name", "middle_name", "last_name").get() == name


def test_column_called_just_like_a_field_goes_before_others(alice, table):
    header = "Phone,Business Phone,Email Home,Email,Title,Job Title,County,State,Last Name"
    row = "1,2,a@h.example,a@w.example,Dr.,CEO,Kent,NSW,Bo"
    upload = describe(table(header, row), by=alice)

    mapping = flow.mapping_of(upload)
    assert {header.split(",")[i]: t.field for i, t in mapping.columns.items()} == {
        "Phone": "business_phone2", "Business Phone": "business_phone", "Email Home": "email2",
        "Email": "email", "Title": "salutation", "Job Title": "job_title",
        "State": "address1_state_or_province", "Last Name": "last_name",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("Birth Year,Birth Month,Birth Day", ("1970,3,5", "1970,,5")),
        ("Day of birth,Month of birth,Year of birth", ("5,March,1970", "5,March,")),
        ("Geburtstag,Geburtsmonat,Geburtsjahr", ("05,03,1970", ",,1970")),
        ("Année de naissance,Mois de naissance,Jour de naissance", ("1970,3,5", ",,")),
    ],
)
def test_day_in_three_columns_is_one(alice, table, header, rows):
    lines = [f"{name},{row}" for name, row in zip(("Bo", "Dee"), rows, strict=True)]
    done = bring(table(f"Last Name,{header}", *lines, "Wu,x,y,z"), by=alice)

    found = Contact.objects.order_by("last_name").values_list("last_name", "birthday")
    assert list(found) == [("Bo", date(1970, 3, 5)), ("Dee", None)]
    assert [row for row, _column, _reason in done.errors] == [4]


def test_day_in_three_columns_is_one_in_a_repaired_row_too(alice, table):
    header = "Last Name,Birth Year,Birth Month,Birth Day,Email"
    upload = plan(table(header, "Bo,1970,3,5,x", "Dee,1970,3,5,"), by=alice)
    flow.repair(upload, 2, {4: "b@x.de"}, by=alice)
    row = flow.repair(upload, 3, {1: ""}, by=alice)

    assert (row.fate, upload.counts["refused"]) == ("create", 0)
    applied(upload, by=alice)
    found = Contact.objects.order_by("last_name").values_list("last_name", "birthday")
    assert list(found) == [("Bo", date(1970, 3, 5)), ("Dee", None)]


def test_column_that_is_something_else_is_no_part_of_a_day(alice, table):
    lines = ("Last Name,Birth Year,Birth Month,Birth Day", "Bo,1970-02-03,May,5")
    done = bring(table(*lines), by=alice, picks=["Birth Month=nickname"])

    found = Contact.objects.values_list("nickname", "birthday")
    assert (done.errors, list(found)) == ([], [("May", date(1970, 2, 3))])


def test_whole_names_may_stand_in_a_column_for_a_half(alice, table):
    bring(table("Nombre,Correo", "Juan García,juan@x.example"), "contact", by=alice)
    found = Contact.objects.values_list("first_name", "last_name", "email").get()
    assert found == ("Juan", "García", "juan@x.example")


def test_ids_of_another_program_make_no_accounts(alice, table):
    bring(table("Name,Parent Account ID", "Acme,a0-77", "Bee,a0-78"), "account", by=alice)
    assert sorted(Account.objects.values_list("name", "parent_account")) == [
        ("Acme", None), ("Bee", None),
    ]  # fmt: skip


def test_contact_may_be_a_number(alice, table):
    header = "Name,☎ Contact,Sales Rep"
    bring(table(header, "Anna Bo,555-6001,Alice Archer"), by=alice)
    found = Contact.objects.values_list("full_name", "business_phone", "owner").get()
    assert found == ("Anna Bo", "555-6001", alice.pk)


def test_sources_in_other_words_are_ours(alice, table):
    bring(table("Last Name,Lead Source", "Bo,Cold Call", "Dee,Website"), "lead", by=alice)
    assert set(Lead.objects.values_list("last_name", "source")) == {("Bo", 10), ("Dee", 8)}


def test_addresses_are_not_torn_apart_by_names(alice, table):
    header = "Last Name,Business Street,Business City,Street,City"
    bring(table(header, "Bo,Ring 5,Bonn,Kai 1,Kiel"), by=alice)
    names = ("address1_line1", "address1_city", "address2_line1", "address2_city")
    assert Contact.objects.values_list(*names).get() == ("Ring 5", "Bonn", "Kai 1", "Kiel")


def test_list_without_headers_is_mapped_by_its_values(alice, table):
    upload = describe(table("Anna Bo,anna@bo.example"), "contact", by=alice, header=0)
    assert flow.mapping_of(upload).fields == {"full_name", "email"}


def test_record_in_the_first_row_is_no_header(alice, table):
    done = bring(table("Anna Bo,anna@bo.example", "Eva Dee,eva@dee.example"), by=alice)

    names = Contact.objects.order_by("last_name").values_list("last_name", "email")
    assert list(names) == [("Bo", "anna@bo.example"), ("Dee", "eva@dee.example")]
    assert (done.upload.options["header_row"], done.upload.counts["rows"]) == (0, 2)


def test_header_may_stand_beside_an_address(alice, table):
    upload = describe(table("Name,anna@bo.example", "Eva Dee,x"), "contact", by=alice)
    assert (upload.options["header_row"], flow.columns_of(upload)[0]) == (1, "Name")


def test_card_without_a_name_is_refused_and_not_doubted(alice):
    card = b"BEGIN:VCARD\nVERSION:4.0\nADR:;;Ring 5;Bonn;;53111;\nEND:VCARD\n"
    done = bring(card, "auto", by=alice)
    assert [error[2].partition(" ")[0] for error in done.errors] == ["Last"]


def test_card_is_of_no_program(alice):
    card = (
        b"BEGIN:VCARD\nVERSION:3.0\nN:Bo;Anna\nTEL;TYPE=WORK:1\nTEL;TYPE=HOME:2\nEMAIL:a@bo.example\n"
        b"ADR;TYPE=WORK:;;Ring 5;Bonn;;53111;DE\nADR;TYPE=HOME:;;Weg 6;Bonn;;;DE\nEND:VCARD\n"
    )
    assert describe(card, "auto", by=alice).options["program"] == ""


def test_other_words_for_options_are_understood(alice, table):
    header = "Last Name,Company,Company Industry,Gender,Preferred Contact Method"
    bring(table(header, "Bo,Acme,Banking,Mann,E-mail", "Dee,Bee,Alchemy,Female,Post"), by=alice)
    found = Account.objects.order_by("name").values_list("name", "industry")
    assert list(found) == [("Acme", 16), ("Bee", None)]
    found = Contact.objects.order_by("pk").values_list("gender", "preferred_contact_method")
    assert list(found) == [(1, 2), (2, 5)]


@pytest.mark.parametrize(
    ("header", "cells", "fields"),
    [
        ("Last Name,Rating", ("1", "3"), {"last_name"}),
        ("Last Name,Lead Source", ("1", "Web"), {"last_name", "source"}),
        ("Last Name,leadqualitycode", ("1", "3"), {"last_name", "rating"}),
        ("Last Name,Rating,telephone1,statuscode", ("1,,", "3,,"),
         {"last_name", "rating", "business_phone", "status"}),
    ],
)  # fmt: skip
def test_numbers_of_others_are_no_options(alice, table, header, cells, fields):
    upload = describe(table(header, *(f"Bo {c},{c}" for c in cells)), "lead", by=alice)

    said = [note for note in upload.options["notes"] if "may not be those" in note]
    assert (flow.mapping_of(upload).fields, len(said)) == (fields, int(fields == {"last_name"}))


def test_children_are_counted_or_named(alice, table):
    bring(table("Last Name,Children", "Bo,2", "Dee,0"), by=alice)
    bring(table("Last Name,Children", 'Eck,"Max 5, Ann 7"', "Fox,Eva"), by=alice)

    found = Contact.objects.order_by("last_name").values_list("children_count", "children_names")
    assert list(found) == [(2, ""), (0, ""), (None, "Max 5, Ann 7"), (None, "Eva")]


@pytest.mark.parametrize(
    ("rows", "field", "names"),
    [
        (("Acme,Acme",), "full_name", ["Acme"]),
        (("Acme,Acme", "Ann,Ann Lee"), "full_name", ["Acme", "Ann Lee"]),
        (("Ann,Lee", "Eva,Bo"), "last_name", ["Ann Lee", "Eva Bo"]),
        (("Ann,Lee", "Acme,Acme"), "last_name", ["Ann Lee", "Acme Acme"]),
    ],
)
def test_name_beside_first_names_is_whole_or_the_other_half(alice, table, rows, field, names):
    done = bring(table("First Name,Name", *rows), by=alice)

    assert flow.mapping_of(done.upload).fields == {"first_name", field}
    assert sorted(Contact.objects.values_list("full_name", flat=True)) == sorted(names)


def test_words_for_options_are_told_in_several_languages(alice, table):
    rows = ("Bo;Acme;Messe", "Dee;Bee;Bouche à oreille", "Eck;Cee;Sitio web")
    done = bring(table("Nachname;Firma;Quelle", *rows), "lead", by=alice)

    found = Lead.objects.order_by("last_name").values_list("source", flat=True)
    assert (list(found), done.upload.options["notes"]) == ([7, 9, 8], [])

    entities = [registry[name] for name in ("account", "contact", "lead", "opportunity")]
    for name, called in choicewords.CALLED.items():
        fields = [entity.fields[name] for entity in entities if name in entity.fields]
        options = {parse(found, option, Reading()) for found in fields for option in called}
        words = [set(map(fold, text.split("|"))) for text in called.values()]
        assert len(options) == len(called), name
        assert sum(map(len, words)) == len(set.union(*words)), name


def test_view_of_dynamics_may_have_whole_names_alone(alice, table):
    header = "(Do Not Modify) Contact,(Do Not Modify) Row Checksum,Full Name,Email"
    bring(table(header, "6f1c1a52-1111-4c1e-9b1a-000000000011,x==,Anna Bo,a@bo.de"), by=alice)
    assert Contact.objects.values_list("first_name", "last_name").get() == ("Anna", "Bo")


def test_cells_that_are_no_option_refuse_or_stay_blank_as_is_said(alice, table):
    content = table("Last Name,Gender", "Bo,Cat", "Dee,Female")
    assert bring(content, by=alice, missing={"gender": "blank"}).counts["created"] == 2
    assert bring(content, by=alice).counts["refused"] == 1


def test_deal_of_an_account_that_is_not_here_says_so(alice, table):
    content = table(
        "ID,ACCOUNTID,NAME,STAGENAME,OWNERID,ISWON", "006x0000001YtCr,001x0000002xLD0,Roof,New,,"
    )
    done = bring(content, "auto", by=alice)
    assert [(column, reason[:49]) for _row, column, reason in done.errors] == [
        ("ACCOUNTID", "There is no account with the id “001x0000002xLD0”."[:49])
    ]


def test_owners_by_the_ids_of_another_program_are_said_one_by_one(alice, bob, table):
    rows = ("003Hp00001con1aIAQ,Bo,005x01", "003Hp00001con2aIAQ,Dee,005x02")
    upload = describe(table("Id,LastName,OwnerId", *rows), "contact", by=alice)
    mapping = flow.mapping_of(upload)
    (index,) = (i for i, target in mapping.columns.items() if target.field == "owner")
    told = replace(mapping.columns[index], values={"005x01": bob.email})
    flow.remap(upload, replace(mapping, columns={**mapping.columns, index: told}))
    flow.plan_now(upload, by=alice)
    flow.apply_now(upload, by=alice)

    assert [note[:23] for note in upload.options["notes"]] == ["“OwnerId” holds ids of "]
    assert set(Contact.objects.values_list("last_name", "owner")) == {
        ("Bo", bob.pk), ("Dee", alice.pk),
    }  # fmt: skip


RIGHTS = '"Copyright (c) 2000-2024 salesforce.com, inc. All rights reserved."'


def test_foot_of_a_report_is_left_out_and_told(alice, table):
    made_by = (
        RIGHTS,
        "Confidential Information - Do Not Distribute",
        "Generated By:  Ann Hill  1/2/2024 3:04 PM",
        "Our Company",
    )
    foot = ("", "Grand Totals (2 records),,105", "", "", "Accounts Report", *made_by)
    rows = ("Total,Paris,100", "Acme,,", "Confidential Ltd,Bonn,5")
    done = bring(table("Account Name,City,Annual Revenue", *rows, *foot), "account", by=alice)

    assert sorted(Account.objects.values_list("name", flat=True)) == [
        "Acme", "Confidential Ltd", "Total",
    ]  # fmt: skip
    assert {n: done.counts[n] for n in ("rows", "created", "skipped")} == {
        "rows": 9, "created": 3, "skipped": 6,
    }  # fmt: skip
    assert done.upload.options["notes"][0].startswith("The foot of the report below the records")

    bring(table("Account Name", "Acme", "Bee", "Our Company", RIGHTS), "account", by=alice)
    # Nothing tells that what stands above it is no record.
    assert Account.objects.filter(name__in=("Bee", "Our Company")).count() == 2
    assert Account.objects.count() == 5


@pytest.mark.parametrize(
    "foot", ["Total: 2", "2 records", "(2 contacts exported)", "Summe: 2", "Anzahl Kontakte = 2"]
)
def test_count_below_a_table_is_no_record(foot, alice, table):
    rows = ("Anna Bo,Acme", "Total: 1,Bee", ",", f"{foot},")
    done = bring(table("Name,Company", *rows), by=alice)
    assert sorted(Contact.objects.values_list("full_name", flat=True)) == ["Anna Bo", "Total: 1"]
    assert (done.counts["rows"], done.counts["created"], done.counts["skipped"]) == (3, 2, 1)
    # In a list of names alone it may be one.
    bring(table("Account Name", "Acme Works", foot), "account", by=alice)
    assert Account.objects.filter(name=foot).exists()


def test_sheet_that_is_a_list_is_taken_before_one_that_explains_it(alice, tmp_path):
    path, book = tmp_path / "list.xlsx", openpyxl.Workbook()
    header = ("First Name", "Last Name", "Email")
    for name, rows in {
        "Read me": [("How to use it",), ("Field", "Description"), ("Email", "Address")],
        "Prices": [("Item", "Price"), ("Roof", "5")],
        "People": [header, ("Anna", "Bo", "a@bo.example")],
        "More": [header, ("Eva", "Dee", "e@dee.example")],
    }.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    done = bring(path.read_bytes(), "auto", by=alice, name="list.xlsx")

    assert Contact.objects.values_list("full_name").get() == ("Anna Bo",)
    assert done.upload.options["notes"] == ["Sheet “People” is read, not “Read me”."]
    chosen = describe(path.read_bytes(), by=alice, name="list.xlsx", sheet="Prices")
    assert (chosen.reading["sheet"], len(chosen.options["notes"])) == ("Prices", 1)


def test_list_that_comes_first_is_taken_before_a_wider_one(alice, tmp_path):
    path, book = tmp_path / "list.xlsx", openpyxl.Workbook()
    book.active.append(("Name", "Email"))
    book.active.append(("Anna Bo", "a@bo.example"))
    wide = book.create_sheet("Wide")
    wide.append(("First Name", "Last Name", "Email", "City", "Job Title", "Fax"))
    book.save(path)

    assert describe(path.read_bytes(), by=alice, name="list.xlsx").reading["sheet"] == "Sheet"


def test_ids_of_another_program_are_not_hubspots(alice, table):
    header = "Record Id,Lead Owner.id,Lead Owner,Company,First Name,Last Name,Email"
    row = "zcrm_5001,zcrm_7,Alice,Acme,Anna,Bo,a@bo.example"
    upload = describe(table(header, row), "lead", by=alice, name="list.csv")
    found = {at: target.field for at, target in flow.mapping_of(upload).columns.items()}
    assert (upload.options["program"], found[2], 1 in found) == ("", "owner", False)


def test_file_of_a_leader_is_of_no_leads(alice, table):
    content = table("First Name,Last Name,Company,Birthday", "Anna,Bo,Acme,1980-01-02")
    assert describe(content, "auto", by=alice, name="teamleader.csv").entity == "contact"


def test_name_is_guessed_where_hardly_a_header_is_known(alice, table):
    header = "n_operateur,type_prise,observations,puiss_max"
    done = bring(table(header, "Borne du Lac,T2,ouvert,22", "Borne du Port,T2,,7"), "account",
                 by=alice)  # fmt: skip
    found = Account.objects.order_by("name").values_list("name", "description")
    assert list(found) == [("Borne du Lac", "ouvert"), ("Borne du Port", "")]
    assert done.upload.options["notes"] == [
        "No header says so, but “n_operateur” is taken as Account name."
    ]
    for line in ("Remark,City,Email", "Last Name,City,Eyes,Size,Seat,Team"):
        done = bring(table(line, "Ask Anna,Bonn,a@bo.example"), "account", by=alice)
        assert done.counts["refused"] == 1


MOMENTS = ("at,said", "2 Jan 2026 10:00,started", "3 Jan 2026 10:00,stopped")
STOCK = ("SKU,Shelf,Qty", *(f"A-{n},North hall,{n}" for n in range(5)))
PLACES = ("page,who,sum", "https://x.de/a,a@x.de,1", "https://x.de/b,b@x.de,2")


@pytest.mark.parametrize(
    ("entity", "lines", "taken"),
    [
        ("contact", MOMENTS, "said"),
        ("account", MOMENTS, "said"),
        # Codes are names of things that have no other, and of no people.
        ("account", STOCK, "SKU"),
        ("contact", STOCK, ""),
        ("account", PLACES, "page"),
        ("contact", PLACES, ""),
    ],
)
def test_days_codes_and_addresses_are_names_of_nobody(entity, lines, taken, alice, table):
    columns = flow.mapping_of(upload := describe(table(*lines), entity, by=alice)).columns
    title = registry[entity].title
    found = [flow.columns_of(upload)[i] for i, one in columns.items() if one.field == title]
    assert found == ([taken] if taken else [])


def test_row_that_names_groups_of_columns_is_no_header(alice, table):
    names = "First Name,Last Name,Company,City,Email"
    done = bring(table("Person,,Company,,Contact", names, "Anna,Bo,Acme,Bonn,a@bo.example"),
                 by=alice)  # fmt: skip
    assert Contact.objects.values_list("first_name", "account__name").get() == ("Anna", "Acme")
    assert done.upload.options["notes"] == [
        "Row 2 is the header; what stands above it is left out: Person · Company · Contact"
    ]

    rows = ("Ann,,,", "Email,Phone,Fax,Acme")
    upload = describe(table("Last Name,,Company,City", *rows), by=alice)
    assert flow.columns_of(upload)[0] == "Last Name"
