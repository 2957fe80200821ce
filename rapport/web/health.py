"""For load balancers and watchers, without sign-in: is this process alive, can it answer pages?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rapport.jobs import health


@require_safe
@never_cache
def live(_request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def ready(_request: HttpRequest) -> HttpResponse:
    """200 when pages can be served, else 503. A silent worker is only a warning: pages work."""
    found = health.as_json(health.quick())
    return JsonResponse(found, status=503 if found["status"] == "failed" else 200)


urlpatterns = [
    path("health/live", live, name="health-live"),
    path("health/ready", ready, name="health-ready"),
]
