"""Signing in and out, the door of every page, and one-time links."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from axes.utils import reset
from django import forms
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from rapport import limits
from rapport.actions import people, records
from rapport.models import User

from . import shell

BACKEND = "django.contrib.auth.backends.ModelBackend"
WRONG = gettext_lazy("This e-mail address and password do not belong together.")
View = Callable[..., HttpResponse]


def signed_in(view: View) -> View:
    """Only for people who are signed in; others go to the sign-in page and come back later."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        return _to_sign_in(request)

    return guarded


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    htmx = request.headers.get("HX-Request") == "true"
    # The page around a part, or the form behind a post: those can be opened again.
    again = not htmx and request.method in {"GET", "HEAD"}
    back = local(request.get_full_path() if again else shell.page_before(request))
    url = reverse("sign-in")
    if back not in {"", "/"}:
        url = f"{url}?{urlencode({'next': back})}"
    if htmx:
        return HttpResponse(status=401, headers={"HX-Redirect": url})
    return see_other(url)


def see_other(url: str) -> HttpResponse:
    """The answer to a post: look there."""
    return HttpResponseRedirect(url, status=303)


def local(url: str) -> str:
    """`url` when it is a path of this site, else ''."""
    inside = url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if inside else ""


# -- signing in and out ----------------------------------------------------------------------------


class SignInForm(forms.Form):
    """Address and password; `time_zone` is the browser's."""

    email = forms.CharField(
        label=gettext_lazy("Email"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    time_zone = forms.CharField(
        required=False,
        max_length=60,
        widget=forms.HiddenInput(attrs={"data-time-zone": True}),
    )


@sensitive_post_parameters("password")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page."""
    forward = local(request.POST.get("next") or request.GET.get("next") or "") or "/"
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(forward)
        nobody = people.first_administrator() is None
        return shell.render(
            request, "signin/signin.html", {"form": SignInForm(), "next": forward, "nobody": nobody}
        )
    limits.check(request, "sign-in", per_minute=60)
    form = SignInForm(request.POST)
    if form.is_valid():
        user = authenticate(
            request,
            username=form.cleaned_data["email"].strip().lower(),
            password=form.cleaned_data["password"],
        )
        if user is not None:
            _begin(request, user, form.cleaned_data["time_zone"])
            return see_other(forward)
        form.add_error(None, WRONG)
    return shell.render(request, "signin/signin.html", {"form": form, "next": forward}, status=422)


def _begin(request: HttpRequest, user: Any, time_zone: str) -> None:
    """A new session with a new key; it knows the browser's time zone."""
    login(request, user, backend=BACKEND)
    request.session["time_zone"] = time_zone


def locked_out(
    request: HttpRequest, _response: HttpResponse, _credentials: Mapping[str, Any]
) -> HttpResponse:
    """What somebody reads who typed wrong passwords too often (called by axes)."""
    minutes = round(settings.AXES_COOLOFF_TIME * 60)
    return shell.render(request, "signin/locked.html", {"minutes": minutes}, status=429)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends this session."""
    logout(request)
    return see_other(reverse("sign-in"))


# -- one-time links --------------------------------------------------------------------------------


class PasswordForm(forms.Form):
    """A new password, twice; `user` (may be unsaved) is whom it must not resemble."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=1000,
        strip=False,
        help_text=gettext_lazy("At least 10 characters: a few words that belong only to you."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("Password again"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.user = user

    def whose(self) -> User | None:
        """Whom the password is for."""
        return self.user

    def clean(self) -> dict[str, Any]:
        """Both the same, and hard to guess."""
        values = super().clean() or self.cleaned_data
        password, again = values.get("password"), values.get("again")
        if password and again and password != again:
            self.add_error("again", _("The two passwords are not the same."))
        elif password:
            try:
                validate_password(password, self.whose())
            except ValidationError as error:
                self.add_error("password", error)
        return values


class LinkForm(PasswordForm):
    """Choosing a password after a one-time link."""

    time_zone = SignInForm.base_fields["time_zone"]


class FirstForm(LinkForm):
    """The first administrator and the name of the organisation."""

    organisation = forms.CharField(
        label=gettext_lazy("Organisation"),
        max_length=160,
        widget=forms.TextInput(attrs={"autocomplete": "organization", "autofocus": True}),
    )
    first_name = forms.CharField(
        label=gettext_lazy("First name"),
        max_length=50,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        label=gettext_lazy("Last name"),
        max_length=50,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("Email"),
        max_length=100,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    field_order = ("organisation", "first_name", "last_name", "email", "password", "again")

    def person(self) -> dict[str, str]:
        """The values of the user."""
        return {n: self.cleaned_data.get(n, "") for n in ("first_name", "last_name", "email")}

    def whose(self) -> User:
        """The administrator to be."""
        return User(**self.person())


@sensitive_post_parameters("password", "again")
@sensitive_variables("form", "secret")
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, secret: str) -> HttpResponse:
    """What a one-time link opens: make the first administrator, or choose a password."""
    limits.check(request, "welcome", per_minute=30)
    posted = request.POST if request.method == "POST" else None
    try:
        user = people.link_user(secret)
        form: LinkForm = LinkForm(posted, user=user) if user else FirstForm(posted)
        if form.is_valid():
            values = form.person() if isinstance(form, FirstForm) else None
            used = people.use_link(
                secret,
                password=form.cleaned_data["password"],
                values=values,
                organisation=form.cleaned_data.get("organisation", ""),
            )
            # Who was locked out and got a link from an administrator may come in at once.
            reset(username=used.email)
            _begin(request, used, form.cleaned_data["time_zone"])
            return see_other(reverse("home"))
    except people.LinkUsed:
        return shell.render(request, "signin/used.html", status=410)
    except records.InvalidRecord as error:
        for name, found in error.errors.items():
            form.add_error(name if name in form.fields else None, found)
    context = {"form": form, "who": user}
    return shell.render(request, "signin/welcome.html", context, status=422 if posted else 200)


urlpatterns = [
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-out/", sign_out, name="sign-out"),
    path("welcome/<str:secret>/", welcome, name="welcome"),
]
