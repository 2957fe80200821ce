"""Counting how good the data is: by the clock, and when somebody asks."""

import pytest
from django.utils import timezone

from rapport.actions import jobs
from rapport.jobs import quality
from rapport.jobs.clock import DUTIES, Clock
from rapport.models import QualityFigure
from rapport.queries import quality as declared
from tests.factories import make_lead

pytestmark = pytest.mark.django_db

EVERY = {pair for step in declared.steps() for pair in step.measures}


def counted():
    return declared.measured(timezone.localdate())


def test_the_clock_counts_each_figure_once_a_day():
    quality.count_day(patience=0)
    begun = counted()
    quality.count_day(patience=60)
    lead = make_lead(email="Eva@acme.com")
    quality.count_day(patience=60)

    assert begun < EVERY == counted()
    assert not QualityFigure.objects.filter(entity="lead", number__gt=0).exists(), lead


def test_the_clock_begins_with_pages_not_with_figures():
    Clock([duty for duty in DUTIES if duty.name == "count quality"]).tick()

    assert counted() == set()


def test_who_asks_gets_all_of_it_anew(admin, work_off):
    quality.count_day(patience=60)
    make_lead(email="Eva@acme.com")

    job = work_off(jobs.enqueue("quality.count", {}, by=admin, label="Count"), turns=200)

    assert (job.state, job.progress, job.total) == ("done", job.total, len(declared.steps()))
    figure = QualityFigure.objects.get(entity="lead", measure="email.untidy")
    assert (figure.number, figure.total) == (1, 1)
