"""What columns seem to be, what people make of them, and which entity fits."""

import json

import pytest

from rapport.imports import detection, mapping
from rapport.imports.mapping import Mapping, MappingRefused, Target
from rapport.imports.proposal import propose
from rapport.imports.subject import choose_entity
from rapport.meta.kinds import Reading
from rapport.meta.registry import registry


def proposed(entity, header, *rows, **options):
    made = propose(
        registry[entity],
        header.split(","),
        [row.split(",") for row in rows],
        reading=Reading(),
        **options,
    )
    columns = header.split(",")
    return {columns[index]: target.field for index, target in made.columns.items()}


def test_same_header_again_goes_to_the_second_field():
    assert proposed("contact", "Name,Email,E-mail,Mail,Email") == {
        "Name": "full_name",
        "Email": "email",
        "E-mail": "email2",
        "Mail": "email3",
    }


def test_what_has_no_place_is_ignored_and_told():
    rows = [("Acme", "Acme")]
    made = propose(registry["account"], ("Name", "Company"), rows, reading=Reading())

    assert (made.fields, list(made.notes)) == (
        {"name"},
        ["“Company” is ignored: another column is Account name already."],
    )


def test_column_with_values_goes_before_a_blank_one():
    assert proposed("contact", "Occupation,Job Title,Last Name", ",CEO,Bo") == {
        "Job Title": "job_title",
        "Last Name": "last_name",
    }


@pytest.mark.parametrize(
    ("value", "expected"), [("Dr.", "salutation"), ("Frau", "salutation"), ("Buyer", "job_title")]
)
def test_title_is_told_by_its_values(value, expected):
    assert proposed("contact", "Title,Last Name", f"{value},Doe")["Title"] == expected


def test_name_beside_a_first_name_is_the_last_name():
    assert proposed("contact", "Name,Vorname", "Müller,Anna") == {
        "Name": "last_name",
        "Vorname": "first_name",
    }


def test_full_name_stands_beside_its_parts():
    found = proposed("contact", "Name,Given Name,Family Name", "Anna Bo,Anna,Bo")
    assert found == {"Name": "full_name", "Given Name": "first_name", "Family Name": "last_name"}


def test_columns_of_somebody_else_are_left_out():
    found = proposed("contact", "First Name,Last Name,Mum Name,Mum Email", "Anna,Bo,Eva Bo,e@bo.de")
    assert found == {"First Name": "first_name", "Last Name": "last_name"}


def test_phone_is_told_by_the_type_beside_it():
    found = proposed("contact", "Phone 1 - Type,Phone 1 - Value", "Mobile,0170 1", "Mobile,0170 2")
    assert found == {"Phone 1 - Value": "mobile_phone"}


def test_column_that_says_yes_or_no_is_no_phone():
    header = "Last Name,Phone,Phone primary,Email primary"
    found = proposed("contact", header, "Bo,030 1,true,false", "Ce,030 2,false,")
    assert found == {"Last Name": "last_name", "Phone": "business_phone"}


def test_options_of_another_program_are_not_mapped():
    made = propose(registry["account"], ("Name", "Type"), [("Acme", "Account")], reading=Reading())

    assert (made.fields, list(made.notes)) == (
        {"name"},
        ["“Type” is ignored: none of its values is an option of Relationship type."],
    )
    assert proposed("account", "Name,Type", "Acme,Partner", "Bee,Odd")["Type"] == (
        "relationship_type"
    )


def test_first_text_is_the_name_when_no_header_says_anything():
    assert proposed("account", "a,b,c", "1,Acme,x", "2,Bee,", guess=True) == {"b": "name"}
    assert proposed("account", "a,b,c", "1,Acme,x") == {}
    assert proposed("account", "a,City", "Acme,Bonn", guess=True) == {"City": "address1_city"}
    # Ids are no names, but for things that have nothing else.
    assert proposed("contact", "Contact ID,External Identifier", "a3,x", guess=True) == {}
    assert proposed("account", "ID", "a3", guess=True) == {}
    assert proposed("account", "id,count", "1,7", guess=True) == {"id": "name"}
    assert proposed("account", "id,kind", "1,x", guess=True) == {"kind": "name"}


@pytest.mark.parametrize(
    ("header", "rows", "file", "expected"),
    [
        ("First Name,Last Name,Email", (), "x.csv", "contact"),
        ("First Name,Last Name,Email", (), "leads.csv", "lead"),
        ("name,email,company", ("Anna Bo,a@b.de,Acme",), "x.csv", "contact"),
        ("Name,Website", ("Acme GmbH,acme.de", "Bee Ltd,bee.uk"), "x.csv", "account"),
        ("name,phone", ("Anna Bo,1", "Carl Dee,2"), "x.csv", "contact"),
        ("姓名,公司,邮箱", ("王伟,北京科技有限公司,w@x.cn",), "x.csv", "contact"),
        ("이름,회사,이메일", ("김민준,서울주식회사,k@x.kr",), "x.csv", "contact"),
        ("Last Name,Company,Lead Source,Topic", (), "x.csv", "lead"),
        ("Account Name,Industry,Employees", (), "x.csv", "account"),
        ("customer_city,customer_state", ("Bonn,NRW",), "x.csv", None),
        ("a,b", ("1,2",), "contacts.csv", None),
    ],
)
def test_entity_is_told_by_headers_values_and_file_name(header, rows, file, expected):
    found = choose_entity(
        header.split(","),
        [row.split(",") for row in rows],
        file_name=file,
        among=[registry[name] for name in ("account", "contact", "lead")],
    )
    assert (found and found.name) == expected


def test_required_field_without_column_is_named():
    made = propose(registry["contact"], ("First Name",), [], reading=Reading())
    named = propose(registry["contact"], ("Name",), [], reading=Reading())

    assert [field.name for field in mapping.missing_required(made)] == ["last_name"]
    assert mapping.missing_required(named) == []


def test_mapping_is_kept_and_read_again():
    contact = registry["contact"]
    made = mapping.chosen(contact, {0: "last_name", 2: "account", 3: ""}, {2: "refuse"})

    kept = made.as_json()

    assert kept == {"0": "last_name", "2": {"field": "account", "missing": "refuse"}}
    assert Mapping.from_json(contact, kept).columns == made.columns


def test_everything_that_is_said_of_a_mapping_is_kept():
    contact = registry["contact"]
    made = Mapping(
        entity=contact,
        columns={
            0: Target(field="last_name", default="Unknown"),
            1: Target(field="gender", values={"F": "Female", "?": ""}, wipe=True),
            2: Target(field="account", missing="blank", several="oldest"),
        },
        constants={"job_title": "Visitor"},
        match=(("email",), ("last_name", "account")),
        on_match="fill",
        duplicates="update",
        parts={"account": "leave"},
    )

    kept = json.loads(json.dumps(made.as_json()))

    assert Mapping.from_json(contact, kept) == made
    assert Mapping.from_json(contact, {**kept, "match": [["email"], ["no_more"]]}).match == (
        ("email",),
    )


def test_field_that_is_gone_is_left_out():
    kept = Mapping.from_json(registry["contact"], {"0": "last_name", "1": "no_more"})
    assert kept.columns == {0: Target(field="last_name")}


def test_column_is_picked_by_header_or_number():
    start = mapping.chosen(registry["contact"], {0: "first_name", 1: "last_name"})
    columns = ("A", "B", "C")

    made = mapping.changed(start, columns, ("C=last_name", "1=nickname", "B="))

    assert {i: t.field for i, t in made.columns.items()} == {0: "nickname", 2: "last_name"}


@pytest.mark.parametrize(
    "pick", ["D=last_name", "4=last_name", "A=no_field", "nonsense", "A=created_at"]
)
def test_pick_of_what_is_not_there_is_refused(pick):
    start = mapping.chosen(registry["contact"], {0: "first_name"})
    with pytest.raises(MappingRefused):
        mapping.changed(start, ("A", "B", "C"), (pick,))


def test_field_twice_and_nothing_at_all_are_refused():
    contact = registry["contact"]
    with pytest.raises(MappingRefused):
        mapping.check(mapping.chosen(contact, {0: "email", 1: "email"}))
    with pytest.raises(MappingRefused):
        mapping.check(mapping.chosen(contact, {0: ""}))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("31/12/2025",), "dmy"),
        (("12/31/2025",), "mdy"),
        (("1.2.2025",), "dmy"),
        (("1/2/2025",), "mdy"),
        (("1/2/2025", "13/2/2025"), "dmy"),
        (("2025-12-31",), "dmy"),
        ((), "dmy"),
    ],
)
def test_order_of_dates(values, expected):
    assert detection.date_order(values, language="en") == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("1.234,50",), ","),
        (("1,234.50",), "."),
        (("3,5",), ","),
        (("1.234", "500", "ca. 1.500.000 €"), ","),
        (("1.234", "0.500"), "."),
        (("1.234", "99.9"), "."),
        (("Mio. 3",), "."),
        (("12", "0,25 €"), ","),
        ((), "."),
    ],
)
def test_decimal_mark(values, expected):
    assert detection.decimal_mark(values) == expected
