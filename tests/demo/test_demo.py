"""The demo: loaded through the actions, believable, and removed without a trace of it."""

import datetime
import re
from collections import Counter

import pytest
from django.utils import timezone

from rapport.access import Forbidden
from rapport.actions import demo, people, records, restore, undo
from rapport.actions.demo import DEMO
from rapport.demo import load, story, world
from rapport.demo.team import ADMINISTRATOR, DOMAIN, MEMBERS, SALESPERSON
from rapport.meta.registry import registry
from rapport.models import (
    Account,
    Activity,
    BusinessUnit,
    Change,
    Contact,
    ImportFile,
    Job,
    Lead,
    Note,
    Operation,
    Opportunity,
    Preference,
    Share,
    SignInLink,
    User,
    Visit,
)
from tests.factories import make_account, make_contact, make_user

TABLES = (Account, Contact, Lead, Opportunity, Activity, Note, Share, User, BusinessUnit)


def counts():
    return {model.__name__: model.objects.count() for model in TABLES}


@pytest.fixture
def loaded(db):
    """Demo data, loaded once by each test that needs all of it: keep these few."""
    load.load(now=timezone.now())


def test_demo_is_what_a_sales_team_has_after_a_year(loaded):
    found = counts()
    countries = Account.objects.values_list("address1_country", flat=True).distinct()
    leads = set(Lead.objects.values_list("state", "status"))
    deals = Counter(Opportunity.objects.values_list("state", flat=True))
    year_ago = timezone.now() - datetime.timedelta(days=366)

    assert 150 <= found["Account"] <= 165
    assert 600 <= found["Contact"] <= 620
    assert (found["Lead"], found["User"], found["BusinessUnit"]) == (200, len(MEMBERS), 4)
    assert len(countries) == 14
    assert leads >= {(0, 1), (0, 2), (1, 3), (2, 4), (2, 5), (2, 6), (2, 7)}
    assert Lead.objects.values("source").distinct().count() == 10
    assert min(deals[0], deals[1], deals[2]) > 15
    assert Activity.objects.values("type").distinct().count() == 4
    assert Activity.objects.count() > 1000
    assert not Activity.objects.filter(occurred_at__lt=year_ago, state=1).exists()
    assert Contact.objects.filter(role=1).count() > 100
    assert Account.objects.exclude(parent_account=None).count() == 6
    assert Account.objects.exclude(primary_contact=None).count() >= 147
    assert Share.objects.count() == 12
    # Nobody's real address: names that are reserved for examples, everywhere.
    for model in (Account, Contact, Lead, User):
        addresses = model.objects.exclude(email="").values_list("email", flat=True)
        assert [email for email in addresses if not email.endswith(".example")] == []
    assert demo.is_loaded()
    assert demo.is_whole()
    _written_like_everything_else()


def _written_like_everything_else():
    """Qualified by the real action, in the past, by whoever owned it; everything has a history."""
    lead = Lead.objects.filter(state=1).first()
    change = Change.objects.filter(record=lead.pk).order_by("id").last()

    assert lead.opportunity.originating_lead_id == lead.pk
    assert change.operation.kind == "lead.qualify"
    assert change.at < timezone.now() - datetime.timedelta(days=10)
    assert change.operation.user_id == lead.modified_by_id
    won = Opportunity.objects.filter(state=1).first()
    assert won.actual_revenue == won.estimated_revenue


# -- a small demo: the rest needs only some of it ------------------------------------------------


@pytest.fixture
def small(db, monkeypatch):
    """Demo data of a few companies."""
    few = world.customers()[:12]
    monkeypatch.setattr(story, "customers", lambda: few)
    monkeypatch.setattr(story, "CONTACTS", 24)
    monkeypatch.setattr(story.pipeline, "LEADS", 10)
    monkeypatch.setattr(story.pipeline, "QUALIFIED", 2)
    monkeypatch.setattr(story, "SHARED", ())
    monkeypatch.setattr(story.pipeline, "prospects", lambda: world.prospects()[:8])
    names = {company.name for company in few}
    duplicates = {k: v for k, v in world.data("companies")["duplicates"].items() if v in names}
    monkeypatch.setitem(world.data("companies"), "duplicates", duplicates)
    return lambda: load.load(now=timezone.now())


@pytest.mark.once
def test_the_same_story_is_told_each_time(small):
    now = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
    users, teams = load._make_people()

    def told():
        return [
            (by, name, draft.values.get("name") or draft.values.get("subject"))
            for by, name, draft in story.tell(users, teams, now=now).drafts
        ]

    assert told() == told()


def test_removal_takes_what_was_changed_since_and_what_hangs_on_people(small):
    small()
    before = counts()
    user = User.objects.get(email=f"{SALESPERSON}@{DOMAIN}")
    account = Account.objects.filter(owner_id=user.pk).first()
    records.update_record(registry["account"], account.pk, {"name": "Renamed"}, by=user)
    now = timezone.now()
    Visit.objects.create(user=user, entity="account", record=account.pk, at=now)
    Preference.objects.create(user=user, key="theme", value="dark")
    people.make_link(user)
    upload = ImportFile.objects.create(name="list.csv", created_by=user, created_at=now)
    job = Job.objects.create(kind="bulk", created_by=user, created_at=now)

    op = demo.remove(by=DEMO)

    assert counts() == dict.fromkeys(counts(), 0) | {"BusinessUnit": 1}
    assert [m.objects.count() for m in (Visit, Preference, SignInLink)] == [0, 0, 0]
    assert ImportFile.objects.get(pk=upload.pk).created_by is None
    assert Job.objects.get(pk=job.pk).created_by is None
    assert not demo.is_loaded()
    assert not Operation.objects.filter(kind__startswith="demo", state="running").exists()

    _undo, undone = undo.undo(op, by=DEMO)

    assert undone.conflicts == []
    assert counts() == before
    assert demo.is_loaded()
    load.renew_passwords()
    admin = User.objects.get(email=f"{ADMINISTRATOR}@{DOMAIN}")
    assert admin.check_password(load.password())
    assert people.first_administrator() == admin


@pytest.mark.once
def test_half_loaded_demo_is_loaded_anew(small):
    small()
    whole = counts()
    Operation.objects.filter(kind="demo.load", parameters__part="end").delete()
    assert not demo.is_whole()

    small()

    assert demo.is_whole()
    assert counts() == whole


def test_removal_leaves_real_records_alone(small):
    root = make_user(roles=("system-administrator",))
    mine = make_account(name="Real Ltd", owner=root)
    small()
    sales = User.objects.get(email=f"{SALESPERSON}@{DOMAIN}")
    theirs = make_contact(account=mine, owner=sales, by=sales)
    # PostgreSQL does not look whether there is whom these name.
    stamped = [entity for entity in registry if "created_by" in entity.fields]
    for entity in stamped:
        entity.records().update(created_by=sales, modified_by=sales)

    demo.remove(by=root)
    restore.check_links()

    theirs.refresh_from_db()
    assert list(Account.objects.all()) == [mine]
    assert (theirs.owner_id, theirs.created_by) == (root.pk, None)
    assert User.objects.filter(pk=root.pk).exists()
    assert not User.objects.filter(email__endswith=f"@{DOMAIN}").exists()


@pytest.mark.once
def test_demo_administrator_stays_with_real_records_and_nobody_else(small):
    small()
    admin = User.objects.get(email=f"{ADMINISTRATOR}@{DOMAIN}")
    mine = make_account(name="Real Ltd", owner=admin, by=admin)

    demo.remove(by=DEMO)

    assert list(Account.objects.all()) == [mine]
    assert people.first_administrator() == admin
    assert not demo.is_loaded()
    small()
    assert User.objects.filter(email=admin.email).count() == 1


@pytest.mark.once
def test_only_administrators_remove_it(small):
    small()
    sales = User.objects.get(email=f"{SALESPERSON}@{DOMAIN}")

    with pytest.raises(Forbidden):
        demo.remove(by=sales)

    assert demo.is_loaded()


# -- what it is made of ----------------------------------------------------------------------------


def test_there_are_150_companies_with_names_of_their_own():
    names = [company.name for company in world.customers()]
    names += world.data("companies")["duplicates"]

    assert (len(names), len(set(names))) == (150, 150)


def test_every_text_can_be_filled_in():
    words = {"who": "Ada B", "first": "Ada", "account": "Acme", "town": "Ulm", "deal": "Scanners"}
    told = [entry for name in ("calls", "meetings", "mails", "tasks", "notes")
            for entry in world.data("texts")[name]]  # fmt: skip

    filled = [value.format(**words) for entry in told for value in map(str, entry.values())]

    assert [text for text in filled if re.search(r"[{}]", text)] == []


@pytest.mark.parametrize(
    ("company", "address"),
    [
        ("Brandt Maschinenbau GmbH", "brandt-maschinenbau.example"),
        ("Lindner Feinkost GmbH & Co. KG", "lindner-feinkost.example"),
        ("Złoty Kłos Piekarnie S.A.", "zloty-klos-piekarnie.example"),
        ("Dales Dairy Co-operative", "dales-dairy-co-operative.example"),
    ],
)
def test_web_addresses_are_made_of_names(company, address):
    assert world.domain(company) == address
