"""The list of an entity's records."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import path

from rapport.meta.entity import Entity


@login_required
def list_page(request: HttpRequest, entity: Entity) -> HttpResponse:
    return HttpResponse(str(entity.label_plural))


urlpatterns = [path("<entity:entity>/", list_page, name="list")]
