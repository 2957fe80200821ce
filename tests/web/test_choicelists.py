"""Settings > Choice lists."""

import math

import pytest
from django.urls import reverse

from rapport.meta import options as lists
from rapport.models import ChoiceOption
from rapport.queries.options import read
from tests import factories

pytestmark = pytest.mark.django_db


def test_an_administrator_adds_renames_and_withdraws_an_option(admin, client_of):
    client = client_of(admin)
    page = reverse("choice-lists")

    client.post(reverse("choice-list-add", args=["industry"]), {"label": "<b>Bees</b>"})
    option = ChoiceOption.objects.get()
    lists.take(read(), until=math.inf)

    assert "&lt;b&gt;Bees&lt;/b&gt;" in client.get(page).content.decode()
    assert "&lt;b&gt;Bees" in client.get(reverse("create", args=["account"])).content.decode()

    change = reverse("choice-option-change", args=[option.pk])
    client.post(change, {"label": "Beekeeping"})
    assert client.post(change, {"label": "Accounting"}, follow=True).content.count(b"There is an")
    client.post(change, {"offered": "no"})
    lists.take(read(), until=math.inf)

    option.refresh_from_db()
    assert (option.label, option.state) == ("Beekeeping", 1)
    assert "Beekeeping" not in client.get(reverse("create", args=["account"])).content.decode()
    # A record that has it keeps it when somebody edits something else.
    account = factories.make_account(industry=option.value)
    form = client.get(reverse("edit", args=["account", account.pk])).content.decode()
    assert "Beekeeping" in form


def test_nobody_else_may(alice, client_of):
    client = client_of(alice)

    assert client.get(reverse("choice-lists")).status_code == 403
    add = reverse("choice-list-add", args=["industry"])
    assert client.post(add, {"label": "Mine"}).status_code == 403
    assert not ChoiceOption.objects.exists()
