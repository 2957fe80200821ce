"""Backups: everything is in them, and comes back into an empty Rapport or not at all."""

import contextlib
import datetime
import hashlib
import json
import uuid
import zipfile
from argparse import Namespace
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from rapport.actions import records, search_index, undo
from rapport.actions.restore import NotEmpty, Unfit
from rapport.exports import backup as exported, command
from rapport.exports.restore import FileRefused, restore
from rapport.imports import flow, recipekeys, recipes, samerows
from rapport.meta.registry import registry
from rapport.models import (
    Account,
    Change,
    DuplicatePair,
    ImportFile,
    Job,
    LearnedWeights,
    MatchKey,
    Operation,
    Preference,
    Principal,
    QualityFigure,
    RadarState,
    RecipeKey,
    SearchQueue,
    SignInLink,
    SourceId,
    User,
    Visit,
)
from rapport.models.operations import ImportState
from rapport.queries import backup
from rapport.queries.imports import plan_of
from tests import factories
from tests.contract.samples import MADE, varied
from tests.installations import Installation

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2026, 5, 4, 12, 30, 15, 123456, tzinfo=datetime.UTC)


def fill(owner):
    """Something in every table, and a history that can be undone."""
    for entity in MADE:
        factories.make(entity.name, **varied(entity, 1) if entity.ownership == "user" else {})
    account = factories.make_account(name='Müller & Söhne \\ "x"\n\t\'', owner=owner)
    factories.make_contact(account=account, owner=owner, description="a\u2028b\x0bc\r\nd")
    factories.make("choice_option")
    factories.share_with(account, factories.make_user(), can_write=True)
    records.update_record(registry["account"], account.pk, {"number": "A-1"}, by=owner)
    gone = factories.make_account(owner=owner)
    records.delete_records(registry["account"], [gone.pk], by=owner)
    upload = flow.receive(
        [b"Account name\nFrom a file\nFrom a file\n"], name="x.csv", entity="account", by=owner
    )
    flow.describe(upload, by=owner)
    flow.plan_now(upload, by=owner)
    flow.apply_now(upload, by=owner)
    samerows.keep(plan_of(upload), {3: str(account.pk)})
    recipes.save(upload, "Every Monday", by=owner)
    several = flow.receive_many(
        [("a.csv", [b"Account name,Fax\nOne,1\nTwo,2\n"]), ("b.csv", [b"Account name,Fax\nTwo,2"])],
        entity="account", by=owner,
    )  # fmt: skip
    flow.describe(several, by=owner)
    flow.plan_now(several, by=owner)
    recipekeys.make_key(recipes.save(several, "Both", by=owner), by=owner)
    ImportFile.objects.update(job=None)  # a job stays where it was done
    while search_index.catch_up():
        pass
    Preference.objects.create(user=owner, key="theme", value={"b": 1, "a": [None, 1.5, "x"]})
    Visit.objects.create(user=owner, entity="account", record=account.pk, at=NOW)
    DuplicatePair.objects.create(
        first_entity="account", first=account.pk, second_entity="account", second=uuid.uuid4(),
        rule="r", confidence=80, weight=3.25, status="different", found_at=NOW, decided_by=owner,
        decided_at=NOW,
    )  # fmt: skip
    SourceId.objects.create(system="salesforce", entity="account", text="1", record=account.pk)
    LearnedWeights.objects.create(rule="r", weights={"x": 0.1}, learned_at=NOW)
    RadarState.objects.create(entity="account", change=7)
    QualityFigure.objects.create(day=NOW, entity="account", measure="m", number=1, total=2)
    return account


def everything():
    """Every row of every table that comes back, and of the search index."""
    found = {}
    for model in [*backup.tables(), Principal]:
        found[model.__name__] = sorted(map(_text, model._base_manager.values_list()))
    found["keys"] = sorted(map(_text, MatchKey.objects.values_list("hash", "entity", "record")))
    with connection.cursor() as cursor:
        for table in {entity.search_table for entity in registry if entity.in_search}:
            cursor.execute(f"SELECT record, text FROM {table} ORDER BY record")
            found[table] = cursor.fetchall()
    return found


def _text(row):
    return json.dumps(row, default=str, sort_keys=True)


def wipe():
    for model in apps.get_app_config("rapport").get_models():
        every = model._base_manager.all()
        every._raw_delete(every.db)


@pytest.fixture
def made(tmp_path):
    """`made()`: a backup of what there is."""

    def write(**options):
        path = tmp_path / "backup.zip"
        with path.open("wb") as stream:
            exported.write(stream, **options)
        return path

    return write


def changed(path, edit):
    """The backup with other members: `edit({name: bytes}, manifest)`, which tells of them."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    edit(members, manifest)
    for name, data in members.items():
        digest = hashlib.sha256(data).hexdigest()
        manifest["members"][name] = {"bytes": len(data), "sha256": digest}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps(manifest))
    return path


def test_every_table_is_in_the_backup_or_has_a_reason_not_to_be():
    known = {*backup.tables(), *backup.LEFT_OUT}
    every = apps.get_models(include_auto_created=True)
    strange = {m for m in every if m not in known}

    assert {model._meta.app_label for model in strange} == set(backup.LEFT_OUT_APPS)
    assert set(backup.tables()) & set(backup.LEFT_OUT) == set()


def test_everything_comes_back(alice, made):
    account = fill(alice)
    upload = ImportFile.objects.get(name="x.csv")
    path = made()
    before, content = everything(), (Path(settings.MEDIA_ROOT) / upload.stored).read_bytes()
    wipe()
    # What a restore that was killed has left.
    (Path(settings.MEDIA_ROOT) / upload.stored).write_bytes(b"half")
    for made_of_it in Path(settings.MEDIA_ROOT).rglob("keys-*"):
        made_of_it.unlink()

    contents = restore(path)

    after = everything()
    assert {name: set(rows) ^ set(before[name]) for name, rows in after.items()} == {
        name: set() for name in before
    }
    assert contents.rows == {
        backup.name_of(model): len(before[model.__name__]) for model in backup.tables()
    }
    assert [name for name, count in contents.rows.items() if not count] == []
    assert (Path(settings.MEDIA_ROOT) / upload.stored).read_bytes() == content
    # Work goes on: a new row gets a number of its own, and history can be undone.
    user = User.objects.get(pk=alice.pk)
    last = Operation.objects.get(kind="account.update")
    undo.undo(last, by=user)
    assert Account.objects.get(pk=account.pk).number == ""
    assert Change.objects.count() > contents.rows["change"]
    # What was checked is gone on with, though programs need a new key.
    several = ImportFile.objects.get(parent=None, state=ImportState.PLANNED)
    (member,) = several.members.filter(name="b.csv")
    assert flow.repair(member, 2, {0: "Three"}, by=user).fate == "create"
    flow.apply_now(several, by=user)
    several.refresh_from_db()
    assert (several.counts["created"], RecipeKey.objects.count()) == (3, 0)


def test_what_nobody_may_have_is_not_in_it(alice, made):
    factories.make_user(email="eva@example.com", password="a good password")
    SignInLink.objects.create(digest="d" * 64, user=alice, created_at=NOW, expires_at=NOW)
    job = Job.objects.create(kind="x", created_at=NOW)
    SearchQueue.objects.create(entity="account", record=alice.pk)
    ImportFile.objects.create(name="x", job=job, state=ImportState.IMPORTING, created_at=NOW)
    Operation.objects.create(kind="account.import", state="running", started_at=NOW)
    path = made(passwords=False)
    wipe()

    restore(path)

    assert set(User.objects.values_list("password", flat=True)) == {""}
    assert [m.objects.count() for m in (SignInLink, Job, SearchQueue)] == [0, 0, 0]
    upload = ImportFile.objects.get()
    assert (upload.job, upload.state) == (None, ImportState.FAILED)
    assert Operation.objects.get(kind="account.import").state == "failed"


def test_only_an_empty_rapport_is_filled(made, db):
    path = made()
    factories.make_user()

    with pytest.raises(NotEmpty):
        restore(path)


def _account(members, manifest):
    """Rows of a table whose columns are known, to be spoilt."""
    return manifest["tables"]["account"]["columns"]


def _row(columns, **values):
    blank = {"id": str(uuid.uuid4()), "state": 0, "status": 1, "version": 1, "name": "x"}
    blank |= {"created_at": NOW.isoformat(), "modified_at": NOW.isoformat(), "currency": "EUR"}
    blank |= dict.fromkeys(("owner_id", "owning_unit_id"), str(uuid.uuid4()))
    known = {c.attname: c for c in backup.columns(Account)}
    defaults = {n: "" if not known[n].null else None for n in columns}
    defaults |= {n: False for n in columns if known[n].get_internal_type() == "BooleanField"}
    return [(defaults | blank | values)[name] for name in columns]


def spoil(*, rows=None, **values):
    """An edit that puts one account into the backup, with some values of its own."""

    def edit(members, manifest):
        columns = _account(members, manifest)
        lines = [_row(columns, **values)] if rows is None else rows
        members["tables/account.jsonl"] = "".join(f"{json.dumps(r)}\n" for r in lines).encode()
        manifest["tables"]["account"]["rows"] = len(lines)

    return edit


def said(**values):
    return lambda _members, manifest: manifest.update(values)


def member(name, data=b"x"):
    return lambda members, _manifest: members.update({name: data})


def upload_at(path):
    def edit(members, manifest):
        columns = manifest["tables"]["importfile"]["columns"]
        blank = {"id": str(uuid.uuid4()), "size": 0, "created_at": NOW.isoformat()}
        texts = dict.fromkeys(["name", "entity", "message"], "") | {"state": "done"}
        jsons = {name: {} for name in ("reading", "mapping", "options", "counts")}
        filled = dict.fromkeys(columns) | blank | texts | jsons | {"stored": path}
        members["tables/importfile.jsonl"] = json.dumps([filled[c] for c in columns]).encode()
        manifest["tables"]["importfile"]["rows"] = 1

    return edit


def new_table(_members, manifest):
    manifest["tables"]["invoice"] = {"columns": [], "rows": 0}


def new_column(_members, manifest):
    manifest["tables"]["account"]["columns"].append("colour")


def row_too_many(_members, manifest):
    manifest["tables"]["account"]["rows"] = 5


@pytest.mark.once
@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (said(format="other"), "no backup of Rapport"),
        (said(version=2), "version 2"),
        (said(tables=None), "lists no tables"),
        (said(migrations=["0001_initial", "9999_later"]), "a newer Rapport made this backup"),
        (member("../evil"), "no file may be called"),
        (member("files/../../evil"), "no file may be called"),
        (member("files/imports/evil"), "cannot be at"),
        (member("/etc/passwd"), "no file may be called"),
        (member("tables/account.jsonl", b"{}\n"), "line 1 is no row"),
        (member("tables/account.jsonl", b"[" * 100_000), "line 1 is no row"),
        (member("tables/account.jsonl", b"\0" * 40_000_000), "cannot be true"),
        (row_too_many, "0 rows where the manifest says 5"),
        (new_table, "no table “invoice”"),
        (new_column, "no column “colour”"),
        (spoil(rows=[[1]]), "account, after row 0"),
        (spoil(name="x" * 161), "name: no text for it"),
        (spoil(name=None), "name: nothing"),
        (spoil(created_at="2026-01-01"), "account, after row 0"),
        (spoil(state="0"), "account, after row 0"),
        (spoil(annual_revenue="NaN"), "account, after row 0"),
        (spoil(), "do not fit together"),
        (upload_at("../../etc/passwd"), "cannot be at"),
    ],
)  # fmt: skip
def test_what_is_no_good_backup_is_refused_and_leaves_nothing(edit, words, made):
    path = changed(made(), edit)
    before = everything()

    with pytest.raises((FileRefused, Unfit)) as refused:
        restore(path)

    assert words in str(refused.value)
    assert everything() == before
    assert list(Path(settings.MEDIA_ROOT).rglob("*original")) == []


def test_signs_that_no_database_takes_do_not_keep_a_backup_from_coming_back(made, capsys):
    owner = factories.make_user()
    account = factories.make_account(owner=owner)
    Preference.objects.create(user=owner, key="theme", value={"a": ["b", 1]})

    # As an earlier Rapport stored them in SQLite, and wrote them into its backups.
    def edit(members, _manifest):
        for table, old, new in (
            ("account", account.name, "Ac\0me \\u0000 \ud83d"), ("preference", "b", "\0b"),
            ("preference", "a", "\ud800a"),
        ):  # fmt: skip
            lines = members[f"tables/{table}.jsonl"]
            lines = lines.replace(json.dumps(old).encode(), json.dumps(new).encode())
            members[f"tables/{table}.jsonl"] = lines

    path = changed(made(), edit)
    wipe()

    assert command.run_restore(Namespace(file=path)) == 0
    assert capsys.readouterr().err == (
        "rapport restore: signs that no database takes, such as zero bytes, are left out of 2 "
        "rows\n"
    )
    assert Account.objects.get().name == "Acme \\u0000 "
    assert Preference.objects.get(key="theme").value == {"a": ["b", 1]}


@pytest.mark.sqlite
def test_backup_leaves_out_signs_that_no_database_takes(tmp_path):
    owner = factories.make_user()
    account = factories.make_account(owner=owner)
    Account.objects.filter(pk=account.pk).update(name="Ac\0me")
    Preference.objects.create(user=owner, key="theme", value={"a": "\ud800"})
    path = tmp_path / "odd.zip"
    with path.open("wb") as stream:
        mended = exported.write(stream).mended
    wipe()

    assert (mended, restore(path).mended) == (2, 0)
    assert Account.objects.get().name == "Acme"
    assert Preference.objects.get(key="theme").value == {"a": ""}


def strayed(table, column):
    """An edit that lets the last row of a table name something that is not in the backup."""

    def edit(members, manifest):
        name, place = f"tables/{table}.jsonl", manifest["tables"][table]["columns"].index(column)
        *lines, last = members[name].splitlines(keepends=True)
        row = json.loads(last)
        row[place] = str(uuid.uuid4())
        members[name] = b"".join([*lines, json.dumps(row).encode() + b"\n"])

    return edit


@pytest.mark.parametrize(
    ("table", "column"),
    [("user", "created_by_id"), ("user", "modified_by_id"), ("change", "operation_id")],
)
def test_row_that_names_what_is_not_there_is_refused(table, column, alice, made):
    path = changed(made(), strayed(table, column))
    wipe()

    with pytest.raises(Unfit, match="do not fit together"):
        restore(path)
    assert not User.objects.exists()


@pytest.mark.parametrize("place", [0, 0.2, 0.5, 0.9, 0.99])
def test_a_torn_or_damaged_file_is_refused(place, made):
    path = made()
    whole = path.read_bytes()
    at = int(len(whole) * place)

    path.write_bytes(whole[:at])
    with pytest.raises(FileRefused):
        restore(path)
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
    with contextlib.suppress(FileRefused):  # a stamp of time in the archive may be any
        restore(path)
    assert User.objects.count() == 0


def test_commands_write_a_file_of_ones_own_and_read_it_back(tmp_path, capsys):
    path = tmp_path / "all.zip"
    arguments = Namespace(file=path, no_passwords=False)

    codes = [command.run_backup(arguments), command.run_restore(arguments)]
    factories.make_user()
    codes += [command.run_backup(arguments), command.run_restore(arguments)]
    wipe()
    codes += [command.run_restore(Namespace(file=tmp_path / "none.zip"))]

    said = capsys.readouterr()
    assert codes == [0, 0, 1, 1, 1]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [line.split(":")[0].split(" rows")[1] for line in said.out.splitlines()] == [
        " of 5 tables and 0 uploaded files"
    ] * 2
    assert [line.partition(" (")[0] for line in said.err.splitlines()] == [
        f"rapport backup: {path} is there already",
        "rapport restore: this Rapport is not empty",
        f"rapport restore: {tmp_path}/none.zip: No such file or directory",
    ]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_backup_is_of_one_moment(made):
    from threading import Thread

    def meanwhile():
        factories.make_account()
        connection.close()

    with backup.snapshot():
        before = [list(backup.rows(model)) for model in backup.tables()]
        other = Thread(target=meanwhile)
        other.start()
        other.join()
        assert [list(backup.rows(model)) for model in backup.tables()] == before
    assert Account.objects.count() == 1


@pytest.mark.postgres
def test_it_goes_to_the_other_database_and_back(alice, made, tmp_path):
    fill(alice)
    path, again = made(), tmp_path / "again.zip"
    before = everything()
    wipe()
    (tmp_path / "home").mkdir()
    other = Installation(tmp_path / "home", f"sqlite:///{tmp_path}/other.db")

    steps = [other.run("restore", str(path)), other.run("backup", str(again))]

    assert [step.stderr for step in steps] == ["", ""]
    with zipfile.ZipFile(path) as first, zipfile.ZipFile(again) as second:
        assert {n: second.read(n) for n in second.namelist() if n != "manifest.json"} == {
            n: first.read(n) for n in first.namelist() if n != "manifest.json"
        }
    restore(again)
    assert everything() == before
