"""Watched folders: each file once, whoever dies in between; nothing from outside; never unsaid."""

import os
import uuid
from pathlib import Path

import pytest

from rapport.actions import states
from rapport.actions.people import SETUP
from rapport.imports import flow, folders, recipes, unattended
from rapport.jobs import health
from rapport.models import Contact, ImportFile, Job, RoleAssignment, TakenFile
from tests.imports.bringing import plan
from tests.working import work_off

pytestmark = pytest.mark.django_db

LIST = b"Vorname;Name;Mail\nAnna;Bo;anna@x.de\nCarl;Do;carl@x.de\n"
BROKEN = LIST + b"Eve;Fa;nonsense\n"


class Died(BaseException):
    """The worker was killed here."""


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.IMPORT_FOLDER = str(tmp_path / "in")
    settings.JOB_RETRY_SECONDS = 0
    folders._seen.clear()
    folders._stuck.clear()
    return tmp_path / "in"


@pytest.fixture
def recipe(alice):
    upload = plan(LIST, by=alice)
    made = recipes.save(upload, "People", by=alice)
    flow.delete(upload)
    change(made, folder="shop/people")
    return made


def change(recipe, **values):
    known = {"name": recipe.name, "is_shared": False, "folder": recipe.folder}
    recipes.change(recipe, by=recipe.owner, **(known | values))


@pytest.fixture
def put(root):
    """`put(content, name)`: a file in the folder."""

    def write(content=LIST, name="list.csv"):
        path = root / "shop" / "people" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write


def look_and_work():
    """Look until nothing moves any more, with a worker that does what is asked for."""
    for _ in range(4):
        folders.look()
        work_off()


def files(root):
    """Every file below the import folder, but not the names that we make ourselves."""
    found = (path for path in root.rglob("*") if not path.is_dir())
    return sorted(path.relative_to(root / "shop" / "people").as_posix() for path in found)


def test_file_is_imported_as_the_owner_and_put_away(recipe, root, put):
    put()

    look_and_work()

    upload = ImportFile.objects.get()
    assert files(root) == ["done/list.csv"]
    assert (upload.state, upload.created_by, upload.counts["created"]) == ("done", recipe.owner, 2)
    assert {contact.owner_id for contact in Contact.objects.all()} == {recipe.owner_id}


def test_error_rows_lie_beside_and_the_same_name_comes_again(recipe, root, put):
    put(BROKEN)
    look_and_work()
    put(BROKEN)
    look_and_work()

    assert files(root) == [
        "done/list (2) (errors).csv", "done/list (2).csv",
        "done/list (errors).csv", "done/list.csv",
    ]  # fmt: skip
    errors = (root / "shop/people/done/list (errors).csv").read_text("utf-8-sig").splitlines()
    assert (len(errors), errors[1][:22]) == (2, '"Eve";"Fa";"nonsense";')
    assert Contact.objects.count() == 2


def test_growing_and_partial_files_are_left_alone(recipe, root, put):
    path = put()
    put(name="other.csv.part")
    put(name=".hidden.csv")
    put(b"", name="empty.csv")
    for _ in range(3):
        folders.look()
        with path.open("ab") as stream:
            stream.write(b"Di;Eb;\n")

    assert (ImportFile.objects.count(), len(files(root))) == (0, 4)
    folders.look()
    folders.look()
    assert [upload.name for upload in ImportFile.objects.all()] == ["list.csv"]


def test_file_that_stays_empty_is_put_away_and_told(recipe, root, put):
    os.utime(put(b""), (1, 1))
    look_and_work()

    assert files(root) == ["failed/list.csv", "failed/list.csv.txt"]
    assert "no data" in (root / "shop/people/failed/list.csv.txt").read_text("utf-8")


def test_links_lead_nowhere(recipe, root, put, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_bytes(LIST)
    put().unlink()
    (root / "shop/people/link.csv").symlink_to(secret)
    (root / "away").symlink_to(tmp_path)
    change(recipe, folder="away")
    look_and_work()
    change(recipe, folder="shop/people")
    look_and_work()

    assert (ImportFile.objects.count(), secret.exists()) == (0, True)


def test_taken_file_that_became_a_link_is_not_followed(recipe, root, put, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_bytes(LIST)
    put()
    folders.look()
    folders.look()
    (taken,) = (root / "shop/people/.taken").rglob("list.csv")
    taken.unlink()
    taken.symlink_to(secret)

    look_and_work()

    assert (ImportFile.objects.get().state, Contact.objects.count()) == ("failed", 0)


KILLS = {
    "before it is moved": (Path, "rename", 1),
    "before its row": (unattended, "begin", 1),
    "before the errors are there": (Path, "replace", 1),
    "before it is put away": (Path, "rename", 2),
    "before its place is gone": (Path, "rmdir", 1),
}


@pytest.mark.parametrize("kill", KILLS, ids=str)
def test_killed_anywhere_each_file_is_imported_once(recipe, root, put, monkeypatch, kill):
    place, name, number = KILLS[kill]
    real, calls = getattr(place, name), []

    def dying(*args, **options):
        # Only moves of ours: the readers move files too.
        if place is not Path or "people" in str(args[0]):
            calls.append(args)
            if len(calls) == number:
                raise Died
        return real(*args, **options)

    put(BROKEN)
    with monkeypatch.context() as patch:
        patch.setattr(place, name, dying)
        with pytest.raises(Died):
            look_and_work()
    # The next worker remembers nothing.
    folders._seen.clear()
    look_and_work()

    assert ImportFile.objects.get().counts["created"] == 2
    assert (Contact.objects.count(), TakenFile.objects.get().put) == (2, "list.csv")
    assert files(root) == ["done/list (errors).csv", "done/list.csv"]


def test_second_worker_at_the_same_file_is_too_late(recipe, root, put, monkeypatch):
    put()
    folders.look()
    real = Path.rename

    def beaten(path, target):
        """Another worker takes it in this very moment."""
        monkeypatch.undo()
        folders.look()
        return real(path, target)

    monkeypatch.setattr(Path, "rename", beaten)
    folders._look_into(recipe, dict(folders._seen), {}, None)
    token = TakenFile.objects.get()
    folders._adopt(recipe, token.pk, "list.csv")

    assert (Job.objects.filter(kind=unattended.KIND).count(), ImportFile.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("active", "why"),
    [(False, "who is not active any more."), (True, "may not import any more.")],
    ids=["inactive", "no right"],
)
def test_nothing_is_taken_for_who_may_not_import(recipe, root, put, active, why):
    if active:
        RoleAssignment.objects.filter(principal_id=recipe.owner_id).delete()
    else:
        states.deactivate("user", [recipe.owner_id], by=SETUP)
    put()

    look_and_work()

    assert files(root) == ["failed/list.csv", "failed/list.csv.txt"]
    assert why in (root / "shop/people/failed/list.csv.txt").read_text("utf-8")
    assert ImportFile.objects.count() == 0


def test_what_cannot_be_imported_says_why(recipe, root, put):
    put(b"Only;Two\n1;2\n", "odd.csv")
    put(b"\x89PNG\r\n\x1a\n" + bytes(64), "picture.csv")

    look_and_work()

    assert files(root) == [
        "failed/odd.csv", "failed/odd.csv.txt", "failed/picture.csv", "failed/picture.csv.txt",
    ]  # fmt: skip
    said = (root / "shop/people/failed/odd.csv.txt").read_text("utf-8")
    assert said == (
        "“People” does not fit this file. The file has no columns “Vorname”, “Name”, “Mail”.\n"
    )
    assert {upload.state for upload in ImportFile.objects.all()} == {"failed"}


def test_limit_and_look_leave_the_plan_to_people(recipe, root, put):
    change(recipe, most_refused=10)
    put(BROKEN, "bad.csv")
    look_and_work()
    change(recipe, looks_first=True)
    put(LIST, "good.csv")
    look_and_work()

    assert files(root) == [
        "done/good.csv", "done/good.csv.txt", "failed/bad.csv", "failed/bad.csv.txt",
    ]  # fmt: skip
    assert Contact.objects.count() == 0
    # Another plan of the same file is that of the person who asked for it.
    for upload in ImportFile.objects.all():
        assert upload.state == "planned"
        flow.start_plan(upload, by=recipe.owner)
    change(recipe, looks_first=False)
    look_and_work()
    assert Contact.objects.count() == 0


def test_import_that_somebody_deleted_is_not_begun_again(recipe, root, put):
    put(b"Only;Two\n1;2\n")
    folders.look()
    folders.look()
    flow.delete(ImportFile.objects.get())

    look_and_work()

    assert (ImportFile.objects.count(), files(root)) == (
        0,
        ["failed/list.csv", "failed/list.csv.txt"],
    )


def test_files_whose_import_is_not_over_keep_no_other_from_being_put_away(
    recipe, root, put, monkeypatch
):
    for name in ("first.csv", "second.csv"):
        put(name=name)
        folders.look()
        folders.look()
    ImportFile.objects.filter(name="second.csv").update(state="done")
    monkeypatch.setattr(folders, "AT_ONCE", 1)

    folders.look()

    assert [path.name for path in (root / "shop" / "people" / "done").iterdir()] == ["second.csv"]


def test_name_may_be_long_and_in_any_encoding(recipe, root, put):
    long = "x" * 250 + ".csv"
    put(BROKEN, long)
    put(BROKEN, os.fsdecode("Müller.csv".encode("latin-1")))

    look_and_work()

    assert files(root) == [
        "done/M\ufffdller (errors).csv", "done/M\ufffdller.csv",
        f"done/{'x' * 200} (errors).csv", f"done/{long}",
    ]  # fmt: skip


def test_name_that_grows_in_our_encoding_is_cut(recipe, root, put):
    put(LIST, os.fsdecode(b"\xfc" * 240 + b".csv"))

    look_and_work()

    assert files(root) == [f"done/{chr(0xFFFD) * 66}.csv"]


def test_file_that_cannot_be_moved_keeps_no_other(recipe, root, put, monkeypatch, caplog):
    locked, real = put(LIST, "a.csv"), Path.rename
    put(BROKEN, "b.csv")
    monkeypatch.setattr(folders, "AT_ONCE", 1)

    def move(path, target):
        if path == locked:
            raise PermissionError(1, "Operation not permitted", str(path))
        return real(path, target)

    monkeypatch.setattr(Path, "rename", move)
    look_and_work()
    look_and_work()

    assert files(root) == ["a.csv", "done/b (errors).csv", "done/b.csv"]
    said = "“a.csv” in “shop/people” cannot be taken: Operation not permitted"
    assert [record.getMessage() for record in caplog.records] == [said]
    assert list((root / "shop/people/.taken").iterdir()) == []
    monkeypatch.undo()
    look_and_work()
    assert "done/a.csv" in files(root)


def test_names_of_strangers_below_taken_do_no_harm(recipe, root, put, tmp_path):
    put().unlink()
    secret = tmp_path / "secret.csv"
    secret.write_bytes(LIST)
    taken = root / "shop/people/.taken"
    (taken / "odd").mkdir(parents=True)
    for _ in range(2):
        place = taken / str(uuid.uuid4())
        place.mkdir()
    (place / "link.csv").symlink_to(secret)
    os.mkfifo(root / "shop/people/pipe.csv")

    # To open the pipe would take for ever.
    look_and_work()

    assert ImportFile.objects.count() == 0


def test_check_says_whether_the_folder_can_be_used(recipe, root, settings, tmp_path):
    def told():
        (found,) = health.folder()
        return found.grade, found.text

    grade, text = told()
    assert (grade, f"{root} does not exist" in text) == ("failed", True)
    root.mkdir(mode=0o755)
    grade, text = told()
    assert (grade, text.endswith("drwxr-xr-x): 1 recipe has a folder in it")) == ("ok", True)
    root.chmod(0o777)
    assert told()[0] == "warning"
    root.chmod(0o755)
    (root / "shop").symlink_to(tmp_path)
    (tmp_path / "people").mkdir()
    grade, text = told()
    assert (grade, "is a link, and is not followed (recipe “People”)" in text) == ("failed", True)
    settings.IMPORT_FOLDER = str(tmp_path / "file")
    (tmp_path / "file").touch()
    assert told()[1].endswith("is no folder")
    if os.geteuid():
        settings.IMPORT_FOLDER = str(root)
        root.chmod(0o555)
        assert "cannot be written to by" in told()[1]
    settings.IMPORT_FOLDER = ""
    assert list(health.folder()) == []
