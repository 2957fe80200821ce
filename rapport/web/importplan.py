"""The plan of an import: what would become of each row, and what a person says about it."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from rapport.actions.records import RecordNotFound
from rapport.imports import decisions, flow
from rapport.imports.uploads import FileRefused, UploadGone
from rapport.models import ImportFile, Plan
from rapport.models.operations import Decision, Fate
from rapport.queries import imports as found

from . import importbar, importbundle, importcolumns, shell
from .cells import CellContext, cell_context
from .importrows import CARD_SIZE, CARDS, SIZE, VERBS, Rows
from .importsteps import FATES, error_text, groups, head, visible
from .signin import local, signed_in

TABS = {
    Fate.CREATE: gettext_lazy("To create"),
    Fate.UPDATE: gettext_lazy("To update"),
    Fate.DUPLICATE: gettext_lazy("Possible duplicates"),
    Fate.REFUSED: gettext_lazy("Refused"),
    Fate.SAME: gettext_lazy("Unchanged"),
    Fate.SKIP: gettext_lazy("Left out"),
}
ALL = {
    Fate.UPDATE: gettext_lazy("All that find a record:"),
    Fate.DUPLICATE: gettext_lazy("All possible duplicates:"),
}
# What a person should look at first.
FIRST = (Fate.REFUSED, Fate.DUPLICATE, Fate.UPDATE, Fate.CREATE, Fate.SAME, Fate.SKIP)
EMPTY = {
    Fate.CREATE: (gettext_lazy("No row makes a new record"), ""),
    Fate.UPDATE: (gettext_lazy("No stored record would change"), ""),
    Fate.DUPLICATE: (gettext_lazy("No possible duplicates"), ""),
    Fate.REFUSED: (
        gettext_lazy("Every row can be taken"),
        gettext_lazy("Nothing in this file is refused."),
    ),
    Fate.SAME: (gettext_lazy("No row is in Rapport just as it is"), ""),
    Fate.SKIP: (gettext_lazy("No row is left out"), ""),
}


def show(request: HttpRequest, upload: ImportFile) -> HttpResponse:
    """The plan, at one fate."""
    plan = found.plan_of(upload)
    if plan is None:
        return importcolumns.show(request, upload)
    cells = cell_context()
    fate, reason, after = _place(request, plan)
    size = CARD_SIZE if fate in CARDS else SIZE
    try:
        shown = flow.rows_of(
            upload, by=request.user, fate=fate, reason=reason or None, after=after, limit=size + 1
        )
    except (FileRefused, UploadGone) as error:
        messages.error(request, error_text(error))
        shown = []
    page = Rows(request, upload, shown[:size], fate)
    here = _address(upload, fate, reason, after)
    title, text = EMPTY[fate]
    number = plan.counts.get(fate, 0)
    context = {
        **head(upload, 2),
        **page.context(),
        "siblings": importbundle.siblings(upload, cells),
        "tabs": tabs(upload, plan, cells, fate),
        "label": TABS[fate],
        "fate": fate,
        "reason": reason,
        **_why(upload, plan, cells, fate, reason),
        "alike": _alike(plan, fate, number) if not reason else [],
        "standing": _standing(plan, fate),
        "alike_label": ALL.get(fate, ""),
        "alone": _alone(plan, fate, cells) if fate in CARDS else "",
        "alike_url": reverse("import-alike", args=[upload.pk]),
        "here": here,
        "keys": _keys(fate),
        "empty": {"title": title, "text": text},
        "first_url": _address(upload, fate, reason) if after else "",
        "next_url": _address(upload, fate, reason, shown[size - 1].number)
        if len(shown) > size
        else "",
        "bar": importbar.bar(upload, cells),
    }
    return shell.render(request, "imports/plan.html", context)


def _place(request: HttpRequest, plan: Plan) -> tuple[Fate, str, int]:
    """(fate, reason, last row already seen) of the address."""
    asked = request.GET.get("fate", "")
    counts = plan.counts
    fate = Fate(asked) if asked in TABS else next((f for f in FIRST if counts.get(f)), Fate.CREATE)
    reason = request.GET.get("reason", "") if fate == Fate.REFUSED else ""
    after = request.GET.get("after", "")
    return fate, reason, int(after) if after.isdecimal() and len(after) < 10 else 0


def _address(upload: ImportFile, fate: str, reason: str = "", after: int = 0) -> str:
    pairs = [("fate", fate), *([("reason", reason)] if reason else [])]
    pairs += [("after", str(after))] if after else []
    return f"{reverse('import', args=[upload.pk])}?{urlencode(pairs)}"


def _why(
    upload: ImportFile, plan: Plan, cells: CellContext, fate: str, reason: str
) -> dict[str, Any]:
    """Why rows have this fate, and where there is a file of them."""
    is_file = fate != Fate.CREATE and plan.counts.get(fate)
    return {
        "reasons": _reasons(upload, plan, cells, fate, reason),
        "file_url": f"{reverse('import-errors', args=[upload.pk])}?fate={fate}" if is_file else "",
    }


def tabs(upload: ImportFile, plan: Plan, cells: CellContext, here: str) -> list[dict[str, Any]]:
    """Fates that rows have, with their numbers."""
    made = []
    for fate, label in TABS.items():
        number = plan.counts.get(fate, 0)
        if number or fate == here or fate in {Fate.CREATE, Fate.REFUSED}:
            made.append(
                {
                    "url": _address(upload, fate),
                    "label": label,
                    "count": cells.number(number),
                    "here": fate == here,
                    "tone": FATES[fate][0] if number else "",
                }
            )
    return made


def _reasons(
    upload: ImportFile, plan: Plan, cells: CellContext, fate: str, here: str
) -> list[dict[str, Any]]:
    """Why rows are refused, summed up; each leads to its rows."""
    if fate != Fate.REFUSED or not plan.counts.get("why"):
        return []
    made = [
        {
            "url": _address(upload, fate, key),
            "column": column,
            "what": what,
            "count": count,
            "here": key == here,
        }
        for key, count, column, what in groups(upload, plan.counts, cells)
    ]
    every = cells.number(plan.counts.get(fate, 0))
    first = {"url": _address(upload, fate), "column": "", "what": _("All"), "count": every}
    return [{**first, "here": not here}, *made]


def _standing(plan: Plan, fate: str) -> list[dict[str, Any]]:
    """What has been said of all rows of other fates, to be taken back."""
    said = plan.parameters.get(decisions.ALIKE, {})
    return [
        {"fate": name, "what": TABS[Fate(name)], "verb": str(VERBS[Decision(decision)]).lower()}
        for name, decision in said.items()
        if name != fate
    ]


def _alike(plan: Plan, fate: str, number: int) -> list[dict[str, Any]]:
    """What can be said of all rows of a fate at once."""
    said = plan.parameters.get(decisions.ALIKE, {})
    if fate not in CARDS or not (number or fate in said):
        return []
    made = [
        {"value": one.value, "label": VERBS[one], "here": said.get(fate) == one}
        for one in decisions.CHOICES[fate]
    ]
    back = [{"value": "", "label": _("Take back")}] if fate in said else []
    return made + back


def _alone(plan: Plan, fate: str, cells: CellContext) -> str:
    """The question whether what was decided about single rows is to be replaced as well."""
    number = flow.decided_alone(plan, fate)
    text = ngettext(
        "also the %(n)s row decided by itself", "also the %(n)s rows decided one by one", number
    )
    return text % {"n": cells.number(number)} if number else ""


def _keys(fate: str) -> list[tuple[str, Any]]:
    keys = [("J", _("next")), ("K", _("previous"))]
    if fate in CARDS:
        keys += [("U", _("update")), ("F", _("fill blanks")), ("C", _("create anyway"))]
    if fate == Fate.REFUSED:
        return [*keys, ("Enter", _("repair the cell")), ("Esc", _("back to the row"))]
    return [*keys, ("X", _("leave out"))]


# -- what a person says ---------------------------------------------------------------------------


@require_POST
@signed_in
def row(request: HttpRequest, id: uuid.UUID, number: int) -> HttpResponse:
    """Decide about a row, or repair its cells; the row as it is judged now."""
    upload = visible(request, id)
    back = _back(request, upload)
    try:
        if "decision" in request.POST:
            flow.decide(upload, number, request.POST["decision"], by=request.user)
        else:
            flow.repair(upload, number, _cells(request), by=request.user)
    except (flow.NotNow, FileRefused, UploadGone) as error:
        messages.warning(request, error_text(error))
        return shell.moved(request, back)
    if not shell.is_part(request):
        return shell.moved(request, f"{back}#row-{number}")
    plan = found.plan_of(upload)
    shown = flow.rows_of(upload, by=request.user, after=number - 1, limit=1)
    tab = request.GET.get("fate", "")
    if plan is None or tab not in TABS or not shown or shown[0].number != number:
        raise RecordNotFound("import")
    columns = [int(text) for text in request.GET.get("columns", "").split(".") if text.isdecimal()]
    has_notes = "notes" in request.GET
    page = Rows(request, upload, shown, tab, columns=columns, has_notes=has_notes)
    cells = cell_context()
    reason = parse_qs(urlsplit(back).query).get("reason", [""])[0]
    context = {
        "row": page.row(shown[0]),
        "has_notes": has_notes,
        "is_table": page.is_table,
        "tabs": tabs(upload, plan, cells, tab),
        **_why(upload, plan, cells, tab, reason),
        "has_reasons": tab == Fate.REFUSED,
        "bar": importbar.bar(upload, cells),
        "here": back,
    }
    return shell.render(request, "imports/row_part.html", context)


def _cells(request: HttpRequest) -> dict[int, str]:
    return {
        int(index): text
        for name, text in request.POST.items()
        for prefix, _dash, index in [name.partition("-")]
        if prefix == "cell" and index.isdecimal() and len(index) < 6
    }


def _back(request: HttpRequest, upload: ImportFile) -> str:
    """The page of the plan that the row stands on."""
    url = reverse("import", args=[upload.pk])
    asked = local(request.POST.get("next", ""))
    return asked if asked and urlsplit(asked).path == url else url


@require_POST
@signed_in
def alike(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """One decision for all rows that are found to be the same."""
    upload = visible(request, id)
    fate, decision = request.POST.get("fate", ""), request.POST.get("decision", "")
    if fate not in TABS or (decision and decision not in Decision.values):
        raise RecordNotFound("import")
    try:
        over = "over" in request.POST
        number = flow.decide_all(upload, fate, decision, by=request.user, over=over)
        messages.success(request, _said_of_all(decision, number))
    except (flow.NotNow, FileRefused, UploadGone) as error:
        messages.warning(request, error_text(error))
    back = _back(request, upload)
    # The first page: the rows behind the last one that was seen may all be gone.
    where = parse_qs(urlsplit(back).query).get("fate", [""])[0]
    plan = found.plan_of(upload)
    still = plan is not None and plan.counts.get(where)
    return shell.moved(request, _address(upload, where) if still else urlsplit(back).path)


def _said_of_all(decision: str, number: int) -> str:
    values = {"n": cell_context().number(number)}
    if not decision:
        return ngettext("Taken back for %(n)s row.", "Taken back for %(n)s rows.", number) % values
    values["what"] = str(VERBS[Decision(decision)]).lower()
    return ngettext("%(n)s row: %(what)s.", "%(n)s rows: %(what)s.", number) % values


urlpatterns = [
    path("imports/<uuid:id>/rows/<row:number>/", row, name="import-row"),
    path("imports/<uuid:id>/alike/", alike, name="import-alike"),
]
