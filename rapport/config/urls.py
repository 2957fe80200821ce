"""All addresses, and the pages for errors."""

from django.urls import include, path

urlpatterns = [
    path("api/", include("rapport.api.urls")),
    path("", include("rapport.web.urls")),
]

handler400 = "rapport.web.errors.bad_request"
handler403 = "rapport.web.errors.forbidden"
handler404 = "rapport.web.errors.not_found"
handler500 = "rapport.web.errors.server_error"
