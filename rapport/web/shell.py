"""What surrounds every page: site map, create menu, user menu; and page or part."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rapport import access
from rapport.meta.entity import Entity
from rapport.meta.registry import registry

# Keys for "g a" and so on.
_KEYS = {"account": "a", "contact": "c", "lead": "l", "opportunity": "o", "activity": "v"}
_HUES = 12


def is_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a part (not a whole page by a boosted link or history)."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and headers.get("HX-Boosted") != "true"


def render(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    part: str | None = None,
) -> HttpResponse:
    """`template` as a whole page, or as a part for htmx: `part` names the smaller template for
    that case; without one the same template is rendered without its frame."""
    wanted = is_part(request)
    values = {"icons_url": icons_url(), **(context or {})}
    if wanted and part:
        template = part
    elif wanted:
        values["frame"] = "ui/part.html"
    else:
        values.update(shell(request))
    response = HttpResponse(render_to_string(template, values, request), status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of base.html for a signed-in user; nothing for others."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "sitemap": _sitemap(request),
        "create_menu": _create_menu(request),
        "user_menu": {
            "name": str(user),
            "detail": user.email,
            "initials": initials(str(user)),
            "hue": hue(str(user)),
            "items": [
                {"label": _("My settings"), "url": address("me"), "icon": "settings"},
                {
                    "label": _("Sign out"),
                    "url": reverse("sign-out"),
                    "icon": "log-out",
                    "post": True,
                },
            ],
        },
    }


def address(name: str, *args: Any) -> str:
    """The address called `name`; '' while nobody has built it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _sitemap(request: HttpRequest) -> list[dict[str, Any]]:
    here = request.path

    def item(label: Any, url: str, icon: str, key: str = "") -> dict[str, Any]:
        current = here == url if url == "/" else here.startswith(url)
        return {"label": label, "url": url, "icon": icon, "key": key, "current": current}

    groups: dict[str, list[dict[str, Any]]] = {}
    for entity in registry:
        if not entity.menu or entity.ownership == "organisation":
            continue
        if access.may(request.user, access.READ, entity):
            url = address("list", entity)
            if not url:
                continue
            found = item(entity.label_plural, url, entity.icon, _KEYS.get(entity.name, ""))
            groups.setdefault(str(entity.menu), []).append(found)
    tools = [
        item(_("Imports"), address("imports"), "file-up", "i"),
        item(_("System jobs"), address("jobs"), "list-checks"),
        item(_("Recycle bin"), address("recycle-bin"), "trash-2"),
        item(_("Settings"), address("settings"), "settings", "s"),
    ]
    first = [
        item(_("Home"), address("home"), "house", "h"),
        item(_("Recent"), address("recent"), "clock", "r"),
    ]
    tools, first = ([i for i in items if i["url"]] for items in (tools, first))
    mine = groups.pop(str(_("My work")), [])
    return [
        {"label": "", "items": first + mine},
        *({"label": label, "items": items} for label, items in groups.items()),
        {"label": _("Tools"), "items": tools},
    ]


def _create_menu(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {"label": entity.label, "url": address("quick-create", entity), "icon": entity.icon}
        for entity in quick_entities()
        if access.may(request.user, "create", entity) and address("quick-create", entity)
    ]


def quick_entities() -> list[Entity]:
    """Entities of the create menu: what sales people make all day."""
    return [e for e in registry if e.quick and e.creatable and e.ownership == "user"]


def moved(request: HttpRequest, url: str) -> HttpResponse:
    """The answer to a post that leads to another page, also when htmx sent it."""
    if is_part(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url, status=303)


def page_before(request: HttpRequest) -> str:
    """The path of the page that this request came from; '' when that is not one of ours."""
    seen = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    parts = urlsplit(seen)
    if parts.netloc != request.get_host():
        return ""
    path = parts._replace(scheme="", netloc="", fragment="").geturl()
    return path if url_has_allowed_host_and_scheme(path, allowed_hosts=None) else ""


def say_done(request: HttpRequest, text: str, operation: uuid.UUID | None) -> None:
    """A toast on the next page, with Undo."""
    undo_url = reverse("undo", args=[operation]) if operation else ""
    messages.success(request, text, extra_tags=undo_url)


def icons_url() -> str:
    """Address of the icon sprite."""
    return static("vendor/icons.svg")


def icon(name: str) -> SafeString:
    """An icon of the sprite."""
    use = f'<use href="{icons_url()}#{name}"></use>'
    return SafeString(f'<svg class="icon" aria-hidden="true">{use}</svg>')


def initials(name: str) -> str:
    """One or two letters that stand for a name."""
    words = [word for word in name.split() if word[:1].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])).upper()


def hue(name: str) -> int:
    """The avatar colour of a name, 0 to 11: always the same one."""
    return zlib.crc32(name.encode()) % _HUES
