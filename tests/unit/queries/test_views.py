"""Personal views."""

import json

import pytest

from rapport.meta.registry import registry
from rapport.queries import query, views
from tests import factories

CONTACT = registry["contact"]


def make(owner, **values):
    definition = json.dumps(query.dumps(query.of_view(CONTACT, "all")))
    return factories.make_saved_view(
        **{"entity": "contact", "definition": definition, "owner": owner} | values
    )


def test_own_views_come_before_shared_ones(alice, bob, charlie):
    make(alice, name="Mine")
    shared = make(bob, name="Bob's")
    make(charlie, name="Hidden")
    factories.share_with(shared, alice)

    found = views.personal(CONTACT, alice)
    assert [(view.label, view.mine, view.owner) for view in found] == [
        ("Mine", True, "Alice Archer"), ("Bob's", False, "Bob Baker"),
    ]  # fmt: skip


def test_view_of_somebody_else_is_not_found(alice, charlie):
    assert views.find(CONTACT, str(make(charlie).pk), alice) is None
    assert views.find(CONTACT, "nonsense", alice) is None


def test_system_view_is_found_by_its_key(alice):
    assert views.find(CONTACT, "decision-makers", alice).label == "Decision Makers"
    assert [view.key for view in views.system(CONTACT)][:2] == ["my-active", "active"]
    assert views.default(CONTACT).key == "my-active"


@pytest.mark.parametrize(
    "definition",
    [
        "", "null", "[]", "7", "{", '"x"', "[" * 50_000,
        '{"entity": "invoice"}',
        '{"entity": "account"}',
        '{"entity": "contact", "columns": ["shoe_size"]}',
        '{"entity": "contact", "where": {"of": [["email", "like", "x"]]}}',
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_view_that_cannot_be_used_any_more_says_so(definition, alice):
    view = make(alice, definition=definition)
    found = views.find(CONTACT, str(view.pk), alice)

    assert found.query == views.default(CONTACT).query
    assert found.problem != ""
