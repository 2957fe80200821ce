"""The list of an entity's records: rows, paging, columns and their widths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rapport import access
from rapport.access import Actor
from rapport.exports import formats
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models.people import Verb
from rapport.queries import pages, translate, views
from rapport.queries.pages import Link, Page, Row
from rapport.queries.query import InvalidQuery, Order, Query, field_of

from . import shell
from .bulk import bulk_commands
from .cells import CELLS, CellContext, cell_context
from .commandbar import LINE, Item
from .filters import chips, filter_url
from .liststate import Listing, encode, is_sortable, label_of, listing, require_read, simple
from .signin import signed_in
from .views import view_menu

# Pixels of a column that nobody has moved.
WIDTHS: dict[Kind, int] = {
    Kind.TEXT: 150,
    Kind.LONG_TEXT: 280,
    Kind.EMAIL: 220,
    Kind.PHONE: 150,
    Kind.URL: 200,
    Kind.CHOICE: 140,
    Kind.STATE: 120,
    Kind.NUMBER: 110,
    Kind.MONEY: 140,
    Kind.DATE: 130,
    Kind.DATETIME: 190,
    Kind.BOOLEAN: 100,
    Kind.LOOKUP: 190,
    Kind.OWNER: 150,
    Kind.POINTER: 190,
    Kind.ADDRESS: 280,
}
TITLE_WIDTH = 230
CHECK_WIDTH = 40
_NUMERIC = frozenset({Kind.NUMBER, Kind.MONEY})


@dataclass(slots=True, kw_only=True)
class Column:
    """A column of the grid, with what its header needs."""

    path: str
    field: Field
    label: str
    width: int
    is_title: bool = False
    is_number: bool = False
    sort_url: str = ""
    filter_url: str = ""
    is_filtered: bool = False
    sorted: str = ""


@signed_in
@require_safe
def list_page(request: HttpRequest, entity: Entity) -> HttpResponse:
    """Rows of a view, as the address says."""
    require_read(entity, request.user)
    seen = listing(entity, request.GET, request.user)
    rows = translate.rows(seen.query, request.user)
    page = _page(seen, request.user, rows)
    context = cell_context()
    columns = columns_of(seen)
    total = _total(seen, page, request.user, rows)
    status = 400 if seen.problems else 200
    return shell.render(
        request,
        "lists/page.html",
        {
            "entity": entity,
            "listing": seen,
            "kept_params": [(n, v) for n, v in seen.params() if n != "q"],
            "view_menu": view_menu(seen),
            "can_save_view": access.may(request.user, Verb.CREATE, registry["saved_view"]),
            "cols": SafeString("".join(f'<col width="{c.width}">' for c in columns)),
            "heads": heads_html(columns),
            "rows": rows_html(entity, columns, page.rows, context),
            "check_width": CHECK_WIDTH,
            "commands": commands(seen, request.user),
            "export_menu": export_menu(seen, request.user),
            "chips": chips(seen, request.user, context),
            "pager": _pager(seen, page, total, context),
            "total": total_text(seen, total, context),
            "more_than_page": total > len(page.rows),
            "empty": None if page.rows else _empty(seen, request.user),
            **_addresses(seen),
        },
        status=status,
        part="lists/part.html",
    )


def _addresses(seen: Listing) -> dict[str, str]:
    """Where the parts of the page lead."""
    names = {
        "columns_url": "list-columns",
        "widths_url": "list-widths",
        "my_views_url": "my-views",
        "views_url": "views",
        "save_view_url": "save-view",
        "save_changes_url": "save-view-changes",
        "default_view_url": "default-view",
    }
    found = {key: reverse(name, args=[seen.entity]) for key, name in names.items()}
    return found | {"filter_url": filter_url(seen)}


def _page(seen: Listing, by: Actor, rows: Any) -> Page:
    """The page that is asked for; the first one when its cursor cannot be read."""
    try:
        return pages.page(seen.query, by, rows=rows)
    except InvalidQuery:
        seen.problems.append(_("This page cannot be found any more: here is the first one."))
        seen.query = replace(seen.query, after="", before="")
        seen.start = 1
        return pages.page(seen.query, by, rows=rows)


def _total(seen: Listing, page: Page, by: Actor, rows: Any) -> int:
    """How many rows there are, at most one more than is counted; free where one page is all."""
    if not (page.next or page.previous):
        return len(page.rows)
    limit = None if seen.count_all else pages.COUNT_LIMIT
    return pages.count(seen.query, by, limit=limit, rows=rows)


def total_text(seen: Listing, total: int, context: CellContext) -> str:
    """'5,000+' or the number."""
    if seen.count_all or total <= pages.COUNT_LIMIT:
        return context.number(total)
    return f"{context.number(pages.COUNT_LIMIT)}+"


# -- columns ---------------------------------------------------------------------------------------


def columns_of(seen: Listing) -> list[Column]:
    """The columns of the grid; the name of the record is always one."""
    entity = seen.entity
    names = seen.query.columns
    if entity.title not in names:
        names = (entity.title, *names)
    order = seen.query.order[:1] or (Order(entity.title),)
    filtering = filter_url(seen)
    filtered = {condition.field for condition in simple(seen.query)}
    columns = [_column(seen, name, order[0], filtering) for name in names]
    for column in columns:
        column.is_filtered = column.path in filtered
    return columns


def _column(seen: Listing, name: str, order: Order, filtering: str) -> Column:
    found = field_of(seen.entity, name)
    is_title = name == seen.entity.title
    width = seen.widths.get(name) or (TITLE_WIDTH if is_title else WIDTHS[found.kind])
    column = Column(
        path=name,
        field=found,
        label=label_of(seen.entity, name),
        width=width,
        is_title=is_title,
        is_number=found.kind in _NUMERIC,
        filter_url=f"{filtering}&field={name}",
    )
    if is_sortable(found):
        same = order.field == name
        if same:
            column.sorted = "descending" if order.descending else "ascending"
        turned = Order(name, descending=same and not order.descending)
        column.sort_url = seen.address(replace(seen.query, order=(turned,)))
    return column


# -- rows ------------------------------------------------------------------------------------------

Write = Callable[[Row], str]


def rows_html(
    entity: Entity, columns: Sequence[Column], rows: Sequence[Row], context: CellContext
) -> SafeString:
    """The rows of the grid. Python, not a template: there are hundreds of cells on a page."""
    is_person = "first_name" in entity.title_fields
    prefix = reverse("list", args=[entity])
    unnamed = str(entity.label)
    select = _("Select %(name)s")
    writers = [
        (column.path, CELLS[column.field.kind], column.field, column.is_number)
        for column in columns
        if not column.is_title
    ]
    place = next(i for i, column in enumerate(columns) if column.is_title)
    made = []
    for row in rows:
        title = title_text(row.values[entity.title], unnamed)
        key, name = str(row.id), escape(title)
        avatar = ""
        if is_person:
            avatar = (
                f'<span class="avatar hue-{shell.hue(title)}" aria-hidden="true">'
                f"{escape(shell.initials(title))}</span>"
            )
        cells = []
        for path_, write, field, is_number in writers:
            value = row.values[path_]
            text = "" if value is None or value == "" else write(field, value, context)
            cells.append(f'<td class="grid-num">{text}</td>' if is_number else f"<td>{text}</td>")
        cells.insert(
            place, f'<td class="grid-primary">{avatar}<a href="{prefix}{key}/">{name}</a></td>'
        )
        tone = "" if row.state in entity.states.editable else ' data-tone="faint"'
        made.append(
            f'<tr id="row-{key}"{tone}><td class="grid-check"><label><span class="sr-only">'
            f"{escape(select % {'name': title})}</span>"
            f'<input type="checkbox" name="ids" value="{key}"></label></td>'
            f"{''.join(cells)}</tr>"
        )
    return SafeString("\n".join(made))


def heads_html(columns: Sequence[Column]) -> SafeString:
    """The headers of the columns: each sorts, and leads to its filter."""
    icons, filter_by = shell.icons_url(), _("Filter by %(field)s")
    arrows = {
        turned: f'<svg class="icon" aria-hidden="true"><use href="{icons}#arrow-{way}"></use></svg>'
        for turned, way in (("ascending", "up"), ("descending", "down"))
    }
    funnel = f'<svg class="icon" aria-hidden="true"><use href="{icons}#list-filter"></use></svg>'
    made = []
    for column in columns:
        label = escape(column.label)
        sort = f' aria-sort="{column.sorted}"' if column.sorted else ""
        number = ' class="grid-num"' if column.is_number else ""
        words = f"<span>{label}</span>{arrows.get(column.sorted, '')}"
        if column.sort_url:
            words = f'<a class="grid-sort" href="{escape(column.sort_url)}">{words}</a>'
        else:
            words = f'<span class="grid-sort">{words}</span>'
        filtered = ' aria-current="true"' if column.is_filtered else ""
        url, says = escape(column.filter_url), escape(filter_by % {"field": column.label})
        made.append(
            f'<th scope="col" data-column="{escape(column.path)}"{number}{sort}>{words}'
            f'<a class="grid-filter"{filtered} href="{url}" hx-get="{url}" hx-target="#dialog"'
            f' aria-label="{says}">{funnel}</a></th>'
        )
    return SafeString("".join(made))


def title_text(value: Any, unnamed: str) -> str:
    """What a row is called; `unnamed`: when it has no name."""
    if isinstance(value, Link):
        return value.title or unnamed
    return str(value or unnamed)


# -- around the rows -------------------------------------------------------------------------------


def _pager(seen: Listing, page: Page, total: int, context: CellContext) -> dict[str, Any]:
    first = seen.start
    last = first + len(page.rows) - 1
    info = _("%(first)s–%(last)s of %(total)s") % {
        "first": context.number(first),
        "last": context.number(max(last, first)),
        "total": total_text(seen, total, context),
    }
    counted = [("count", "all")] if seen.count_all else []

    def page_url(name: str, cursor: str, start: int) -> str:
        return cursor and seen.address(None, (name, cursor), ("n", str(start)), *counted)

    return {
        "info": info if page.rows else "",
        "next_url": page_url("after", page.next, last + 1),
        "previous_url": page_url("before", page.previous, max(first - seen.query.size, 1)),
        "first_url": seen.address() if page.previous else "",
        "count_url": seen.address(None, *seen.place(), ("count", "all"))
        if total == pages.COUNT_LIMIT + 1 and not seen.count_all
        else "",
        "target": "#list",
        "selected": True,
    }


def _empty(seen: Listing, by: Actor) -> dict[str, Any]:
    """What to say, and to do next, where there are no rows."""
    entity = seen.entity
    plural = str(entity.label_plural)
    if seen.query.after or seen.query.before:
        return {
            "icon": entity.icon,
            "title": _("There are no more rows"),
            "url": seen.address(),
            "action": _("First page"),
        }
    if seen.is_changed:
        return {
            "icon": "search",
            "title": _("Nothing found"),
            "text": _("No %(records)s are like this.") % {"records": plural.lower()},
            "url": seen.address(seen.view.query),
            "action": _("Clear search and filters"),
        }
    may_import = entity.importable and access.may(by, Verb.IMPORT, entity)
    if pages.count(Query(entity=entity.name), by, limit=1):
        widest = views.widest(entity)
        return {
            "icon": entity.icon,
            "title": _("This view is empty"),
            "text": _("There are other %(records)s that you can see.")
            % {"records": plural.lower()},
            "url": f"{seen.url}?view={widest.key}" if widest.key != seen.view.key else "",
            "action": widest.label,
        }
    new = new_url(entity, by)
    if may_import:
        return {
            "drop_url": reverse("import-new"),
            "second_url": new,
            "second_action": _("New %(record)s") % {"record": str(entity.label).lower()},
        }
    return {
        "icon": entity.icon,
        "title": _("No %(records)s yet") % {"records": plural.lower()},
        "url": new,
        "action": _("New"),
    }


# -- commands --------------------------------------------------------------------------------------


def import_url(entity: Entity, format: str = "") -> str:
    """Where a file becomes records of `entity`."""
    more = [("format", format)] if format else []
    return reverse("import-new") + encode([("entity", entity.name), *more])


def new_url(entity: Entity, by: Actor) -> str:
    """Where a new record is written; '' for those who may not."""
    if not entity.creatable or not access.may(by, Verb.CREATE, entity):
        return ""
    return reverse("create", args=[entity])


def commands(seen: Listing, by: Actor) -> list[Item]:
    """What can be done with the list, and with the rows that are marked."""
    entity = seen.entity
    made = []
    if url := new_url(entity, by):
        made.append(Item(label=_("New"), url=url, icon="plus", key="n"))
    made += bulk_commands(entity, by)
    if access.may(by, Verb.EXPORT, entity):
        # Beside what else is done with marked rows: who marks some and finds only “Export” in
        # sight takes that, and gets everything.
        selected = [_file_item(entity, name, form="grid-form") for name in formats.fitting(entity)]
        made.append(
            Item(
                label=_("Export selected"),
                icon="file-down",
                id="export-selected",
                menu=selected,
                when="some",
            )
        )
    if entity.importable and access.may(by, Verb.IMPORT, entity):
        menu = [
            Item(label=_("Excel"), url=import_url(entity, "xlsx"), icon="file-spreadsheet"),
            Item(label=_("CSV"), url=import_url(entity, "csv"), icon="file-up"),
            Item(label=_("XML"), url=import_url(entity, "xml"), icon="file-up"),
        ]
        made += [
            LINE,
            Item(
                label=_("Import from Excel"),
                icon="file-up",
                id="import-menu",
                menu=menu,
            ),
        ]
    if menu := export_menu(seen, by):
        made.append(Item(label=_("Export"), icon="file-down", id="export-menu", menu=menu))
    refresh = Item(
        label=_("Refresh"), url=seen.address(), icon="refresh-cw", icon_only=True, key="r"
    )
    return [*made, refresh]


def export_menu(seen: Listing, by: Actor) -> list[Item]:
    """The whole result as a file: the same query string at another address."""
    if not access.may(by, Verb.EXPORT, seen.entity):
        return []
    columns = [pair for pair in seen.params() if pair[0] != "columns"]
    shown, every = seen.params(), [*columns, ("columns", "all")]
    fitting = formats.fitting(seen.entity)
    tables = [name for name in fitting if not formats.FORMATS[name].fields(seen.entity)]
    fixed = [name for name in fitting if name not in tables]
    fewer = not access.as_far_as_seen(by, Verb.EXPORT, seen.entity)
    return [
        *([Item(title=_("Only the records that you may export"))] if fewer else []),
        Item(title=_("Columns of this list")),
        *(_file_item(seen.entity, name, encode(shown)) for name in tables),
        LINE,
        Item(title=_("Every field")),
        *(_file_item(seen.entity, name, encode(every)) for name in tables),
        *([LINE] if fixed else []),
        *(_file_item(seen.entity, name, encode(shown)) for name in fixed),
    ]


def _file_item(entity: Entity, format: str, query: str = "", *, form: str = "") -> Item:
    return Item(
        label=formats.FORMATS[format].label,
        url=reverse("export", args=[entity, format]) + query,
        icon="file-spreadsheet" if format == "xlsx" else "file-down",
        form=form,
    )


urlpatterns = [path("<entity:entity>/", list_page, name="list")]
