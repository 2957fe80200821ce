"""The door for programs: a key, no session and no cookie; whatever goes wrong is said in JSON."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from rapport import limits
from rapport.imports import recipekeys
from rapport.models import ImportRecipe

log = logging.getLogger(__name__)

# Calls that one address may make, and wrong keys that it may try.
CALLS, WRONG_KEYS = 600, 60

View = Callable[..., HttpResponseBase]


class Answer(Exception):
    """Ends a call with a status and a sentence."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}


def not_found() -> Answer:
    """There is no such thing, or not for this key."""
    return Answer(404, _("There is nothing here, or this key is not for it."))


def for_programs(*methods: str, per_minute: int = CALLS) -> Callable[[View], View]:
    """A view for those who hold the key of the recipe in the address. Cookies say nothing here,
    so that there is no form to forge."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, recipe: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                if request.method not in methods:
                    headers = {"Allow": ", ".join(methods)}
                    raise Answer(405, _("This address does not take that method."), headers)
                limits.check(request, f"api-{view.__name__}", per_minute=per_minute)
                found = _recipe(request)
                if found.pk != recipe:
                    raise not_found()
                # Uploads are bounded, and words written, as for the person who owns the key.
                request.user = found.owner
                return view(request, found, **kwargs)
            except Answer as answer:
                return problem(answer.status, str(answer), answer.headers)
            except limits.TooMany:
                text = _("Too many calls from your address. Wait a minute.")
                return problem(429, text, {"Retry-After": "60"})
            except RequestDataTooBig:
                return too_large()
            except (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError):
                return problem(400, _("This request cannot be read."))
            except Exception:
                log.exception("%s failed", request.path)
                return problem(500, _("This is a fault of Rapport, not yours. Try again."))

        return guarded

    return decorate


def _recipe(request: HttpRequest) -> ImportRecipe:
    """The recipe whose key the call brings."""
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        found = recipekeys.recipe_of_key(key.strip())
        if found is not None:
            return found
        limits.check(request, "api-key", per_minute=WRONG_KEYS)
        text = _("This key is wrong, or was revoked.")
    else:
        text = _("Send the key of the recipe: “Authorization: Bearer …”.")
    raise Answer(401, text, {"WWW-Authenticate": 'Bearer realm="Rapport"'})


def too_large() -> HttpResponse:
    """413."""
    limit = settings.UPLOAD_LIMIT // 1024**2
    text = _("Files may have up to %(limit)d MB.") % {"limit": limit}
    # What follows is not read any more.
    return problem(413, text, {"Connection": "close"})


def problem(status: int, message: str, headers: dict[str, str] | None = None) -> HttpResponse:
    """What went wrong, for programs."""
    return JsonResponse({"error": message}, status=status, headers=headers)


@csrf_exempt
def nothing(_request: HttpRequest, rest: str = "") -> HttpResponse:
    """Any other address."""
    return problem(404, str(not_found()))
