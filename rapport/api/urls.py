"""Addresses for programs, with and without the last slash: a post is not sent twice."""

from django.urls import path

from . import door, imports

RECIPE = "imports/<uuid:recipe>"
RUN = f"{RECIPE}/<uuid:id>"

urlpatterns = [
    path(f"{RECIPE}/", imports.receive, name="api-import"),
    path(RECIPE, imports.receive, name="api-import-bare"),
    path(f"{RUN}/", imports.show, name="api-import-state"),
    path(RUN, imports.show, name="api-import-state-bare"),
    path(f"{RUN}/errors.csv", imports.error_rows, name="api-import-errors"),
    path("", door.nothing, name="api"),
    path("<path:rest>", door.nothing, name="api-nothing"),
]
