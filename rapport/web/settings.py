"""Settings: one's own, and for administrators people, the organisation and the system."""

from __future__ import annotations

import platform
import uuid
import zoneinfo
from collections.abc import Iterable
from functools import lru_cache, wraps
from typing import Any
from urllib.parse import urlencode

import django
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

import rapport
from rapport import access, limits
from rapport.actions import demo, jobs, people, profile, records, states
from rapport.jobs import health
from rapport.meta.registry import registry
from rapport.queries import people as found_people, system as about

from . import shell
from .cells import cell_context, moment_text
from .signin import PasswordForm, View, see_other, signed_in

# What health looks at, and how its grades are coloured.
CHECKS = {
    "database": gettext_lazy("Database"),
    "migrations": gettext_lazy("Migrations"),
    "disk": gettext_lazy("Disk"),
    "worker": gettext_lazy("Worker"),
}
TONES = {"ok": "ok", "warning": "warn", "failed": "bad"}


def administrator(view: View) -> View:
    """Only for administrators; other people read why not."""

    @signed_in
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not access.is_administrator(request.user):
            raise access.Forbidden("settings")
        return view(request, *args, **kwargs)

    return guarded


def _refused(form: forms.Form, error: records.InvalidRecord) -> None:
    """Put what an action said on the fields that it meant."""
    for name, found in error.errors.items():
        form.add_error(name if name in form.fields else None, found)


# -- one's own -------------------------------------------------------------------------------------


@lru_cache
def _zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """Time zones by region, as a select shows them."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zoneinfo.available_timezones()):
        region, _slash, city = name.partition("/")
        if city and region not in {"Etc", "SystemV", "US", "Brazil", "Canada", "Chile", "Mexico"}:
            regions.setdefault(region, []).append((name, city.replace("_", " ")))
    return [("UTC", [("UTC", "UTC")]), *regions.items()]


class ProfileForm(forms.Form):
    """What people change about themselves."""

    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=50, required=False)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=50)
    job_title = forms.CharField(label=gettext_lazy("Job title"), max_length=100, required=False)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=50, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        like_browser = [("", _("Like the browser"))]
        self.fields["language"].choices = [*like_browser, *settings.LANGUAGES]
        self.fields["time_zone"].choices = [*like_browser, *_zones()]


class PresentForm(forms.Form):
    """The present password, before something that nobody else may do."""

    present = forms.CharField(
        label=gettext_lazy("Present password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ChangeForm(PasswordForm, PresentForm):
    """The present password and a new one."""

    field_order = ("present", "password", "again")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["password"].label = _("New password")
        self.fields["again"].label = _("New password again")


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """Name, language, time zone, theme and password of whoever asks."""
    if request.method != "POST":
        return _me(request)
    form = ProfileForm(request.POST)
    if form.is_valid():
        try:
            profile.update_profile(request.user, form.cleaned_data)
        except records.InvalidRecord as error:
            _refused(form, error)
        else:
            messages.success(request, _("Saved."))
            return see_other(reverse("me"))
    return _me(request, profile=form)


@sensitive_post_parameters("present", "password", "again")
@sensitive_variables("form")
@signed_in
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """A new password for oneself; other sessions end."""
    limits.check(request, "password", per_minute=10)
    form = ChangeForm(request.POST, user=request.user, auto_id="password_%s")
    if form.is_valid() and _change(request, form, form.cleaned_data["password"]):
        messages.success(request, _("Your password is changed. Other devices are signed out."))
        return see_other(reverse("me"))
    return _me(request, password=form)


@sensitive_post_parameters("present")
@sensitive_variables("form")
@signed_in
@require_POST
def sessions(request: HttpRequest) -> HttpResponse:
    """End all other sessions: the same password stored anew makes them void."""
    limits.check(request, "password", per_minute=10)
    form = PresentForm(request.POST, auto_id="sessions_%s")
    if form.is_valid() and _change(request, form, form.cleaned_data["present"]):
        messages.success(request, _("Other devices are signed out."))
        return see_other(reverse("me"))
    return _me(request, sessions=form)


def _change(request: HttpRequest, form: forms.Form, wanted: str) -> bool:
    try:
        profile.change_password(request.user, present=form.cleaned_data["present"], wanted=wanted)
    except profile.WrongPassword:
        form.add_error("present", _("This is not your present password."))
        return False
    zone = request.session.get("time_zone", "")
    update_session_auth_hash(request, request.user)
    request.session["time_zone"] = zone
    return True


def _me(request: HttpRequest, **posted: forms.Form) -> HttpResponse:
    user = request.user
    initial = {name: getattr(user, name) for name in profile.OWN_FIELDS}
    context = {
        "profile": ProfileForm(initial=initial),
        "password": ChangeForm(user=user, auto_id="password_%s"),
        "sessions": PresentForm(auto_id="sessions_%s"),
        "zone": timezone.get_current_timezone_name(),
        "language": translation.get_language_info(translation.get_language())["name_local"],
        **posted,
    }
    status = 422 if posted else 200
    return shell.render(request, "settings/me.html", context, status=status)


# -- the organisation and the system --------------------------------------------------------------


class OrganisationForm(forms.Form):
    """How the organisation is called."""

    name = forms.CharField(label=gettext_lazy("Name of the organisation"), max_length=160)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Where settings are; the organisation's name is here for administrators."""
    if not access.is_administrator(request.user):
        if request.method == "POST":
            raise access.Forbidden("settings")
        return shell.render(request, "settings/index.html", {"cards": [_my_card()]})
    form = OrganisationForm(
        request.POST if request.method == "POST" else None,
        initial={"name": people.organisation()},
    )
    if form.is_valid():
        try:
            people.rename_organisation(form.cleaned_data["name"], by=request.user)
        except records.InvalidRecord as error:
            _refused(form, error)
        else:
            messages.success(request, _("Saved."))
            return see_other(reverse("settings"))
    context = {
        "cards": [_my_card(), *_cards()],
        "organisation": form,
        "demo": demo.is_loaded(),
        "system": _system(),
    }
    status = 422 if form.is_bound else 200
    return shell.render(request, "settings/index.html", context, status=status)


@administrator
@require_POST
def remove_demo(request: HttpRequest) -> HttpResponse:
    """Take the demo data away, in the background."""
    job = jobs.enqueue("demo.remove", {}, by=request.user, label=_("Remove demo data"), total=1)
    return see_other(reverse("job", args=[job.pk]))


def _my_card() -> dict[str, Any]:
    return {
        "url": reverse("me"),
        "icon": "user-round",
        "title": _("My settings"),
        "text": _("Name, language, time zone, theme, password"),
    }


def _cards() -> Iterable[dict[str, Any]]:
    yield {
        "url": reverse("people"),
        "icon": "users",
        "title": _("People and access"),
        "text": _("Invite colleagues, give them roles and teams"),
    }
    yield {
        "url": reverse("duplicate-rules"),
        "icon": "copy",
        "title": _("Duplicate rules"),
        "text": _("When two records are the same"),
    }
    yield {
        "url": reverse("choice-lists"),
        "icon": "list-checks",
        "title": _("Choice lists"),
        "text": _("Add options to industries, lead sources and the like"),
    }
    texts = {
        "user": _("All users as a list"),
        "team": _("Users who own records together"),
        "business_unit": _("The parts of the organisation, as a tree"),
        "role": _("Sets of rights, and how far each reaches"),
    }
    for name, text in texts.items():
        yield {
            "url": reverse("list", args=[name]),
            "icon": registry[name].icon,
            "title": registry[name].label_plural,
            "text": text,
        }


def _system() -> list[tuple[Any, str, str]]:
    """(label, value, tone) of what is worth knowing."""
    found = about.system()
    waiting = ngettext("%(n)s job is waiting", "%(n)s jobs are waiting", found.waiting)
    return [
        (_("Rapport"), rapport.__version__, ""),
        *((CHECKS.get(one.name, one.name), one.text, TONES[one.grade]) for one in health.quick()),
        (_("System jobs"), waiting % {"n": found.waiting}, ""),
        (_("Active users"), str(found.users), ""),
        (_("Size of the database"), f"{filesizeformat(found.bytes)} ({found.database})", ""),
        (_("Python, Django"), f"{platform.python_version()}, {django.get_version()}", ""),
        (_("Data folder"), str(settings.HOME), ""),
    ]


# -- people --------------------------------------------------------------------------------------


class InviteForm(forms.Form):
    """A colleague to be."""

    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=50, required=False)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=50)
    email = forms.EmailField(label=gettext_lazy("Email"), max_length=100)
    job_title = forms.CharField(label=gettext_lazy("Job title"), max_length=100, required=False)


@administrator
def list_people(request: HttpRequest) -> HttpResponse:
    """Everybody who may sign in, with their roles."""
    find = request.GET.get("q", "").strip()[:100]
    page = _page(request.GET.get("page", ""))
    found, more = found_people.colleagues(request.user, find=find, page=page)
    cells = cell_context()
    rows = [
        {
            "url": reverse("person", args=[one.id]),
            "one": one,
            "initials": shell.initials(one.name),
            "hue": shell.hue(one.name),
            "roles": ", ".join(one.roles),
            "seen": one.last_sign_in
            and moment_text(timezone.localtime(one.last_sign_in), cells.language),
        }
        for one in found
    ]
    pages = {
        "previous_url": f"?{urlencode({'q': find, 'page': page - 1})}" if page > 1 else "",
        "next_url": f"?{urlencode({'q': find, 'page': page + 1})}" if more else "",
    }
    context = {"rows": rows, "find": find, **pages}
    return shell.render(request, "settings/people.html", context)


def _page(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1


@administrator
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """A new user: name, roles, teams; the answer shows a one-time link to hand over."""
    form = InviteForm(request.POST if request.method == "POST" else None)
    chosen = _chosen(request)
    if form.is_valid():
        try:
            user, secret = people.invite_user(form.cleaned_data, **chosen, by=request.user)
        except records.InvalidRecord as error:
            _refused(form, error)
        else:
            return _link(request, user, secret, people.INVITED_FOR, status=201)
    choices = found_people.choices(request.user)
    if request.method != "POST":
        chosen["roles"] = {one.id for one in choices.roles if one.key == "salesperson"}
    context = {"form": form, "roles": choices.roles, "teams": choices.teams, "chosen": chosen}
    status = 422 if form.is_bound else 200
    return shell.render(request, "settings/invite.html", context, status=status)


@administrator
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Roles and teams of one user."""
    found = _person(request, id)
    errors: list[str] = []
    chosen = None
    if request.method == "POST":
        chosen = _chosen(request)
        try:
            people.set_access(found.user, **chosen, by=request.user)
        except records.InvalidRecord as error:
            errors = error.messages
        else:
            messages.success(request, _("Saved."))
            return see_other(reverse("person", args=[id]))
    context = {
        "one": found,
        "chosen": chosen or _held(found),
        "errors": errors,
        "self": found.user.pk == request.user.pk,
        "initials": shell.initials(str(found.user)),
        "hue": shell.hue(str(found.user)),
        "record_url": cell_context().address("user", id),
    }
    status = 422 if errors else 200
    return shell.render(request, "settings/person.html", context, status=status)


@administrator
@require_POST
def link(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """A one-time link for somebody who forgot the password or is locked out."""
    found = _person(request, id)
    secret = people.send_link(id, by=request.user)
    return _link(request, found.user, secret, people.LINK_FOR, status=201)


@administrator
@require_POST
def active(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Let somebody sign in no more, or again."""
    found = _person(request, id)
    run = states.deactivate if found.user.is_active else states.activate
    outcome = run("user", [id], by=request.user)
    if outcome.refused:
        messages.error(request, " ".join(outcome.refused.values()))
    elif found.user.is_active:
        messages.success(request, _("Deactivated and signed out everywhere."))
    else:
        messages.success(request, _("Active again."))
    return see_other(reverse("person", args=[id]))


def _person(request: HttpRequest, id: uuid.UUID) -> found_people.Access:
    found = found_people.access_of(id, request.user)
    if found is None:
        raise records.RecordNotFound("user")
    return found


def _chosen(request: HttpRequest) -> dict[str, set[uuid.UUID]]:
    """Ids of the ticked roles and teams; what is no id cannot come from our form."""
    return {name: set(_ids(request.POST.getlist(name))) for name in ("roles", "teams")}


def _ids(texts: Iterable[str]) -> Iterable[uuid.UUID]:
    for text in texts:
        try:
            yield uuid.UUID(text)
        except ValueError:
            raise records.RecordNotFound(text) from None


def _held(found: found_people.Access) -> dict[str, set[uuid.UUID]]:
    return {
        "roles": {one.id for one in found.roles if one.held},
        "teams": {one.id for one in found.teams if one.held},
    }


def _link(request: HttpRequest, user: Any, secret: str, hours: int, *, status: int) -> HttpResponse:
    """Shows a link. The page is the answer to the post: it cannot be opened again."""
    context = {
        "who": user,
        "link": request.build_absolute_uri(reverse("welcome", args=[secret])),
        "days": round(hours / 24),
    }
    return shell.render(request, "settings/link.html", context, status=status)


urlpatterns = [
    path("me/", me, name="me"),
    path("me/password/", password, name="my-password"),
    path("me/sessions/", sessions, name="my-sessions"),
    path("settings/", index, name="settings"),
    path("settings/demo/remove/", remove_demo, name="remove-demo"),
    path("settings/people/", list_people, name="people"),
    path("settings/people/invite/", invite, name="invite"),
    path("settings/people/<uuid:id>/", person, name="person"),
    path("settings/people/<uuid:id>/link/", link, name="person-link"),
    path("settings/people/<uuid:id>/active/", active, name="person-active"),
]
