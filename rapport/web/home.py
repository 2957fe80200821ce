"""The first page after signing in, and what was opened lately."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from . import shell
from .signin import signed_in


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """What needs doing now."""
    return shell.render(request, "home/home.html")


urlpatterns = [path("", home, name="home")]
