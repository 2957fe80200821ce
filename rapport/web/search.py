"""Search over everything: the page, and the suggestions of the top bar."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from rapport.meta.registry import registry
from rapport.queries import search, views

from . import shell
from .liststate import encode
from .signin import signed_in

# Hits of an entity: few while one types, more on the page.
SUGGESTED, LISTED = 4, 12
LONGEST = 200


@signed_in
@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """What has all the words of `q`, by entity."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    limit = SUGGESTED if shell.is_part(request) else LISTED
    found = search.everywhere(text, request.user, limit=limit) if text else {}
    context = {
        "q": text,
        "groups": [_group(name, hits, text, limit) for name, hits in found.items()],
        "search_words": bool(search.words(text)),
        "all_url": reverse("search") + encode([("q", text)]),
    }
    return shell.render(request, "search/page.html", context, part="search/options.html")


def _group(name: str, hits: list[search.Hit], text: str, limit: int) -> dict[str, Any]:
    entity = registry[name]
    url = reverse("list", args=[entity])
    is_person = "first_name" in entity.title_fields
    return {
        "entity": entity,
        "hits": [
            {
                "title": hit.title or str(entity.label),
                "detail": hit.detail,
                "url": f"{url}{hit.id}/",
                "initials": shell.initials(hit.title) if is_person else "",
                "hue": shell.hue(hit.title),
            }
            for hit in hits
        ],
        # The whole list, whatever view it would open with.
        "more_url": url + encode([("view", views.widest(entity).key), ("f", ""), ("q", text)])
        if len(hits) >= limit
        else "",
    }


urlpatterns = [path("search/", search_page, name="search")]
