"""What a mapping says besides which column is which field."""

import dataclasses
import datetime

import pytest

from rapport.imports import flow, newoptions
from rapport.imports.mapping import Mapping, MappingRefused, Target
from rapport.models import Account, ChoiceOption, Contact, Lead
from tests.factories import make_account, make_contact
from tests.imports.bringing import brought, describe, errors, fates, mapped, planned

pytestmark = pytest.mark.django_db


def test_constants_fill_what_no_column_does(alice, bob, table):
    acme = make_account(name="Acme", owner=alice)
    done = brought(
        table("Last Name", "Bo", "Dee"),
        by=alice,
        constants={"birthday": "1980-12-31", "gender": "Female", "account": "ACME"},
    )

    assert done.counts == {"rows": 2, "created": 2}
    assert set(Contact.objects.values_list("birthday", "gender", "account")) == {
        (datetime.date(1980, 12, 31), 2, acme.pk)
    }


def test_default_stands_for_blank_cells_and_overwrites_nothing(alice, table):
    anna, carl = (
        make_contact(last_name=name, email=f"{name}@x.de", job_title=job, owner=alice)
        for name, job in (("Bo", "Buyer"), ("Dee", ""))
    )
    acme = make_account(name="Acme", owner=alice)
    brought(
        table("Last Name,Email,Job Title,Company", "Bo,bo@x.de,,", "Dee,dee@x.de,,", "Fa,,,"),
        by=alice,
        match=(("email",),),
        targets={"Job Title": {"default": "Visitor"}, "Company": {"default": "Acme"}},
    )

    anna.refresh_from_db()
    carl.refresh_from_db()
    new = Contact.objects.get(last_name="Fa")
    assert [(c.job_title, c.account_id) for c in (anna, carl, new)] == [
        ("Buyer", acme.pk), ("Visitor", acme.pk), ("Visitor", acme.pk),
    ]  # fmt: skip


def test_blank_cell_wipes_only_where_it_is_to(alice, table):
    anna = make_contact(last_name="Bo", job_title="CEO", department="A", email="b@x.de",
                        account=make_account(owner=alice), owner=alice)  # fmt: skip
    upload = planned(
        table("Email,Last Name,Job Title,Department,Company", "b@x.de,,,,"),
        by=alice,
        match=(("email",),),
        targets={"Job Title": {"wipe": True}, "Company": {"wipe": True}},
    )
    (row,) = flow.rows_of(upload, by=alice, fate="update")
    assert [(one.name, one.new) for one in row.fields] == [("account", ""), ("job_title", "")]

    flow.apply_now(upload, by=alice)

    anna.refresh_from_db()
    assert (anna.job_title, anna.department, anna.account_id, anna.last_name) == (
        "", "A", None, "Bo",
    )  # fmt: skip


def test_required_field_is_never_wiped(alice, table):
    make_contact(last_name="Bo", email="b@x.de", owner=alice)
    upload = planned(
        table("Email,Last Name", "b@x.de,"),
        by=alice, match=(("email",),), targets={"Last Name": {"wipe": True}},
    )  # fmt: skip
    assert [(row, column) for row, column, _reason in errors(upload)] == [(2, "Last Name")]


def test_cells_mean_options_one_by_one(alice, table):
    content = table("Last Name,Rating", "Bo,A", "Dee,a ", "Fa,Warm", "Ga,?", "Hu,Z", "Ib,")
    values = {"A": "Hot", "?": "", "c": "Cold"}
    upload = mapped(describe(content, "lead", by=alice), {"Rating": {"values": values}})

    cells = flow.options_of(upload)[1]
    assert [(cell.text, cell.count, cell.option) for cell in cells] == [
        ("Z", 1, None), ("A", 1, "Hot"), ("a", 1, "Hot"), ("Warm", 1, "Warm"), ("?", 1, ""),
    ]  # fmt: skip

    flow.plan_now(upload, by=alice)
    assert fates(upload) == {6: "refused"}
    flow.apply_now(upload, by=alice)
    assert dict(Lead.objects.values_list("last_name", "rating")) == {
        "Bo": 1, "Dee": 1, "Fa": 2, "Ga": 2, "Ib": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "refused", "taken"), [("refuse", 1, None), ("blank", 0, ""), ("oldest", 0, "old")]
)
def test_what_happens_when_a_name_is_that_of_several(rule, refused, taken, alice, table):
    accounts = [make_account(name="Acme", owner=alice, number=n) for n in ("old", "new")]
    done = brought(
        table("Last Name,Company", "Bo,Acme"), by=alice, targets={"Company": {"several": rule}}
    )

    assert done.counts.get("refused", 0) == refused
    found = Contact.objects.values_list("account__number", flat=True)
    assert [number or "" for number in found] == ([] if taken is None else [taken])
    assert len(accounts) == 2


def test_look_ups_name_by_number_and_by_e_mail(alice, table):
    acme = make_account(name="Acme", number="K-100", email="info@acme.de", owner=alice)
    content = table("Last Name,Company", "Bo,k-100", "Dee,INFO@acme.de", f"Fa,{acme.pk}", "Ga,acme")

    done = brought(content, by=alice)

    assert done.counts == {"rows": 4, "created": 4}
    assert set(Contact.objects.values_list("account", flat=True)) == {acme.pk}


@pytest.mark.parametrize(
    "said",
    [
        {"constants": {"last_name": "Bo"}},
        {"constants": {"birthday": "soon"}},
        {"constants": {"id": "1"}},
        {"match": (("email",),)},
        {"on_match": "create"},
        {"duplicates": "odd"},
        {"columns": {0: Target(field="last_name", several="oldest")}},
        {"columns": {0: Target(field="account", missing="oldest")}},
        {"columns": {0: Target(field="birthday", default="soon")}},
    ],
)
def test_what_cannot_be_meant_is_refused(said, alice, table):
    upload = describe(table("Last Name", "Bo"), by=alice)
    with pytest.raises(MappingRefused):
        mapped(upload, **said)
    assert flow.mapping_of(upload) == Mapping(
        entity=flow.mapping_of(upload).entity, columns={0: Target(field="last_name")}
    )


def test_a_cell_may_become_an_option_of_its_own(admin, alice, table):
    content = table("Name,Industry", "Bees Ltd,Beekeeping", "Books Ltd,Accounting")
    upload = describe(content, "account", by=admin)
    mapping = flow.mapping_of(upload)
    asked = dataclasses.replace(mapping.columns[1], values={"Beekeeping": newoptions.NEW})
    asked = dataclasses.replace(mapping, columns={**mapping.columns, 1: asked})
    with pytest.raises(MappingRefused, match="Only administrators"):
        newoptions.make(asked, by=alice)

    flow.remap(upload, newoptions.make(asked, by=admin))
    flow.plan_now(upload, by=admin)
    flow.apply_now(upload, by=admin)

    option = ChoiceOption.objects.get()
    assert dict(Account.objects.values_list("name", "industry")) == {
        "Bees Ltd": option.value, "Books Ltd": 1,
    }  # fmt: skip
    gender = dataclasses.replace(asked, columns={1: Target(field="category", values={"A": "+"})})
    with pytest.raises(MappingRefused, match="cannot be added"):
        newoptions.make(gender, by=admin)
