"""Pages for what went wrong: what happened, and what to do next."""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from rapport import limits
from rapport.access import Forbidden
from rapport.actions.records import RecordNotFound
from rapport.meta.entity import Entity
from rapport.models import User
from rapport.queries import moved, one

from . import panels, shell

log = logging.getLogger(__name__)


def answer(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """The page for a domain error that a view lets through; None for any other error."""
    match error:
        case Forbidden():
            return forbidden(request, error)
        case RecordNotFound():
            return _merged(request) or not_found(request, error)
        case limits.TooMany():
            return _page(
                request,
                429,
                _("Too many requests"),
                _("Please wait a minute, then try again."),
            )
    return None


def _merged(request: HttpRequest) -> HttpResponse | None:
    """The way from an address of a merged record to the record that stayed, when the viewer may
    read that. What was to be written to the old one is not written to another."""
    match = request.resolver_match
    entity, id_ = (match.kwargs.get(name) for name in ("entity", "id")) if match else (None, None)
    user = request.user
    if not (isinstance(entity, Entity) and isinstance(id_, uuid.UUID) and isinstance(user, User)):
        return None
    into = moved.moved(entity, id_)
    if into is None or one.get(entity, into, user) is None:
        return None
    old, new = panels.address(entity, id_), panels.address(entity, into)
    if request.method in {"GET", "HEAD"}:
        messages.info(request, _("The record that you asked for was merged into this one."))
        url = request.get_full_path().replace(old, new, 1)
    else:
        text = _("The record was merged into this one meanwhile. Nothing was saved.")
        messages.warning(request, text)
        url = new
    return shell.moved(request, url)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the address or the form cannot be read; 413 when it is too large to be read."""
    if isinstance(exception, RequestDataTooBig):
        return _page(
            request,
            413,
            _("This is too large"),
            _("Files may have up to %(limit)d MB. Split the file, or save it as CSV.")
            % {"limit": settings.UPLOAD_LIMIT // 1024**2},
        )
    if isinstance(exception, TooManyFilesSent):
        return _page(
            request,
            413,
            _("These are too many files"),
            _("Up to %(limit)d come at once. Put them into a .zip.")
            % {"limit": settings.DATA_UPLOAD_MAX_NUMBER_FILES},
        )
    return _page(
        request,
        400,
        _("This request cannot be read"),
        _("The address or the form is damaged. Go back and try again from the page you came from."),
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: visible, but not allowed."""
    return _page(
        request,
        403,
        _("You may not do this"),
        _("Your role does not include it. An administrator can give you a role that does."),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: there is nothing here, or nothing that this person may see."""
    return _page(
        request,
        404,
        _("There is nothing here"),
        _("It was deleted, the address is wrong, or you may not see it."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our mistake. Must work when the database does not."""
    title = _("Something went wrong")
    text = _("This is a fault of Rapport, not yours. Nothing was half saved. Please try again.")
    try:
        return _page(request, 500, title, text)
    except Exception:
        log.exception("the error page failed")
        return HttpResponse(
            f"{title}. {text}", status=500, content_type="text/plain; charset=utf-8"
        )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form is older than the session, or comes from another site."""
    log.info("refused a form: %s", reason)
    return _page(
        request,
        403,
        _("This form is too old"),
        _("You signed in or out meanwhile. Reload the page and send the form again."),
    )


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    # The user is missing when a request fails before the sign-in middleware.
    known = getattr(request, "user", None)
    template = "errors/inside.html" if known and known.is_authenticated else "errors/outside.html"
    if shell.is_part(request) and request.method == "POST" and not _fills_dialog(request):
        # The row, or what was typed, stays where it is.
        return _message(status, f"{title}. {text}")
    context: dict[str, Any] = {"title": title, "text": text, "status": status}
    return shell.render(request, template, context, status=status)


def _message(status: int, text: str) -> HttpResponse:
    toast = json.dumps({"crm:toast": {"text": text, "tone": "bad"}})
    headers = {"HX-Reswap": "none", "HX-Trigger": toast}
    return HttpResponse(text, "text/plain; charset=utf-8", status, headers=headers)


def _fills_dialog(request: HttpRequest) -> bool:
    """Whether the answer goes into a dialog, which covers messages."""
    return request.headers.get("HX-Target", "").endswith("#dialog")
