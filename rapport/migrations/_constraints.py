"""What several migrations do with constraints."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.models import Model


class DropConstraints(Operation):
    """Foreign keys without a constraint in the database. SQLite keeps its own: there they cost next
    to nothing, and to drop them means to write all tables anew. One operation, since each takes
    the models of a whole history anew. `links`: models and their look-ups."""

    reversible = True

    def __init__(self, links: Sequence[tuple[str, str]]) -> None:
        self.links = links

    def state_forwards(self, app_label: str, state: Any) -> None:
        for model, name in self.links:
            fields = state.models[app_label, model].fields
            fields[name] = fields[name].clone()
            fields[name].db_constraint = False
        state.reload_models({(app_label, model) for model, _name in self.links})

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for found, name in self._kept(app_label, schema_editor, from_state):
            for constraint in schema_editor._constraint_names(
                found, [f"{name}_id"], foreign_key=True
            ):
                schema_editor.execute(schema_editor._delete_fk_sql(found, constraint))

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for found, name in self._kept(app_label, schema_editor, to_state):
            field = found._meta.get_field(name)
            schema_editor.execute(
                schema_editor._create_fk_sql(found, field, "_fk_%(to_table)s_%(to_column)s")
            )

    def _kept(
        self, app_label: str, schema_editor: Any, state: Any
    ) -> Iterator[tuple[type[Model], str]]:
        """The models of that state, with their look-ups, where the database has constraints."""
        if schema_editor.connection.vendor != "sqlite":
            for model, name in self.links:
                yield state.apps.get_model(app_label, model), name

    def describe(self) -> str:
        return "Drop the constraints of foreign keys"
