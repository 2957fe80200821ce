"""Sample data by raw SQL: accounts, contacts, leads, activities; the same on both databases.

Contacts: one in 500 belongs to the first salesperson's unit, one in 5 to the second's.
"""

from __future__ import annotations

import datetime
from typing import Any

from django.db import connection, models, transaction

from rapport.actions import derived, keyring, people
from rapport.actions.people import SETUP
from rapport.actions.records import create_record
from rapport.actions.rowvalues import from_columns
from rapport.meta.registry import registry
from rapport.models import Account, Activity, Contact, Lead, User

FIRST = (
    "Anna Bruno Carla David Elena Felix Greta Hugo Ines Jonas Karin Lukas Maria Nils Olga Paul "
    "Rosa Simon Tina Urs Vera Walter Xenia Yann Zoe Adam Bella Cyril Dora Emil Fiona Georg Hanna"
).split()
LAST = (
    "Ackermann Bauer Conti Dubois Ekberg Fischer Garcia Hansen Ivanov Jensen Keller Lopez Moreau "
    "Novak Olsen Petit Quinn Rossi Schmidt Tanaka Ullman Vogel Weber Xu Yilmaz Zimmer Alexander "
    "Brandt Costa Delgado Eriksen Ferrari Gruber Hofmann Iversen Jansen Kowalski Lindberg Marchetti"
).split()
TRADE = "Works Systems Trading Logistics Foods Energy Software Textiles Optics Motors Paper".split()
CITY = "Berlin Paris Madrid Lyon Oslo Wien Roma Porto Graz Basel Bern Gent Lille Turin".split()
WORD = {"city": CITY, "first": FIRST, "last": LAST, "trade": TRADE}
NOW = datetime.datetime(2026, 11, 1, 9, 0, tzinfo=datetime.UTC)


def fill(contacts: int, leads: int) -> dict[str, str]:
    """Fill an empty, migrated database. Who signs in: {'admin' | 'few' | 'many': user id}."""
    accounts = max(1, contacts // 10)
    with transaction.atomic():
        who = _people()
    with transaction.atomic(), connection.cursor() as cursor:
        _words(cursor)
        owners = {name: _literal(user.pk) for name, user in who.items()}
        units = {name: _literal(user.business_unit_id) for name, user in who.items()}
        system = _system(owners, units)
        _insert(cursor, Account, accounts, 1, {**system, **_account()})
        _insert(cursor, Contact, contacts, 2, {**system, **_contact(accounts)})
        _insert(cursor, Lead, leads, 3, {**system, **_lead()})
        _insert(cursor, Activity, 50, 4, {**system, **_activity()})
        _index_search(cursor)
        _match_keys()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return {name: str(user.pk) for name, user in who.items()}


def _people() -> dict[str, User]:
    root = people.ensure_organisation("Bench")
    made: dict[str, User] = {}
    for name, role in (("admin", "system-administrator"), ("few", "salesperson"),
                       ("many", "salesperson"), ("rest", "salesperson")):  # fmt: skip
        values = {"name": f"Unit {name}", "parent_unit": root}
        unit = create_record(registry["business_unit"], values, by=SETUP)
        made[name] = people.create_user(
            {"last_name": name.title(), "email": f"{name}@bench.example", "business_unit": unit},
            by=SETUP,
            roles=(role,),
        )
    return made


def _words(cursor: Any) -> None:
    for kind, words in WORD.items():
        cursor.execute(f"CREATE TEMPORARY TABLE bench_{kind} (k integer PRIMARY KEY, w text)")
        cursor.executemany(f"INSERT INTO bench_{kind} VALUES (%s, %s)", list(enumerate(words)))


def _literal(value: Any) -> str:
    return f"'{value}'" if connection.vendor == "postgresql" else f"'{value.hex}'"


def _id(table: int, number: str) -> str:
    """SQL of the id of row `number` of the sample table `table`: version 7, in order of number."""
    head = f"0190{table:04x}"
    if connection.vendor == "postgresql":
        return f"('{head}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"
    # On SQLite the index row id is made of the last 16 digits, so the number must stand there.
    return f"'{head}000070008000' || printf('%012x', {number})"


def _cast(number: str) -> str:
    return f"cast({number} as text)"


def _word(kind: str, step: int) -> str:
    return f"(SELECT w FROM bench_{kind} WHERE k = (i * {step}) % {len(WORD[kind])})"


def _system(owners: dict[str, str], units: dict[str, str]) -> dict[str, str]:
    def pick(values: dict[str, str]) -> str:
        found = (
            f"CASE WHEN i % 500 = 0 THEN {values['few']} WHEN i % 5 = 1 THEN {values['many']} "
            f"ELSE {values['rest']} END"
        )
        return f"({found})::uuid" if connection.vendor == "postgresql" else found

    moment = NOW.strftime("%Y-%m-%d %H:%M:%S")
    stamp = f"'{moment}+00'::timestamptz" if connection.vendor == "postgresql" else f"'{moment}'"
    return {
        "owner_id": pick(owners),
        "owning_unit_id": pick(units),
        "created_at": stamp,
        "modified_at": stamp,
    }


def _account() -> dict[str, str]:
    name = f"{_word('last', 7)} || ' ' || {_word('trade', 3)} || ' ' || {_cast('i')}"
    return {
        "name": name,
        "sort_name": f"lower({name})",
        "search_text": f"lower({name})",
        "address1_city": _word("city", 5),
        "main_phone": f"'+49 30 ' || {_cast('1000000 + i')}",
    }


def _contact(accounts: int) -> dict[str, str]:
    first, last = _word("first", 17), _word("last", 29)
    full = f"{first} || ' ' || {last} || ' ' || {_cast('i')}"
    email = f"lower({first} || '.' || {last} || {_cast('i')} || '@example.com')"
    account = f"1 + (i * 31) % {accounts}"
    company = f"(SELECT sort_name FROM rapport_account a WHERE a.id = {_id(1, account)})"
    return {
        "first_name": first,
        "last_name": f"{last} || ' ' || {_cast('i')}",
        "full_name": full,
        "sort_name": f"lower({full})",
        "email": email,
        "search_text": f"lower({full}) || '\n' || {email} || '\n' || {company}",
        "business_phone": f"'+49 30 ' || {_cast('2000000 + i')}",
        "job_title": _word("trade", 11),
        "address1_city": _word("city", 5),
        "account_id": _id(1, account),
    }


def _lead() -> dict[str, str]:
    last = f"{_word('last', 31)} || {_cast('i')}"
    return {
        "topic": f"'Inquiry ' || {_cast('i')}",
        "first_name": _word("first", 13),
        "last_name": last,
        "full_name": last,
        "sort_name": f"lower({last})",
        "search_text": f"lower({last})",
        "company": f"'Bench Company ' || {_cast('i')}",
        "email": f"'lead' || {_cast('i')} || '@bench.example'",
    }


def _activity() -> dict[str, str]:
    """Fifty activities with the first contact, which is also of the first account."""
    return {
        "type": "'phone_call'",
        "subject": f"'Call about the offer ' || {_cast('i')}",
        "sort_name": f"'call ' || {_cast('i')}",
        "search_text": f"'call ' || {_cast('i')}",
        "description": "'They want the offer in two phases and a visit before the board meets.'",
        "regarding_entity": "'contact'",
        "regarding_id": _id(2, "1"),
        "account_id": _id(1, "1"),
        "occurred_at": "created_at",
    }


def _insert(
    cursor: Any, model: type[models.Model], count: int, table: int, values: dict[str, str]
) -> None:
    """INSERT … SELECT of `count` rows; columns without an expression get their default."""
    columns: dict[str, str] = {}
    for column in model._meta.concrete_fields:
        if column.primary_key:
            columns[column.column] = _id(table, "i")
        elif column.attname in values:
            columns[column.column] = values[column.attname]
        else:
            columns[column.column] = _default(column)
    if columns.get("occurred_at") == "created_at":
        columns["occurred_at"] = columns["created_at"]
    series = (
        f"generate_series(1, {count}) AS s(i)"
        if connection.vendor == "postgresql"
        else f"(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {count}) "
        "SELECT i FROM s)"
    )
    indexes = drop_indexes(cursor, model) if count > 50_000 else []
    names = ", ".join(f'"{name}"' for name in columns)
    cursor.execute(
        f'INSERT INTO "{model._meta.db_table}" ({names}) '
        f"SELECT {', '.join(columns.values())} FROM {series}"
    )
    if connection.vendor == "postgresql":
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for statement in indexes:
        cursor.execute(statement)


def _default(column: Any) -> str:
    value = column.get_default() if column.has_default() else None
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper() if connection.vendor == "postgresql" else str(int(value))
    if isinstance(value, int):
        return str(int(value))
    return "'" + str(value).replace("'", "''") + "'"


def drop_indexes(cursor: Any, model: type[models.Model]) -> list[str]:
    """Drop the plain indexes of a table; the statements that make them again. Building an index
    over a full table is several times quicker than keeping it."""
    if connection.vendor == "postgresql":
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [model._meta.db_table],
        )
    else:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s "
            "AND sql IS NOT NULL",
            [model._meta.db_table],
        )
    found = cursor.fetchall()
    for name, _statement in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return [statement for _name, statement in found]


def _index_search(cursor: Any) -> None:
    """The rows of the search index."""
    for model in (Account, Contact, Lead):
        table = model._meta.db_table
        if connection.vendor == "postgresql":
            cursor.execute(f"INSERT INTO {table}_search SELECT id, search_text FROM {table}")
            continue
        # As `actions.search_index.row`: the last 16 digits of the id as a number of 63 bits.
        # The sample's begin with 8000, whose highest bit is cut off, so the number is what is left.
        cursor.execute(
            f"INSERT INTO {table}_search (rowid, record, text) "
            f"SELECT 0 + s.i, id, search_text FROM {table} JOIN "
            "(SELECT id AS sid, row_number() OVER (ORDER BY id) AS i FROM "
            f"{table}) s ON s.sid = {table}.id"
        )


def _match_keys() -> None:
    """Match keys of the accounts and leads, and of the first contacts: enough that a probe finds
    its way through a real index."""
    for name in ("account", "contact", "lead"):
        entity = registry[name]
        ids = entity.records().order_by("pk").values_list("pk", flat=True)[:20_000]
        stored = entity.records().filter(pk__in=ids).values()
        records = [(row["id"], from_columns(entity, row)) for row in stored.iterator()]
        made = derived.texts(entity, records)
        keyring.put(entity, [one.id.hex for one in made], [one.keys for one in made])
