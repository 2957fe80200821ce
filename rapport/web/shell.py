"""What surrounds every page: site map, create menu, user menu; and page or part."""

from __future__ import annotations

import time
import uuid
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext as _

from rapport import access
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.queries import duplicates

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


# Frames kept between pages, and what stands in them for the visitor's token.
_FRAMES: dict[tuple[Any, ...], tuple[str, str]] = {}
_FRAMES_KEPT = 500
_TOKEN = "csrf-token-of-this-visitor"  # noqa: S105 -- a place, not a secret


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of base.html for a signed-in user; nothing for others.

    The frame is the same on most pages, and rendering it took a third of a list page. It is kept
    by all that it shows: who, in which language, where, and what they may read and create.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    readable = tuple(e.name for e in registry if e.menu and access.may(user, access.READ, e))
    creatable = tuple(e.name for e in quick_entities() if access.may(user, "create", e))
    section = request.path.split("/", 2)[1]
    alike = _alike(user, section)
    key = (user.pk, user.version, get_language(), icons_url(), section, readable, creatable, alike)
    frame = _FRAMES.get(key)
    if frame is None:
        if len(_FRAMES) >= _FRAMES_KEPT:
            _FRAMES.clear()
        frame = _FRAMES[key] = _frame(request, readable, creatable, alike)
    token = get_token(request)
    top, foot = (SafeString(html.replace(_TOKEN, token)) for html in frame)
    return {"frame_top": top, "frame_foot": foot}


# How many pairs wait for somebody, and when that was counted: on the first page of the day and on
# their own pages, so that no other page pays for it.
_WAITING: dict[uuid.UUID, tuple[float, str]] = {}
_COUNTED_FOR = 60.0


def _alike(user: Any, section: str) -> str:
    """'12', '99+' or '' pairs that look alike and wait for the viewer."""
    at, text = _WAITING.get(user.pk, (0.0, ""))
    now = time.monotonic()
    if section == "duplicates" or (not section and (not at or now - at > _COUNTED_FOR)):
        if len(_WAITING) >= _FRAMES_KEPT:
            _WAITING.clear()
        number = duplicates.waiting(user)
        text = f"{duplicates.TOLD}+" if number > duplicates.TOLD else str(number or "")
        _WAITING[user.pk] = (now, text)
    return text


def _frame(
    request: HttpRequest, readable: tuple[str, ...], creatable: tuple[str, ...], alike: str
) -> tuple[str, str]:
    """Top and foot of a page, rendered, with a place for the token."""
    user = request.user
    values = {
        "icons_url": icons_url(),
        "csrf_token": _TOKEN,
        "sitemap": _sitemap(request.path, readable, alike),
        "create_menu": [
            {"label": e.label, "url": reverse("quick-create", args=[e]), "icon": e.icon}
            for e in (registry[name] for name in creatable)
        ],
        "user_menu": {
            "name": str(user),
            "detail": user.email,
            "initials": initials(str(user)),
            "hue": hue(str(user)),
            "items": [
                {"label": _("My settings"), "url": reverse("me"), "icon": "settings"},
                {
                    "label": _("Sign out"),
                    "url": reverse("sign-out"),
                    "icon": "log-out",
                    "post": True,
                },
            ],
        },
    }
    top = render_to_string("ui/frame_top.html", values)
    return top, render_to_string("ui/frame_foot.html", values)


def _sitemap(here: str, readable: tuple[str, ...], alike: str) -> list[dict[str, Any]]:
    def item(label: Any, name: str, icon: str, key: str = "", *args: Any) -> dict[str, Any]:
        url = reverse(name, args=args)
        current = here == url if url == "/" else here.startswith(url)
        return {"label": label, "url": url, "icon": icon, "key": key, "current": current}

    groups: dict[str, list[dict[str, Any]]] = {}
    for entity in (registry[name] for name in readable):
        if entity.ownership != "organisation":
            key = _KEYS.get(entity.name, "")
            found = item(entity.label_plural, "list", entity.icon, key, entity)
            groups.setdefault(str(entity.menu), []).append(found)
    tools = [
        item(_("Imports"), "imports", "file-up", "i"),
        {**item(_("Duplicates"), "duplicates", "copy", "d"), "count": alike},
        item(_("Data quality"), "data-quality", "gauge"),
        item(_("System jobs"), "jobs", "list-checks"),
        item(_("Recycle bin"), "recycle-bin", "trash-2"),
        item(_("Settings"), "settings", "settings", "s"),
    ]
    first = [item(_("Home"), "home", "house", "h"), item(_("Recent"), "recent", "clock", "r")]
    mine = groups.pop(str(_("My work")), [])
    return [
        {"label": "", "items": first + mine},
        *({"label": label, "items": items} for label, items in groups.items()),
        {"label": _("Tools"), "items": tools},
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
