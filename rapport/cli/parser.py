"""What can be typed after `rapport`. Imports nothing of Rapport, so that --help is quick."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

ENTITIES = ("contact", "account", "lead", "opportunity")
EXPORTED = ("csv", "xlsx", "xml", "jsonl", "vcf")
# Of the built-in roles; `user create` says it when another one is typed.
SALESPERSON = "salesperson"


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    top = argparse.ArgumentParser(
        prog="rapport",
        description="Rapport keeps the accounts, contacts and leads of a sales team in one place.",
        epilog="Data lives in RAPPORT_HOME, the database is DATABASE_URL; neither must be set. "
        "`rapport COMMAND --help` says more about a command.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _serving(commands)
    _bringing(commands)
    _taking_out(commands)
    _keeping(commands)
    _looking_after(commands)
    _people(commands)
    return top


def _add(
    commands: _Commands,
    name: str,
    run: str,
    text: str,
    *,
    more: str = "",
    examples: tuple[str, ...] = (),
    needs_django: bool = True,
) -> argparse.ArgumentParser:
    shown = "\n".join(["examples:", *(f"  rapport {example}" for example in examples)])
    found = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.{' ' if more else ''}{more}",
        epilog=shown if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.set_defaults(run=run, needs_django=needs_django)
    return found


def _serving(commands: _Commands) -> None:
    serve = _add(
        commands,
        "serve",
        "rapport.cli.serve:run",
        "serve the hub",
        more="Makes or updates the database first.",
        examples=("serve", "serve --host 0.0.0.0 --port 8080 --workers 4", "serve --no-worker"),
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="port (%(default)s; 0: any free one)")
    serve.add_argument("--workers", type=_count, default=2, help="web processes (%(default)s)")
    serve.add_argument(
        "--threads", type=_count, default=2, help="requests at a time in each (%(default)s)"
    )
    serve.add_argument("--no-worker", action="store_true", help="run no background worker")

    worker = _add(
        commands,
        "worker",
        "rapport.cli.worker:run",
        "work off background jobs",
        more="`serve` starts one already; run more for more jobs at a time.",
        examples=("worker",),
    )
    worker.add_argument("--child-of", type=int, help=argparse.SUPPRESS)

    _add(
        commands,
        "migrate",
        "rapport.cli.prepare:run",
        "make or update the database",
        more="SQLite is copied to RAPPORT_HOME/backups before.",
        examples=("migrate",),
    )


def _bringing(commands: _Commands) -> None:
    bring = _add(
        commands,
        "import",
        "rapport.imports.command:run",
        "import a customer list",
        examples=(
            "import customers.xlsx --entity auto --dry-run",
            "import leads.csv --entity lead --as ada@example.com",
            "import list.csv --map 'Ansprechpartner=last_name' --map 'Notes='",
            "import monday.csv --recipe 'Weekly list'",
            "import people.csv --match email --match last_name+account --on-match fill",
            "export --entity lead --format jsonl | rapport import - --dry-run",
        ),
    )
    bring.add_argument(
        "file", type=Path, nargs="+", metavar="FILE",
        help="CSV, Excel, XML, JSON or vCard, or a .zip of several that refer to each other; "
        "- for standard input",
    )  # fmt: skip
    bring.add_argument(
        "--entity", choices=(*ENTITIES, "auto"), default="auto", help="what it holds (%(default)s)"
    )
    bring.add_argument(
        "--recipe", metavar="NAME", help="a saved mapping, by its name or id; see `rapport recipes`"
    )
    bring.add_argument(
        "--dry-run", action="store_true", help="change nothing, say what would happen"
    )
    bring.add_argument("--json", action="store_true", help="print one object for programs")
    _acting(bring)
    _reading(bring)
    _deciding(bring)

    known = _add(
        commands,
        "recipes",
        "rapport.imports.command:run_recipes",
        "list saved mappings, which `import --recipe` takes",
        examples=("recipes", "recipes --json --as ada@example.com"),
    )
    known.add_argument("--json", action="store_true", help="print a list for programs")
    _acting(known)


def _reading(bring: argparse.ArgumentParser) -> None:
    """How the file is read, where guessing went wrong."""
    found = bring.add_argument_group("instead of what is detected")
    found.add_argument(
        "--map", action="append", metavar="COLUMN=FIELD",
        help="match a column (header or number) to a field, or to nothing; may be repeated",
    )  # fmt: skip
    found.add_argument("--encoding", help="of the text: utf-8, cp1252 …")
    found.add_argument("--delimiter", help="between the cells of a line")
    found.add_argument("--sheet", help="of a workbook; * for each as a list")
    found.add_argument("--header", type=int, metavar="ROW", help="row of the header (0: none)")
    found.add_argument("--date-order", choices=("ymd", "dmy", "mdy"), help="of dates in numbers")
    found.add_argument("--decimal-mark", choices=(".", ","), help="of numbers")
    found.add_argument("--member", help="name of a file inside an archive")
    found.add_argument(
        "--element", metavar="PATH", help="of XML: path of the element that is a record"
    )


def _deciding(bring: argparse.ArgumentParser) -> None:
    """What happens to records that are there already, and what no cell says."""
    found = bring.add_argument_group("records that are there already")
    found.add_argument(
        "--match", action="append", metavar="FIELD[+FIELD]",
        help="find the record of a row by these fields; may be repeated: tried in turn",
    )  # fmt: skip
    found.add_argument(
        "--on-match", choices=("update", "fill", "skip"),
        help="what happens to it (update); fill: only what is blank",
    )  # fmt: skip
    found.add_argument(
        "--duplicates", choices=("skip", "update", "fill", "create"),
        help="what happens to rows that a duplicate rule holds back (skip)",
    )  # fmt: skip
    found.add_argument(
        "--wipe", action="append", metavar="COLUMN",
        help="a blank cell empties the field; may be repeated",
    )  # fmt: skip
    more = bring.add_argument_group("what no cell says (each may be repeated)")
    more.add_argument(
        "--constant", action="append", metavar="FIELD=TEXT", help="the same for every row"
    )
    more.add_argument(
        "--default", action="append", metavar="COLUMN=TEXT", help="what a blank cell stands for"
    )
    more.add_argument(
        "--value", action="append", metavar="COLUMN:CELL=OPTION",
        help="the option that a cell means; nothing: leave it blank",
    )  # fmt: skip
    more.add_argument(
        "--missing", action="append", metavar="COLUMN=RULE",
        help="when a name is that of no record: create, refuse or blank; of choices the last two",
    )  # fmt: skip
    more.add_argument(
        "--several", action="append", metavar="COLUMN=RULE",
        help="when a name is that of several: refuse, blank or oldest",
    )  # fmt: skip
    more.add_argument(
        "--phone-country", metavar="XX", help="of numbers that do not say theirs: DE, FR …"
    )


def _taking_out(commands: _Commands) -> None:
    take = _add(
        commands,
        "export",
        "rapport.exports.command:run",
        "export records to a file",
        examples=(
            "export --entity contact --format xlsx -o contacts.xlsx",
            "export --entity account --view active > accounts.csv",
            "export --entity contact --format vcf -o contacts.vcf",
        ),
    )
    take.add_argument("--entity", required=True, metavar="ENTITY", help="account, contact, lead …")
    take.add_argument("--format", choices=EXPORTED, default="csv", help="(%(default)s)")
    take.add_argument("--view", default="", metavar="KEY", help="a view (all records)")
    take.add_argument(
        "--all-fields", action="store_true", help="every field, not the columns of the view"
    )
    take.add_argument("-o", "--output", type=Path, metavar="FILE", help="(standard output)")
    _acting(take)


def _keeping(commands: _Commands) -> None:
    undo = _add(
        commands,
        "undo",
        "rapport.cli.undo:run",
        "take an operation back",
        more="What others changed since then stays, and is listed.",
        examples=("undo 0198f0c2-… --dry-run", "undo 0198f0c2-…"),
    )
    undo.add_argument("operation", metavar="OPERATION", help="its id: an import prints it")
    undo.add_argument(
        "--dry-run", action="store_true", help="change nothing, say what would happen"
    )
    _acting(undo)

    backup = _add(
        commands,
        "backup",
        "rapport.exports.command:run_backup",
        "write everything to one file",
        more="Others may work meanwhile. The file is not encrypted: keep it like the database.",
        examples=("backup rapport-2026-11-22.zip",),
    )
    backup.add_argument("file", type=Path, metavar="FILE", help="a new .zip")
    backup.add_argument(
        "--no-passwords", action="store_true", help="users choose new ones after a restore"
    )

    restore = _add(
        commands,
        "restore",
        "rapport.exports.command:run_restore",
        "fill an empty Rapport from a backup",
        more="All of it or nothing. Stop the server first.",
        examples=("restore rapport-2026-11-22.zip",),
    )
    restore.set_defaults(makes_database=True)
    restore.add_argument("file", type=Path, metavar="FILE", help="made by `rapport backup`")

    demo = _add(
        commands,
        "demo",
        "rapport.demo.command:run",
        "load demo data, or remove it",
        examples=("demo", "demo --remove"),
    )
    demo.set_defaults(makes_database=True)
    demo.add_argument("--remove", action="store_true", help="remove the demo data again")
    demo.add_argument("--force", action="store_true", help="load it beside real records")


def _looking_after(commands: _Commands) -> None:
    check = _add(
        commands,
        "check",
        "rapport.cli.check:run",
        "check that everything is in order",
        more="Exit code 1 when something is not.",
        examples=("check",),
    )
    check.add_argument("--json", action="store_true", help="print one object for programs")

    bench = _add(
        commands,
        "bench",
        "rapport.bench.command:run",
        "measure, beside the raw limit of the database",
        examples=("bench foundation --quick", "bench import --only apply undo --on sqlite"),
        needs_django=False,
    )
    bench.add_argument("name", nargs="?", default="all", metavar="NAME", help="(%(default)s)")
    bench.add_argument("--json", action="store_true", help="print a list for programs")
    bench.add_argument("--quick", action="store_true", help="less data, fewer runs")
    bench.add_argument(
        "--only", nargs="+", metavar="PART", default=(),
        choices=("apply", "again", "undo", "export", "xlsx", "worker", "waits", "million", "kills"),
        help="with `import`: only some figures: %(choices)s",
    )  # fmt: skip
    bench.add_argument(
        "--on", nargs="+", metavar="DATABASE", default=(), choices=("sqlite", "postgresql"),
        help="with `import`: only on one database: %(choices)s",
    )  # fmt: skip
    bench.add_argument(
        "--labelled", nargs="*", metavar="CSV",
        help="with `duplicates`: how well they are told where the truth is known",
    )  # fmt: skip

    _add(commands, "version", "rapport.cli.version:run", "print the version", needs_django=False)


def _people(commands: _Commands) -> None:
    user = _add(
        commands,
        "user",
        "rapport.cli.people:run",
        "create, list and deactivate users",
        examples=(
            "user create ada@example.com --name 'Ada Lovelace' --role system-administrator",
            "user link ada@example.com",
            "user list",
        ),
    )
    verbs = user.add_subparsers(dest="verb", required=True, metavar="VERB")
    create = verbs.add_parser("create", help="create a user; prints a link to choose a password")
    create.add_argument("email", metavar="EMAIL")
    create.add_argument("--name", required=True, help="first and last name")
    create.add_argument(
        "--role", action="append", metavar="ROLE",
        help=f"a built-in role, may be repeated (default: {SALESPERSON})",
    )  # fmt: skip
    create.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input"
    )
    link = verbs.add_parser("link", help="make a one-time link to choose a password")
    link.add_argument("email", metavar="EMAIL")
    verbs.add_parser("list", help="list all users")
    leave = verbs.add_parser("deactivate", help="let a user sign in no more")
    leave.add_argument("email", metavar="EMAIL")


def _acting(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--as", dest="as_user", metavar="USER",
        help="e-mail address of who does it (default: the first administrator)",
    )  # fmt: skip


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 64:
        raise argparse.ArgumentTypeError("a number from 1 to 64")
    return number
