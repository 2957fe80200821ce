"""What holds for every request: the viewer's language and time zone, no copies kept on the way."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from . import errors


class ViewerMiddleware:
    """Activates the viewer's time zone and language; turns what views raise into pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = _language(request)
        # A thread serves many people: what was active before comes back in any case.
        with translation.override(language), timezone.override(_zone(request)):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        # Pages hold customers' data: neither a proxy nor the browser's disk keeps them.
        response.headers.setdefault("Cache-Control", "no-store, private")
        if not request.user.is_authenticated:
            patch_vary_headers(response, ["Accept-Language"])
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page for an error that has one; None lets Django go on."""
        return errors.answer(request, error)


def _language(request: HttpRequest) -> str:
    """The user's choice, else the browser's, else that of the installation."""
    chosen = getattr(request.user, "language", "")
    if chosen:
        try:
            return translation.get_supported_language_variant(chosen)
        except LookupError:
            pass
    return translation.get_language_from_request(request)


def _zone(request: HttpRequest) -> zoneinfo.ZoneInfo | None:
    """The user's choice, else the browser's at sign-in; None is that of the installation."""
    if not request.user.is_authenticated:
        return None
    for name in (request.user.time_zone, request.session.get("time_zone")):
        if name:
            try:
                return zoneinfo.ZoneInfo(name)
            except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
                continue
    return None
