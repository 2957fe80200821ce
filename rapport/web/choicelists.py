"""Settings > Choice lists: options that the organisation adds to the lists that ship."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import options
from rapport.actions.records import InvalidRecord
from rapport.queries.options import growing

from . import shell
from .settings import administrator
from .signin import see_other


@administrator
@require_safe
def lists_page(request: HttpRequest) -> HttpResponse:
    """All lists that grow, with their options."""
    context = {"lists": growing(request.user)}
    return shell.render(request, "settings/choicelists.html", context)


@administrator
@require_POST
def add(request: HttpRequest, name: str) -> HttpResponse:
    """One more option."""
    return _done(request, name, lambda: options.add_option(name, _label(request), by=request.user))


@administrator
@require_POST
def change(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Call an option otherwise, or offer it no more or again."""
    offered = request.POST.get("offered")
    if offered is not None:
        return _done(
            request,
            "",
            lambda: options.offer_option(id, offered=offered == "yes", by=request.user),
        )
    return _done(request, "", lambda: options.rename_option(id, _label(request), by=request.user))


def _label(request: HttpRequest) -> str:
    return request.POST.get("label", "").strip()


def _done(request: HttpRequest, name: str, act: Callable[[], object]) -> HttpResponse:
    """What came of `act`; back to the list `name`."""
    try:
        act()
    except InvalidRecord as error:
        text = error.complaints
        messages.error(request, text)
    else:
        messages.success(request, _("Saved."))
    return see_other(reverse("choice-lists") + (f"#{name}" if name else ""))


urlpatterns = [
    path("settings/choice-lists/", lists_page, name="choice-lists"),
    path("settings/choice-lists/<slug:name>/add/", add, name="choice-list-add"),
    path("settings/choice-lists/options/<uuid:id>/", change, name="choice-option-change"),
]
