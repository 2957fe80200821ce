"""Addresses of the Sales Hub. Own pages first, then what every entity has."""

from importlib import import_module

from django.urls import URLPattern

from . import converters  # noqa: F401 -- registers the path converter

# Each module of a page or flow lists its own addresses; the generic ones of entities come last.
MODULES = (
    "signin", "health", "home", "search", "imports", "recipes", "jobs", "certain", "duplicates",
    "duplicaterules", "choicelists", "settings", "recycle", "undo", "quality", "lookups", "similar",
    "editing", "merging", "records", "timelines", "commands", "dialogs", "repairs", "bulk",
    "filters", "columns", "views", "exports", "lists",
)  # fmt: skip

urlpatterns: list[URLPattern] = [
    pattern for name in MODULES for pattern in import_module(f"{__package__}.{name}").urlpatterns
]
