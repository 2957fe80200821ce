"""Saved mappings: who sees them, which file they fit, what they do to it; the command line."""

import json
from types import SimpleNamespace

import openpyxl
import pytest

from rapport import access
from rapport.access import Forbidden
from rapport.cli import main
from rapport.imports import (
    bundle,
    flow,
    mapping,
    recipefit,
    recipekeys,
    recipes,
    report,
    unattended,
    uploads,
)
from rapport.imports.recipefit import RecipeRefused
from rapport.meta.registry import registry
from rapport.models import Account, Contact, ImportFile, ImportRecipe, RoleAssignment
from rapport.models.operations import Decision, Fate
from rapport.queries.imports import plan_of
from rapport.queries.recipes import recipe_for, recipe_named, usable_recipes
from tests.factories import make_contact
from tests.imports.bringing import describe, plan, zipped
from tests.working import work_off

pytestmark = pytest.mark.django_db

LIST = b"Vorname;Name;Elektropost;Seit\nAnna;Bo;anna@x.de;03.04.2025\n"
PICKS = ("Vorname=first_name", "Name=last_name", "Elektropost=email", "Seit=anniversary")


def saved(by, name="Weekly", content=LIST, picks=PICKS, **options):
    upload = plan(content, by=by, picks=picks)
    return recipes.save(upload, name, by=by, **options)


def mapped(upload):
    return {i: target.field for i, target in flow.mapping_of(upload).columns.items()}


def test_private_ones_are_nobody_elses(alice, bob, admin):
    own, shared = saved(alice, "Mine"), saved(alice, "Ours", is_shared=True)

    assert [list(usable_recipes(who)) for who in (alice, bob, admin)] == [
        [own, shared], [shared], [shared],
    ]  # fmt: skip
    assert recipe_for(own.pk, bob) is None
    # Administrators do not use them, but can end what somebody has left behind.
    assert recipe_for(own.pk, admin) == own
    with pytest.raises(RecipeRefused):
        recipes.find("Mine", by=bob)
    for act in (
        lambda: recipes.change(shared, by=bob, name="X", is_shared=False),
        lambda: recipes.delete(shared, by=bob),
        lambda: recipekeys.make_key(shared, by=bob),
        lambda: recipekeys.make_key(shared, by=admin),
        lambda: recipekeys.revoke_key(shared, by=bob),
    ):
        with pytest.raises(Forbidden):
            act()


def test_shared_with_those_alone_who_may_import_such_records(alice, bob):
    shared = saved(alice, is_shared=True)
    RoleAssignment.objects.filter(principal_id=bob.pk).delete()
    access.forget(bob)

    assert recipe_for(shared.pk, bob) is None


def test_own_name_goes_before_a_shared_one_and_a_double_must_be_told_by_its_id(alice, bob, charlie):
    first, second = saved(alice, is_shared=True), saved(bob, is_shared=True)

    assert recipe_named("weekly", alice) == [first]
    with pytest.raises(RecipeRefused, match=str(second.pk)):
        recipes.find("Weekly", by=charlie)
    assert recipes.find(str(second.pk), by=charlie) == second


def test_same_headers_in_any_order_are_read_alike(alice, bob):
    saved(alice, is_shared=True)
    upload = describe(
        b"NAME;Seit;vorname;elektro-post\nCo;01.02.2024;Di;di@x.de\n", entity="auto", by=bob
    )

    found = recipes.use_if_known(upload, by=bob)

    kept = ImportFile.objects.get(pk=upload.pk)
    assert (found.is_exact, found.problems, kept.recipe_id) == (True, [], found.recipe.pk)
    assert mapped(kept) == {0: "last_name", 1: "anniversary", 2: "first_name", 3: "email"}
    assert kept.reading["date_order"] == "dmy"


def test_file_that_a_worker_reads_is_read_alike(alice):
    recipe = saved(alice)
    upload = flow.receive([LIST], name="x.csv", entity="auto", by=alice)
    flow.describe_later(upload, by=alice)
    work_off()

    kept = ImportFile.objects.get(pk=upload.pk)
    assert (kept.recipe, kept.state, kept.mapping["2"]) == (recipe, "uploaded", "email")


def test_file_that_somebody_deletes_before_it_is_read_is_gone(alice):
    upload = flow.receive([LIST], name="x.csv", entity="auto", by=alice)
    before = ImportFile.objects.get(pk=upload.pk)
    job = flow.describe_later(upload, by=alice)
    ImportFile.objects.filter(pk=upload.pk).delete()
    with pytest.raises(ImportFile.DoesNotExist):
        flow.describe(before, by=alice)
    work_off()

    job.refresh_from_db()
    assert (job.state, job.message) == ("failed", "The import is not there any more.")
    assert not ImportFile.objects.exists()


def test_other_headers_are_offered_it_and_told_what_is_missing(alice):
    recipe = saved(alice)
    upload = describe(b"Vorname,Name,Elektropost,Neu\nAnna,Bo,a@x.de,1\n", by=alice)
    stranger = describe(b"First name,Last name\nAnna,Bo\n", by=alice)

    assert recipes.use_if_known(upload, by=alice) is None
    assert [
        (one.recipe, one.likeness, one.missing) for one in recipes.offers(upload, by=alice)
    ] == [(recipe, 0.6, ("Seit",))]
    assert recipes.offers(stranger, by=alice) == []
    with pytest.raises(RecipeRefused, match="Seit"):
        recipes.use(upload, recipe, by=alice, strict=True)
    assert recipes.use(upload, recipe, by=alice).problems == ["The file has no column “Seit”."]
    assert mapped(upload) == {0: "first_name", 1: "last_name", 2: "email"}


def test_field_that_is_gone_is_said_and_stops_what_nobody_watches(alice):
    recipe = saved(alice)
    recipe.mapping = {**recipe.mapping, "3": "shoe_size"}
    recipe.save()
    upload = describe(LIST, by=alice)

    assert recipefit.gone_fields(recipe) == ("shoe_size",)
    assert recipes.use_if_known(upload, by=alice) is None
    with pytest.raises(RecipeRefused, match="shoe_size"):
        recipes.use(upload, recipe, by=alice, strict=True)


def test_guessed_encoding_and_delimiter_are_those_of_last_time(alice):
    content = "Vorname;Name;Elektropost;Seit\n{};Bo;a@x.de;03.04.2025\n"
    upload = plan(
        content.format("Łucja").encode("cp1250"), by=alice, picks=PICKS, encoding="cp1250"
    )
    recipe = recipes.save(upload, "Polish", by=alice)
    # Alone, this byte is as well a letter of Western Europe.
    again = describe(content.format("Łu").encode("cp1250"), by=alice)

    recipes.use(again, recipe, by=alice, strict=True)

    assert (again.reading["encoding"], again.options["sample"][0][0]) == ("cp1250", "Łu")


def run(recipe, content, name="lists.zip"):
    """What becomes of a file that nobody watches."""
    upload = unattended.receive(recipe, [content], name=name)
    work_off()
    upload.refresh_from_db()
    counts = {name: count for name, count in upload.counts.items() if count}
    return SimpleNamespace(upload=upload, counts=counts)


def test_recipe_of_one_list_reads_all_lists_of_an_archive(alice):
    recipe = saved(alice)
    other = LIST.replace(b"anna@x.de", b"eve@x.de").replace(b"Anna", b"Eve")

    done = run(recipe, zipped({"monday.csv": LIST, "tuesday.csv": other}))
    assert (done.upload.state, done.counts["rows"]) == ("done", 2 * (LIST.count(b"\n") - 1))
    assert done.counts["rows"] == done.counts["created"] + done.counts.get("duplicates", 0)
    # One of them is another list: nothing of it is imported, nor of the others.
    done = run(recipe, zipped({"monday.csv": LIST, "odd.csv": b"Vorname;Stadt\nEve;Ulm\n"}))
    assert (done.upload.state, done.counts) == ("failed", {})
    assert "odd.csv: “" in done.upload.message

    # Of an archive of which only one file was wanted, only that is.
    recipe.reading["member"] = "tuesday.csv"
    recipe.save()
    done = run(recipe, zipped({"odd.csv": b"Vorname;Stadt\nEve;Ulm\n", "tuesday.csv": other}))
    assert (done.upload.state, done.counts) == ("done", {"rows": 1, "same": 1})
    assert [name for name, _reason in done.upload.options["left_out"]] == ["odd.csv"]


def test_recipe_of_several_files_runs_by_itself(alice):
    people = b"Wer;Mail;Firma\nBo;bo@x.de;7\nDee;dee@x.de;8\n"
    firms = b"Nummer;Firmenname\n7;Acme\n8;Bee\n"
    first = flow.receive_many([("p.csv", [people]), ("f.csv", [firms])], entity="auto", by=alice)
    flow.describe(first, by=alice)
    firm, person = sorted(first.members.all(), key=lambda member: member.name)
    flow.read_again(person, registry["contact"], {}, by=alice)
    for member, picks in (
        (firm, ("Nummer=number", "Firmenname=name")), (person, ("Wer=last_name", "Firma=account")),
    ):  # fmt: skip
        columns = flow.columns_of(member)
        flow.remap(member, mapping.changed(flow.mapping_of(member), columns, picks))
    flow.plan_now(first, by=alice)
    recipe = recipes.save(first, "Both", by=alice)
    assert [part.name for part in recipefit.parts_of(recipe)] == ["f.csv", "p.csv"]
    assert recipefit.gone_fields(recipe) == ()

    done = run(recipe, zipped({"10.csv": people, "11.csv": firms, "12.csv": people}))
    # The third repeats the first: it is said so, and nothing is doubled.
    assert done.counts == {"rows": 6, "created": 4, "duplicates": 2}
    assert list(Contact.objects.order_by("last_name").values_list("account__name", flat=True)) == [
        "Acme", "Bee",
    ]  # fmt: skip
    assert report.errors_page(plan_of(done.upload), after=0, limit=5) == ([], None)
    for content, said in (
        (people, "is for 2 files"), (zipped({"1.csv": people, "2.csv": people}), "f.csv"),
        (zipped({"1.csv": people.replace(b"Wer", b"Was"), "2.csv": firms}), "no column “Wer”"),
    ):  # fmt: skip
        refused = run(recipe, content)
        assert (refused.upload.state, said in refused.upload.message) == ("failed", True)


def test_name_is_taken_once_unless_it_is_to_be_replaced(alice):
    recipe = saved(alice)
    with pytest.raises(RecipeRefused) as taken:
        saved(alice, "weekly")

    again = saved(alice, "weekly", picks=(*PICKS[:3], "Seit="), replace=True)

    assert (taken.value.code, again.pk, sorted(again.mapping)) == (
        "taken",
        recipe.pk,
        ["0", "1", "2"],
    )


def test_what_was_decided_for_all_rows_alike_comes_along(alice):
    make_contact(last_name="Zed", email="anna@x.de", owner=alice)
    first = plan(LIST, by=alice, picks=PICKS)
    assert first.counts["duplicate"] == 1
    flow.decide_all(first, Fate.DUPLICATE, Decision.CREATE, by=alice)
    recipe = recipes.save(first, "Twins", by=alice)

    upload = unattended.receive(recipe, [LIST], name="x.csv")
    work_off()

    assert recipe.decisions == {"duplicate": "create"}
    assert ImportFile.objects.get(pk=upload.pk).counts["created"] == 1
    assert Contact.objects.count() == 2


@pytest.mark.parametrize(
    "folder", ["..", "a/../b", "/etc/../x", ".hidden", "done", "a/Failed", "a\\b", "a//b", "x\0y"]
)
def test_folder_is_a_plain_name_below_the_import_folder(alice, folder):
    recipe = saved(alice)

    with pytest.raises(RecipeRefused) as refused:
        recipes.change(recipe, by=alice, name="Weekly", is_shared=False, folder=folder)

    assert refused.value.code == "folder"


def test_folder_belongs_to_one_recipe(alice, bob):
    one, other = saved(alice), saved(bob)
    recipes.change(one, by=alice, name="W", is_shared=False, folder="/shop/people/")

    with pytest.raises(RecipeRefused):
        recipes.change(other, by=bob, name="W", is_shared=False, folder="Shop/People")
    assert one.folder == "shop/people"


@pytest.mark.parametrize(
    ("limits", "counts", "stops"),
    [
        ({"most_refused": 10}, {"rows": 10, "refused": 1}, False),
        ({"most_refused": 10}, {"rows": 19, "refused": 2}, True),
        ({"most_refused": 0}, {"rows": 1000, "refused": 1}, True),
        ({"most_updated": 50}, {"rows": 2, "update": 2}, True),
        ({"most_updated": 50}, {"rows": 2, "update": 1, "refused": 1}, False),
        ({}, {"rows": 2, "refused": 2}, False),
    ],
)
def test_limits_are_shares_of_all_rows(limits, counts, stops):
    recipe = ImportRecipe(name="x", **limits)

    assert bool(recipes.stopped(recipe, counts)) == stops


# -- the command line -----------------------------------------------------------------------------


@pytest.fixture
def command(capsys, tmp_path):
    """`command(user, content, …)`: exit code and what was printed."""

    def run(by, content, *options):
        file = tmp_path / "list.csv"
        file.write_bytes(content)
        code = main(["import", str(file), "--as", by.email, "--json", *options])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_command_imports_by_a_recipe(alice, command, capsys):
    recipe = saved(alice)

    code, done = command(alice, LIST, "--recipe", "weekly")

    assert (code, done["created"], done["recipe"]) == (0, 1, str(recipe.pk))
    assert str(Contact.objects.get().anniversary) == "2025-04-03"
    assert main(["recipes", "--as", alice.email]) == 0
    assert capsys.readouterr().out == f"Weekly  (contact, private, by {alice})  {recipe.pk}\n"


def test_command_stops_at_a_limit_and_waits_for_a_look(alice, bob, command):
    recipe = saved(alice)
    recipe.most_refused = 0
    recipe.save()
    broken = LIST + b"Eve;Fa;nonsense;x\n"

    code, stopped = command(alice, broken, "--recipe", "Weekly")
    assert (code, stopped["created"], "refused" in stopped["refused"]) == (1, 1, True)
    recipe.looks_first = True
    recipe.save()
    code, waits = command(alice, LIST, "--recipe", "Weekly")
    assert (code, waits["waits"], Contact.objects.count()) == (0, True, 0)
    code, unknown = command(bob, LIST, "--recipe", "Weekly")
    assert (code, unknown["refused"]) == (1, "There is no recipe “Weekly” that you may use.")


@pytest.mark.once
def test_recipe_of_a_workbook_reads_each_of_its_sheets(alice, tmp_path):
    def book(*, name="Last Name"):
        made = openpyxl.Workbook()
        made.active.title = "People"
        for sheet, rows in (
            (made.active, [[name, "E-mail"], ["Bo", "bo@x.de"], ["Dee", "dee@x.de"]]),
            (made.create_sheet("Firms"), [["Account Name", "Tel"], ["Acme", "1"]]),
            (made.create_sheet("Empty"), []),
        ):
            for row in rows:
                sheet.append(row)
        path = tmp_path / "book.xlsx"
        made.save(path)
        return path.read_bytes()

    first = flow.receive([book()], name="book.xlsx", entity="auto", by=alice)
    flow.describe(first, by=alice, reading={"sheet": "*"})
    files = bundle.members_of(first)
    assert [(file.name, file.entity) for file in files] == [
        ("Firms", "account"), ("People", "contact"),
    ]  # fmt: skip
    # A workbook takes its room once, however many sheets it has.
    assert len({uploads.path_of(file).stat().st_ino for file in (first, *files)}) == 1
    columns = flow.columns_of(files[0])
    flow.remap(files[0], mapping.changed(flow.mapping_of(files[0]), columns, ["Tel=fax"]))
    recipe = recipes.save(first, "Book", by=alice)

    done = run(recipe, book(), "weekly.xlsx")
    assert (done.upload.state, done.counts) == ("done", {"rows": 3, "created": 3})
    assert Account.objects.get().fax == "1"
    refused = run(recipe, book(name="Wer"), "weekly.xlsx")
    assert "People: “People” does not fit this file. The file has no column “Last Name”." in (
        refused.upload.message
    )
