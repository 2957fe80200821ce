"""Many rows that change alike: a statement or two, however many they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models

from rapport.meta.batches import batches

from .adapted import columns_of, encode_row, target_of


def alter(
    chosen: models.QuerySet[Any],
    columns: Mapping[str, Any],
    notes: type[models.Model],
    note: Mapping[str, Any],
) -> int:
    """Set `columns` of the rows `chosen` and count their version up; for each put a row into
    `notes`: the values `note`, the id as its `record` and the new version. How many they were."""
    model: Any = chosen.model
    quote = connection.ops.quote_name
    found = _where(chosen)
    if found is None:
        return 0
    where, where_values = found
    table, version = quote(model._meta.db_table), f"{quote(model._meta.db_table)}.version"
    names = tuple(columns)
    sets = ", ".join(f"{quote(column.column)} = %s" for column in columns_of(model, names))
    update = f"UPDATE {table} SET {sets}, version = {version} + 1 WHERE {where}"
    update_values = (*encode_row(model, names, tuple(columns.values())), *where_values)
    into, marks, note_values = _alike(notes, note)
    insert = f"INSERT INTO {quote(notes._meta.db_table)} ({into}, record, version)"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # In one, so that what others store meanwhile is either changed and noted or neither.
            cursor.execute(
                f"WITH changed AS ({update} RETURNING {table}.id, {version}) "
                f"{insert} SELECT {marks}, id, version FROM changed",
                (*update_values, *note_values),
            )
            return int(cursor.rowcount)
        cursor.execute(
            f"{insert} SELECT {marks}, {table}.id, {version} + 1 FROM {table} WHERE {where} "
            f"ORDER BY {table}.id",
            (*note_values, *where_values),
        )
        cursor.execute(update, update_values)
        return int(cursor.rowcount)


def insert_for(
    model: type[models.Model],
    constant: Mapping[str, Any],
    column: str,
    chosen: models.QuerySet[Any],
) -> None:
    """Insert a row with the values `constant` for each of `chosen`, its id in `column`."""
    quote = connection.ops.quote_name
    found = _where(chosen)
    if found is None:
        return
    where, where_values = found
    table = quote(chosen.model._meta.db_table)
    into, marks, values = _alike(model, constant)
    (filled,) = columns_of(model, (column,))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(model._meta.db_table)} ({into}, {quote(filled.column)}) "
            f"SELECT {marks}, {table}.id FROM {table} WHERE {where}",
            (*values, *where_values),
        )


def delete_noted(
    chosen: models.QuerySet[Any],
    names: Sequence[str],
    notes: type[models.Model],
    note: Mapping[str, Any],
) -> int:
    """Delete the rows `chosen`; for each put a row into `notes`: the values `note`, the id as its
    `record`, the version, and the columns `names` as JSON into `before`, but those that are blank
    in all rows. How many they were."""
    quote = connection.ops.quote_name
    model: Any = chosen.model
    found = _where(chosen)
    if found is None:
        return 0
    where, where_values = found
    table = quote(model._meta.db_table)
    into, marks, note_values = _alike(notes, note)
    columns = columns_of(model, tuple(names))
    with connection.cursor() as cursor:
        common = _in_common(cursor, columns, where, where_values, note["operation_id"])
        if common is None:
            return 0
        others = [column for column in columns if column.attname not in common.values]
        whole, whole_values = _with_common(common, others)
        cursor.execute(
            f"INSERT INTO {quote(notes._meta.db_table)} ({into}, record, version, before) "
            f"SELECT {marks}, {table}.id, {table}.version, {whole} FROM {table} WHERE {where} "
            f"ORDER BY {table}.id",
            (*note_values, *whole_values, *where_values),
        )
        cursor.execute(f"DELETE FROM {table} WHERE {where}", where_values)
        return int(cursor.rowcount)


@dataclass(frozen=True, slots=True)
class _Common:
    """What rows that one operation deletes have in common: `values` by attribute; `filled`: columns
    that are not blank, and `json`, an object of them."""

    operation: Any
    values: Mapping[str, Any]
    filled: Sequence[Any]
    json: str


# Of the rows deleted last: mostly the next ones have the same in common.
_last_common: dict[type[models.Model], _Common] = {}


def _in_common(
    cursor: Any, columns: Sequence[Any], where: str, where_values: Sequence[Any], operation: Any
) -> _Common | None:
    """The columns in which all rows agree, most of them as a rule: to write them down row by row
    takes longer than to look. None when there is no row."""
    model = columns[0].model
    table = connection.ops.quote_name(model._meta.db_table)
    known = _last_common.get(model)
    if known is not None and known.operation != operation:
        known = None
    if known is not None:
        agreed = [column for column in columns if column.attname in known.values]
        differs = " OR ".join(map(_differs, agreed)) or "1 = 0"
        cursor.execute(
            f"SELECT 1 FROM {table} WHERE ({where}) AND ({differs}) LIMIT 1",
            [*where_values, *known.values.values()],
        )
        if cursor.fetchone() is None:
            return known
    cursor.execute(
        f"SELECT {', '.join(map(_name, columns))} FROM {table} WHERE {where} LIMIT 1", where_values
    )
    first = cursor.fetchone()
    if first is None:
        return None
    differ = ", ".join(f"count(CASE WHEN {_differs(column)} THEN 1 END)" for column in columns)
    cursor.execute(f"SELECT {differ} FROM {table} WHERE {where}", [*first, *where_values])
    values = {
        column.attname: value
        for column, value, others in zip(columns, first, cursor.fetchone(), strict=True)
        # What differed from others before agrees by chance.
        if not others and (known is None or known.values.get(column.attname, known) == value)
    }
    filled = [c for c in columns if c.attname in values and not _is_blank(c, values[c.attname])]
    cursor.execute(
        f"SELECT CAST({_as_json(filled)} AS text) FROM {table} WHERE {where} LIMIT 1", where_values
    )
    common = _last_common[model] = _Common(operation, values, filled, cursor.fetchone()[0])
    return common


def _is_blank(column: Any, value: Any) -> bool:
    return value is None or (value == "" == blank(column))


def _name(column: Any) -> str:
    quote = connection.ops.quote_name
    return f"{quote(column.model._meta.db_table)}.{quote(column.column)}"


def _differs(column: Any) -> str:
    """The condition that a column does not hold a value, a place for which it has."""
    way = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    return f"{_name(column)} {way} %s"


def blank(column: Any) -> Any:
    """What a deleted row had in a column of which the journal does not tell."""
    return None if column.null else column.get_default()


def fits_in_json(model: type[models.Model]) -> bool:
    """Whether `delete_noted` can write down every column of `model`."""
    return all(isinstance(target_of(column), _IN_JSON) for column in model._meta.concrete_fields)


_IN_JSON = (
    models.UUIDField, models.DateField, models.DecimalField, models.BooleanField,
    models.IntegerField, models.CharField, models.TextField,
)  # fmt: skip


def _alike(
    model: type[models.Model], constant: Mapping[str, Any]
) -> tuple[str, str, tuple[Any, ...]]:
    """Columns, marks and values of what is the same in all rows of an INSERT … SELECT."""
    names = tuple(constant)
    into = ", ".join(connection.ops.quote_name(c.column) for c in columns_of(model, names))
    return into, ", ".join(["%s"] * len(names)), encode_row(model, names, tuple(constant.values()))


def _where(chosen: models.QuerySet[Any]) -> tuple[str, tuple[Any, ...]] | None:
    """The condition of `chosen` (of one table) as SQL; None when no row can meet it."""
    query = chosen.query
    compiler = query.get_compiler(connection=connection)
    try:
        sql, values = compiler.compile(query.where)
    except EmptyResultSet:
        return None
    assert len([a for a in query.alias_map if query.alias_refcount[a]]) <= 1
    return sql or "1 = 1", tuple(values)


def _with_common(common: _Common, columns: Sequence[Any]) -> tuple[str, list[str]]:
    """SQL of an object of what is common and of these columns, with its values."""
    if connection.vendor == "postgresql":
        # To make one object of two takes it as long.
        return _as_json([*common.filled, *columns]), []
    if not columns:
        return "%s", [common.json]
    begin = common.json[:-1] if common.json == "{}" else f"{common.json[:-1]},"
    return f"%s || substr({_as_json(columns)}, 2)", [begin]


def _as_json(columns: Sequence[Any]) -> str:
    """SQL of an object of these columns by attribute, as `meta.kinds.to_json` writes values."""
    if not columns:
        return "'{}'"
    if connection.vendor == "postgresql":
        quote = connection.ops.quote_name
        values = ", ".join(
            f"{_name(column)}{'::text' if isinstance(column, models.DecimalField) else ''} AS "
            f"{quote(column.attname)}"
            for column in columns
        )
        return f"(SELECT to_jsonb(one) FROM (SELECT {values}) AS one)"
    # A function of SQLite takes so many arguments.
    parts = [
        ", ".join(f"'{column.attname}', {_sqlite_json(column)}" for column in part)
        for part in batches(columns, 50)
    ]
    # Of one object are made of several by what is between them; no value of theirs is an object.
    *objects, last = [f"json_object({part})" for part in parts]
    objects = [*(f"rtrim({one}, '}}')" for one in objects), last]
    return " || ',' || ".join([objects[0], *(f"substr({one}, 2)" for one in objects[1:])])


def _sqlite_json(column: Any) -> str:
    name = _name(column)
    own = target_of(column)
    if isinstance(own, models.UUIDField):
        ends = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return " || '-' || ".join(f"substr({name}, {start}, {size})" for start, size in ends)
    if isinstance(own, models.DateTimeField):
        return f"replace({name}, ' ', 'T') || '+00:00'"
    if isinstance(own, models.DecimalField):
        places = f"printf('%.{own.decimal_places}f', {name})".replace("%", "%%")
        return f"CASE WHEN {name} IS NOT NULL THEN {places} END"
    if isinstance(own, models.BooleanField):
        return f"CASE {name} WHEN 1 THEN json('true') WHEN 0 THEN json('false') END"
    return name
