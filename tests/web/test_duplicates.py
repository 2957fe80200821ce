"""The queue of records that look alike, two of them side by side, and the certain ones in bulk."""

import pytest

from rapport.models import DuplicatePair, Job
from tests.factories import make_account, make_contact, make_lead, make_opportunity, make_pair
from tests.web.browsing import page, send, toast, words

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def two(alice):
    values = {"owner": alice, "first_name": "Eva", "email": "eva@stone.example"}
    return make_contact(last_name="Stone", **values), make_contact(last_name="STONE", **values)


@pytest.fixture
def pair(two):
    return make_pair(*two)


def rows(response):
    """(names, effort) of the pairs of a queue."""
    return [
        (
            tuple(words(name) for name in row.cssselect(".pair-side bdi")),
            words(row.cssselect(".pair-facts small")[0]),
        )
        for row in page(response).cssselect("li.pair")
    ]


def statuses():
    return sorted(DuplicatePair.objects.values_list("status", flat=True))


# -- the queue -------------------------------------------------------------------------------------


@pytest.mark.once
def test_queue_names_both_says_why_and_how_much_work(alice, client_of, pair):
    answer = client_of(alice).get("/duplicates/")

    assert [(set(names), effort) for names, effort in rows(answer)] == [
        ({"Eva Stone", "Eva STONE"}, "no conflicts")
    ]
    assert [words(chip) for chip in page(answer).cssselect(".reason")] == [
        "=Email same", "≠Job title different"
    ]  # fmt: skip
    assert [words(count) for count in page(answer).cssselect(".sitemap-count")] == ["1"]


def test_stranger_learns_nothing_of_a_pair(charlie, client_of, pair):
    client = client_of(charlie)
    answer = client.get("/duplicates/")

    assert (rows(answer), page(answer).cssselect(".sitemap-count")) == ([], [])
    assert client.get(f"/duplicates/{pair.pk}/").status_code == 404
    assert client.post("/duplicates/decide/", {"different": pair.pk}).status_code == 404
    assert client.post(f"/duplicates/{pair.pk}/cluster/", {"status": "later"}).status_code == 404
    assert statuses() == ["open"]


def test_surest_pair_comes_first_and_only_of_the_entity_asked_for(alice, client_of, pair):
    companies = [make_account(owner=alice, name=name) for name in ("Stone", "Stone Ltd")]
    make_pair(*companies, weight=40.0, effort=2)
    lead = make_lead(owner=alice)
    make_pair(lead, make_contact(owner=alice), weight=10.0, effort=3)
    client = client_of(alice)

    assert [effort for _names, effort in rows(client.get("/duplicates/"))] == [
        "1 value to choose", "no conflicts", "3 values to choose"
    ]  # fmt: skip
    assert len(rows(client.get("/duplicates/?entity=lead"))) == 1
    assert len(rows(client.get("/duplicates/?status=later"))) == 0


def test_what_cannot_be_merged_is_not_offered_to_be(alice, client_of):
    account = make_account(owner=alice)
    deals = [make_opportunity(owner=alice, account=account, topic="Deal") for _ in range(2)]
    pair = make_pair(*deals)
    client = client_of(alice)

    shown = [client.get(url) for url in ("/duplicates/", f"/duplicates/{pair.pk}/")]

    assert [page(one).cssselect("a[href^='/merge/']") for one in shown] == [[], []]
    assert "No pair is that certain" in words(page(client.get("/duplicates/certain/")))


@pytest.mark.once
def test_decision_takes_the_pair_to_its_tab_and_back(alice, client_of, pair):
    client = client_of(alice)

    send(client, client.get("/duplicates/"), "/duplicates/decide/", later=str(pair.pk))
    assert (statuses(), len(rows(client.get("/duplicates/?status=later")))) == (["later"], 1)
    client.post("/duplicates/decide/?status=later", {"open": pair.pk})
    assert statuses() == ["open"]


def test_decided_row_offers_to_take_it_back(alice, client_of, pair):
    answer = client_of(alice).post("/duplicates/decide/", {"different": pair.pk}, **HTMX)

    row = page(answer).cssselect("li")[0]
    assert (row.get("data-decided") is not None, words(row.cssselect("button")[0])) == (
        True, "Take back"
    )  # fmt: skip
    tabs = [words(tab) for tab in page(answer).cssselect("#pairs-tabs a")]
    assert (statuses(), tabs) == (
        ["different"], ["To review 0", "Later 0", "Not a duplicate 1"]
    )  # fmt: skip


def test_ticked_pairs_are_decided_together(alice, client_of, pair):
    other = make_pair(make_contact(owner=alice), make_contact(owner=alice))
    client = client_of(alice)
    client.post("/duplicates/decide/", {"ids": [pair.pk, other.pk], "later": "ticked"})

    assert statuses() == ["later", "later"]
    assert client.post("/duplicates/decide/", {"later": "ticked"}).status_code == 303


def test_search_is_asked_for_by_administrators(alice, admin, client_of):
    assert client_of(alice).post("/duplicates/search/").status_code == 403
    client = client_of(admin)
    client.post("/duplicates/search/")
    shown = client.get("/duplicates/radar/", **HTMX)

    assert list(Job.objects.values_list("kind", "created_by")) == [("duplicates.radar", admin.pk)]
    assert "hx-trigger" in page(shown).cssselect("#radar")[0].attrib


# -- side by side ----------------------------------------------------------------------------------


def test_values_stand_beside_each_other_with_a_sign(alice, client_of):
    company = make_account(owner=alice, name="Stone Ltd")
    one = make_contact(
        owner=alice, first_name="Eva", last_name="Stone", business_phone="+49 30 1234567",
        account=company,
    )  # fmt: skip
    other = make_contact(
        owner=alice, first_name="Eva", last_name="Stome", business_phone="030 1234567",
        job_title="CEO",
    )  # fmt: skip
    pair = make_pair(one, other)
    make_opportunity(owner=alice, account=None, contact=one, topic="Deal")
    answer = client_of(alice).get(f"/duplicates/{pair.pk}/")

    found = {
        words(row.cssselect("th")[0]): row.get("data-level")
        for row in page(answer).cssselect("tr[data-level]")
    }
    assert found == {
        "First name": "same", "Last name": "similar", "Job title": "one", "Company name": "one",
        "Business phone": "similar", "Owner": "same",
    }  # fmt: skip
    assert "1 Opportunities" in words(page(answer))


@pytest.mark.once
def test_decision_leads_to_the_next_pair(alice, client_of, pair):
    other = make_pair(make_contact(owner=alice), make_contact(owner=alice), weight=5.0)
    client = client_of(alice)
    shown = client.get(f"/duplicates/{pair.pk}/")
    answer = send(client, shown, "/duplicates/decide/", different=str(pair.pk))

    assert answer["Location"] == f"/duplicates/{other.pk}/"
    last = client.get(f"/duplicates/{other.pk}/")
    assert send(client, last, "/duplicates/decide/", later=str(other.pk))["Location"] == (
        "/duplicates/"
    )


@pytest.mark.once
def test_whole_cluster_is_said_to_be_different(alice, client_of, two, pair):
    third = make_contact(owner=alice)
    make_pair(two[0], third)
    client = client_of(alice)
    shown = client.get(f"/duplicates/{pair.pk}/")
    merge_all = page(shown).cssselect(".panel-actions a")[0]
    send(client, shown, f"/duplicates/{pair.pk}/cluster/", status="different")

    assert (words(merge_all), merge_all.get("href").count("id=")) == ("Merge all 3", 3)
    assert statuses() == ["different"] * 3


@pytest.mark.once
def test_lead_is_qualified_into_the_contact_not_merged(alice, client_of, two):
    lead = make_lead(owner=alice, first_name="Eva", last_name="Stone")
    pair = make_pair(two[0], lead)
    client = client_of(alice)
    bar = page(client.get(f"/duplicates/{pair.pk}/")).cssselect(".pair-bar a[data-hotkey='m']")

    assert [words(link) for link in bar] == ["Qualify into this contact M"]
    dialog = page(client.get(bar[0].get("href")))
    chosen = dialog.cssselect("input[name='contact'][checked]")
    assert [box.get("value") for box in chosen] == [str(two[0].pk)]


# -- the certain ones ------------------------------------------------------------------------------


def groups(response):
    return [words(row.cssselect("th")[0]) for row in page(response).cssselect(".table tbody tr")]


def test_certain_pairs_are_shown_before_they_are_merged(alice, client_of, two, pair):
    doubtful = [make_contact(owner=alice, last_name=f"Hill {n}") for n in range(2)]
    make_pair(*doubtful, confidence=80)
    make_pair(make_contact(owner=alice, fax="1"), make_contact(owner=alice, fax="2"))
    client = client_of(alice)

    asked = client.get("/duplicates/certain/")
    more = client.get("/duplicates/certain/?confidence=80&conflicts=1")
    assert (len(groups(asked)), len(groups(more))) == (1, 3)
    assert Job.objects.count() == 0


def test_records_that_hang_together_in_a_chain_are_left_for_review(alice, client_of, two, pair):
    make_pair(two[1], make_contact(owner=alice), weight=10.0)
    answer = client_of(alice).get("/duplicates/certain/")

    assert len(groups(answer)) == 1
    assert "One pair is left for review" in words(page(answer))


def test_pair_whose_values_differ_is_not_promised(alice, client_of):
    make_pair(*(make_contact(owner=alice, last_name="Hill", job_title=t) for t in ("CEO", "CFO")))

    shown = page(client_of(alice).get("/duplicates/certain/"))

    assert words(shown.cssselect("h1")[0]) == "Merge the certain ones"
    assert shown.cssselect("[name=confirm]") == []


def test_confirmed_pairs_become_a_job(alice, client_of, two, pair):
    client = client_of(alice)
    answer = send(client, client.get("/duplicates/certain/"), "/duplicates/certain/", confirm="1")

    job = Job.objects.get()
    assert (job.kind, answer["Location"]) == ("duplicates.merge", f"/jobs/{job.pk}/")
    assert job.parameters == {
        "groups": [["contact", sorted(str(one.pk) for one in two)]], "with_conflicts": False
    }  # fmt: skip


@pytest.mark.once
def test_nothing_ticked_merges_nothing(alice, client_of, pair):
    client = client_of(alice)
    client.post("/duplicates/certain/", {})

    assert Job.objects.count() == 0
    assert toast(client.get("/duplicates/"))[0] == "Tick some pairs first."
