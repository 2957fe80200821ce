"""The page about the quality of the data: whose figures, where they lead, how they are mended."""

import datetime
import re

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from rapport.actions import quality as keeping
from rapport.jobs import quality as counting
from rapport.meta.registry import registry
from rapport.models import Contact, Job, Operation, Preference
from rapport.queries import flaws, quality
from rapport.web import bulk, liststate
from tests.factories import make_contact, make_user
from tests.web.browsing import page, send, values_of, words

pytestmark = pytest.mark.django_db

PAGE = "/data-quality/"
REACH = "/data-quality/reach/"


def stored(owner, **values):
    """A contact past the checks of actions."""
    row = make_contact(owner=owner)
    Contact.objects.filter(pk=row.pk).update(**values)
    return row


def findings(response):
    """{label: text of the number} of the rows of findings."""
    return {
        words(row.cssselect("th")[0]).partition("Contacts ·")[0].strip(): words(
            row.cssselect("td b")[0]
        )
        for row in page(response).cssselect(".quality-rows tbody tr")
    }


def as_part(client, url):
    return client.get(url, headers={"HX-Request": "true"})


@pytest.mark.once
def test_who_sees_everything_reads_what_is_kept(admin, client_of, monkeypatch):
    monkeypatch.setattr(quality, "SMALL", 0)
    stored(admin, email="Eva@acme.com")
    counting.count_day(patience=60)
    stored(admin, email="Tom@acme.com")
    client = client_of(admin)
    client.get(PAGE)

    with CaptureQueriesContext(connection) as asked:
        shown = client.get(PAGE)

    assert findings(shown)["E-mail address with capitals"] == "1"
    assert not [q for q in asked if 'FROM "rapport_contact"' in q["sql"]]
    waiting = [part.get("hx-get") for part in page(shown).cssselect("[hx-trigger='load']")]
    assert waiting == ["/data-quality/duplicates/"]


@pytest.mark.once
def test_few_records_are_counted_at_once(admin, client_of):
    row = stored(admin, email="Eva@acme.com")
    counting.count_day(patience=60)
    client = client_of(admin)
    before = findings(client.get(REACH))
    Contact.objects.filter(pk=row.pk).update(email="eva@acme.com")

    after = client.get(REACH)

    assert (before, findings(after)) == ({"E-mail address with capitals": "1"}, {})


def test_share_is_of_the_records_that_there_are_now(admin, client_of):
    stored(admin, email="Ada@acme.com")
    counting.count_day(patience=60)
    for number in range(3):
        stored(admin, email=f"Eva{number}@acme.com")

    shown = page(client_of(admin).get(REACH)).cssselect(".quality-rows tbody tr")[0]

    assert "100 %" in words(shown)


def test_before_the_first_count_all_is_counted_now(admin, client_of):
    stored(admin, email="Eva@acme.com")
    client = client_of(admin)

    shown = client.get(PAGE)
    panel = as_part(client, REACH)

    waiting = [part.get("hx-get") for part in page(shown).cssselect("[hx-trigger='load']")]
    assert waiting == [
        f"/data-quality/{key}/"
        for key in ("completeness", "reach", "names", "orphans", "stale", "duplicates")
    ]
    assert findings(panel)["E-mail address with capitals"] == "1"


def test_others_see_figures_of_what_they_may_read(alice, charlie, client_of, monkeypatch):
    monkeypatch.setattr(quality, "LIMIT", 2)
    for n in range(3):
        stored(alice, email=f"Eva{n}@acme.com")
    for _ in range(5):
        stored(charlie, email="tom@acme", fax="ask Tom")
    counting.count_day(patience=60)
    client = client_of(alice)

    shown, panel = client.get(PAGE), as_part(client, REACH)

    assert findings(panel) == {
        "E-mail address with capitals": "2+",
    }
    assert "Recount" not in shown.content.decode()
    assert not page(panel).cssselect(".sparkline")
    assert client.post("/data-quality/recount").status_code == 403


def test_without_a_right_to_read_nothing_is_said(client_of, db):
    client = client_of(make_user(roles=()))

    for key in ("completeness", "reach", "stale"):
        assert (
            "nothing here that you may read" in client.get(f"/data-quality/{key}/").content.decode()
        )


def test_every_panel_is_a_page_too(admin, client_of):
    client = client_of(admin)

    shown = {
        key: client.get(f"/data-quality/{key}/")
        for key in ("completeness", "reach", "names", "orphans", "stale", "duplicates")
    }

    assert {r.status_code for r in shown.values()} == {200}
    assert all(len(page(r).cssselect("h1")) == 1 for r in shown.values())
    assert client.get("/data-quality/nonsense/").status_code == 404


def test_every_figure_leads_to_the_list_of_exactly_its_records(admin):
    for check in flaws.checks(*flaws.MONTHS):
        url, state = liststate.whole_list(check.query)
        seen = liststate.listing(registry[check.entity], QueryDict(state), admin)

        assert (seen.problems, seen.query) == ([], check.query), check
        assert url.endswith(f"?{state}")


def test_the_list_says_what_it_shows(admin, client_of):
    stored(admin, mobile_phone="ask Tom", modified_at=timezone.now() - datetime.timedelta(900))
    keys = {"phone.invalid", "stale.24"}
    checks = [c for c in flaws.checks(24) if c.entity == "contact" and c.key in keys]
    found = []

    for check in checks:
        shown = client_of(admin).get(liststate.whole_list(check.query)[0])
        chips = [words(chip) for chip in page(shown).cssselect("span.chip")]
        found.append((len(page(shown).cssselect("tbody tr")), chips[1:]))

    assert found == [
        (1, ["Business phone or Mobile phone or Manager phone or 5 more is not valid"]),
        (
            1,
            [
                "Modified on older than 730 days",
                "No activities Date newer than 730 days",
                "No people Date (Activity) newer than 730 days",
            ],
        ),
    ]


def test_a_chip_of_a_group_takes_it_away(admin, client_of):
    stored(admin, email="tom@acme")
    client = client_of(admin)
    check = next(c for c in flaws.checks(12) if (c.entity, c.key) == ("contact", "email.invalid"))
    shown = client.get(liststate.whole_list(check.query)[0])

    urls = [a.get("href") for a in page(shown).cssselect("a.chip-remove")]

    assert ["&o=" in url for url in urls] == [True, False]
    assert client.get(urls[1]).status_code == 200


def test_mending_is_previewed_done_and_undone(admin, client_of):
    row = stored(admin, email="Eva@acme.com")
    client = client_of(admin)
    shown = client.get(REACH)
    form = next(f for f in page(shown).forms if "Tidy addresses" in f.text_content())

    preview = client.post(form.action, values_of(form))
    before = Contact.objects.get(pk=row.pk).email
    done = send(client, preview, "/bulk/repair", confirm="1")
    after = Contact.objects.get(pk=row.pk).email
    listed = client.get(done["Location"]).content.decode()
    undo = re.search(r'action="(/undo/[^"]*)"', listed)

    assert (before, after) == ("Eva@acme.com", "eva@acme.com")
    assert "Eva@acme.com" in words(page(preview))
    assert "1 of 1 contact would change" in words(page(preview))
    assert done.status_code == 303
    assert undo
    assert Operation.objects.filter(kind="contact.repair").count() == 1


def test_rows_that_are_marked_are_tidied_up(alice, client_of):
    row = stored(alice, email="Eva@acme.com", fax="000000")
    client = client_of(alice)
    sent = {"ids": [str(row.pk)], "state": "view=all"}
    url = reverse("repair", args=[registry["contact"]])

    asked = client.post(url, sent)
    shown = send(client, asked, "/bulk/repair", repair="placeholder")
    again = send(client, shown, "/bulk/repair", back="1")
    send(client, shown, "/bulk/repair", confirm="1")

    assert ["Tidy up 1 contact" in words(page(r)) for r in (asked, again)] == [True, True]
    assert "is emptied" in words(page(shown))
    row.refresh_from_db()
    assert (row.fax, row.email) == ("", "Eva@acme.com")
    assert client.post(url, {"state": "view=all"}).status_code == 303


def test_many_records_are_mended_by_a_job(admin, client_of, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 1)
    for n in range(2):
        stored(admin, email=f"Eva{n}@acme.com")
    url = reverse("repair", args=[registry["contact"]])
    sent = {"all": "1", "state": "view=all", "repair": "email", "confirm": "1"}

    client_of(admin).post(url, sent)

    job = Job.objects.get(kind="bulk")
    assert (job.parameters["command"], job.parameters["form"]) == ("repair", {"repair": "email"})


def test_what_counts_as_stale_is_ones_own_choice(alice, bob, client_of):
    client = client_of(alice)

    client.post("/data-quality/months", {"months": "3"})
    client.post("/data-quality/months", {"months": "7"})

    assert "for 3 months" in words(page(client.get("/data-quality/stale/")))
    assert "for 12 months" in words(page(client_of(bob).get("/data-quality/stale/")))
    assert Preference.objects.get(user=alice).value == 3


def test_recount_is_a_job(admin, client_of):
    answer = client_of(admin).post("/data-quality/recount")

    job = Job.objects.get(kind="quality.count")
    assert (answer.status_code, answer["Location"]) == (303, reverse("job", args=[job.pk]))


def test_figures_over_time_are_drawn_with_their_words(admin, client_of, monkeypatch):
    monkeypatch.setattr(quality, "SMALL", 0)
    today = timezone.localdate()
    for ago, number in ((2, 9), (1, 5), (0, 3)):
        day = today - datetime.timedelta(ago)
        keeping.keep(
            [
                quality.Figure("lead", "email.invalid", number, 10),
                quality.Figure("contact", "duplicates.open", number * 2, 10),
            ],
            day,
        )
    client = client_of(admin)

    spark = page(client.get(PAGE)).cssselect("#quality-reach .sparkline")[0]
    duplicates = page(client.get("/data-quality/duplicates/"))

    assert spark.get("role") == "img"
    assert re.fullmatch("9 on .*, 3 on .*", spark.get("aria-label"))
    assert [words(cell) for cell in duplicates.cssselect("tbody td")] == ["6", "10", "18"]
    assert len(duplicates.cssselect(".chart polyline")) == 2


def test_the_site_map_leads_there(alice, client_of):
    client = client_of(alice)

    links = [a.get("href") for a in page(client.get("/")).cssselect("nav a")]

    assert PAGE in links
