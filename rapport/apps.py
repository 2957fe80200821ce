"""The one Django app."""

from django.apps import AppConfig


class RapportConfig(AppConfig):
    """Loads the declarations and their checks once the models are there."""

    name = "rapport"
    label = "rapport"
    verbose_name = "Rapport"

    def ready(self) -> None:
        from . import entities
        from .jobs import queue
        from .meta import checks, options  # noqa: F401
        from .queries.options import read

        entities.declare()
        options.fill(read)
        queue.bind()
