"""The command line, as real processes."""

import json
import subprocess
import sys

import pytest

import rapport
from rapport.cli.parser import parser

COMMANDS = (
    "serve", "worker", "migrate", "import", "export", "backup", "restore", "undo", "demo", "check",
    "bench", "version", "user",
)  # fmt: skip
ADA = (
    "user",
    "create",
    "ada@x.example",
    "--name",
    "Ada Lovelace",
    "--role",
    "system-administrator",
)

NOBODY = "there is no administrator yet; see: rapport user create --help"


def complaint(done):
    """Exit code and the one line on standard error."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return done.returncode, lines[0]


# -- without Django ------------------------------------------------------------------------------


def test_help_and_version_import_nothing_heavy():
    code = (
        "import sys\n"
        "from rapport.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "main(['version'])\n"
        "print(sorted({'django', 'granian', 'huey', 'lxml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
    assert f"rapport {rapport.__version__} (Python " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_of_its_own(command, capsys):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([command, "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: rapport {command} ")


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["--help"])

    text = capsys.readouterr().out
    assert [command for command in COMMANDS if f"\n    {command} " not in text] == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["import"],
        ["import", "x.csv", "--entity", "invoice"],
        ["export"],
        ["user"],
        ["serve", "--workers", "0"],
        ["serve", "--port", "http"],
    ],
)
def test_wrong_arguments_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)

    assert ended.value.code == 2
    assert "usage: rapport" in capsys.readouterr().err


# -- on a new installation -----------------------------------------------------------------------


@pytest.mark.once
def test_a_new_database_is_made_by_whoever_comes_first(new_installation):
    made = new_installation.run(*ADA, "--password-stdin", text="correct horse battery\n")

    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == "Making the database …\nada@x.example created (system-administrator).\n"
    assert new_installation.run("migrate").stdout == "The database is up to date.\n"


def test_everything_is_in_order_after_migrate(untouched):
    done = untouched.run("check", "--json")

    found = json.loads(done.stdout)
    grades = {check["name"]: check["grade"] for check in found["checks"]}
    grades.pop("integrity", None)
    assert done.returncode == 0
    assert grades == {
        "declarations": "ok",
        "database": "ok",
        "migrations": "ok",
        "indexes": "ok",
        "disk": "ok",
        "worker": "warning",
        "jobs": "ok",
    }


def test_check_fails_on_a_database_of_another_version(new_installation):
    done = new_installation.run("check")

    assert done.returncode == 1
    assert "FAILED  migrations: " in done.stdout
    assert done.stderr == ""


@pytest.mark.sqlite
def test_check_finds_records_that_cannot_be_searched(installation):
    installation.run(*ADA)
    installation.python(
        "from django.db import connection\n"
        "from rapport.actions import people, records\n"
        "from rapport.meta.registry import registry\n"
        "ada = people.first_administrator()\n"
        "records.create_record(registry['account'], {'name': 'Acme'}, by=ada)\n"
        "connection.cursor().execute('DELETE FROM rapport_account_search')"
    )

    done = installation.run("check")

    assert done.returncode == 1
    assert "FAILED  indexes: account: 0 of 1 records can be searched" in done.stdout


@pytest.mark.once
def test_users_are_created_listed_and_deactivated(installation):
    link = installation.run(*ADA).stdout.splitlines()[-1]
    installation.run("user", "create", "bob@x.example", "--name", "Bob")

    listed = installation.run("user", "list").stdout.splitlines()
    last = installation.run("user", "deactivate", "ada@x.example")
    gone = installation.run("user", "deactivate", "bob@x.example")

    assert "/welcome/" in link
    assert listed == [
        "ada@x.example  Ada Lovelace  System Administrator",
        "bob@x.example  Bob  Salesperson",
    ]
    assert complaint(last) == (1, "rapport user: ada@x.example is the only administrator")
    assert gone.stdout == "bob@x.example may not sign in any more.\n"
    assert installation.run("user", "list").stdout.splitlines()[1].endswith("(inactive)")
    assert "/welcome/" in installation.run("user", "link", "bob@x.example").stdout


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["user", "link", "nobody@x.example"], "there is no user nobody@x.example"),
        (["user", "create", "no address", "--name", "X"], "“no address” is not an e-mail address."),
        (["undo", "nonsense"], NOBODY),
        (["import", "missing.csv"], NOBODY),
    ],
)
def test_errors_are_one_line(untouched, arguments, message):
    done = untouched.run(*arguments)

    assert complaint(done) == (1, f"rapport {arguments[0]}: {message}")


@pytest.mark.once
def test_a_role_that_does_not_exist_is_named(untouched):
    code, message = complaint(
        untouched.run("user", "create", "x@x.example", "--name", "X", "--role", "king")
    )

    assert code == 2
    assert message.startswith(
        "rapport user: there is no role king; there are: system-administrator"
    )


@pytest.mark.once
def test_a_weak_password_is_refused(untouched):
    done = untouched.run(*ADA, "--password-stdin", text="short\n")

    assert done.returncode == 1
    assert "too short" in done.stderr
    assert untouched.rows("SELECT count(*) FROM rapport_user") == [(0,)]


@pytest.mark.once
def test_a_database_that_does_not_answer_is_named_in_one_line(untouched):
    done = untouched.run(
        "check", "--json", DATABASE_URL="postgresql://nobody:secret@127.0.0.1:1/nothing"
    )
    listed = untouched.run(
        "user", "list", DATABASE_URL="postgresql://nobody:secret@127.0.0.1:1/nothing"
    )

    assert (done.returncode, json.loads(done.stdout)["status"]) == (1, "failed")
    assert "secret" not in done.stdout + listed.stderr
    assert listed.returncode == 1
    assert listed.stderr.startswith("rapport user: the database does not answer: ")


@pytest.mark.once
def test_a_wrong_database_url_is_named_in_one_line(untouched):
    done = untouched.run("user", "list", DATABASE_URL="mysql://x/y")

    assert complaint(done) == (
        1,
        "rapport user: DATABASE_URL: 'mysql' is neither sqlite nor postgresql",
    )


def test_undo_takes_an_operation_back(installation):
    installation.run(*ADA)
    op = installation.python(
        "from rapport.actions import people, records\n"
        "from rapport.meta.registry import registry\n"
        "from rapport.models import Operation\n"
        "ada = people.first_administrator()\n"
        "records.create_record(registry['account'], {'name': 'Acme'}, by=ada)\n"
        "print(Operation.objects.get(kind='account.create').pk)"
    )

    rehearsed = installation.run("undo", op, "--dry-run").stdout
    still = installation.rows("SELECT count(*) FROM rapport_account")
    undone = installation.run("undo", op).stdout.splitlines()
    again = installation.run("undo", op)

    what = (
        "1 created records removed, 0 changed ones restored, 0 deleted ones returned, 0 conflicts."
    )
    assert (rehearsed, still) == (f"Would be undone: {what}\n", [(1,)])
    assert undone[0] == f"Undone: {what}"
    assert installation.rows("SELECT count(*) FROM rapport_account") == [(0,)]
    assert complaint(again) == (1, "rapport undo: It has been undone already.")


@pytest.mark.once
def test_demo_loads_says_how_to_sign_in_and_is_removed(installation):
    loaded = installation.run("demo")
    again = installation.run("demo")
    removed = installation.run("demo", "--remove")

    signs = [line for line in loaded.stdout.splitlines() if "@demo.example" in line]
    assert (loaded.returncode, loaded.stderr, len(signs)) == (0, "", 2)
    assert again.stdout.splitlines()[0] == "The demo data is there already."
    assert [line for line in again.stdout.splitlines() if "@demo.example" in line] == signs
    assert removed.stdout.startswith("Demo data is removed: ")
    assert installation.rows("SELECT count(*) FROM rapport_account") == [(0,)]
    assert installation.run("demo", "--remove").stdout == "There is no demo data.\n"


@pytest.mark.once
def test_demo_stays_away_from_real_records(installation):
    installation.run(*ADA)
    installation.python(
        "from rapport.actions import people, records\n"
        "from rapport.meta.registry import registry\n"
        "ada = people.first_administrator()\n"
        "records.create_record(registry['account'], {'name': 'Acme'}, by=ada)\n"
    )

    done = installation.run("demo")

    message = "rapport demo: there are records already; --force loads it beside"
    assert complaint(done) == (1, message)
