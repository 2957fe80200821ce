"""What makes records alike, which pairs look alike, and how the quality of the data went."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import LongTextColumn, NumberColumn, TextColumn, YesNoColumn
from rapport.meta.states import States, Status

from .record import Record

INACTIVE, ACTIVE = 0, 1
RULE_STATES = States(
    states={ACTIVE: _("Active"), INACTIVE: _("Inactive")},
    statuses=(
        Status(value=2, label=_("Published"), state=ACTIVE, default=True, tone="ok"),
        Status(value=0, label=_("Unpublished"), state=INACTIVE, default=True),
    ),
    transitions=frozenset({(INACTIVE, ACTIVE), (ACTIVE, INACTIVE)}),
)


class DuplicateRule(Record):
    """When two records are the same. `definition` is the JSON of a `duplicates.rules.Rule`.

    Rules that ship stand in the code; a row with their `builtin` key takes the place of one.
    """

    STATES = RULE_STATES

    name = TextColumn(_("Name"), 160, required=True)
    builtin = TextColumn(_("Built in"), 60, editable=False)
    base_entity = TextColumn(_("Base record type"), 32, required=True)
    matching_entity = TextColumn(_("Matching record type"), 32, required=True)
    case_sensitive = YesNoColumn(_("Case-sensitive"))
    exclude_inactive = YesNoColumn(_("Exclude inactive matching records"))
    threshold = NumberColumn(_("Threshold (%)"), maximum=100)
    definition = LongTextColumn(_("Conditions"), 50_000)

    def __str__(self) -> str:
        return self.name


class LearnedWeights(models.Model):
    """What agreement and difference of each value say, learned from the records themselves.

    `rule`: its key. `weights`: JSON of a `duplicates.weights.Weights`. Operational, not journalled.
    """

    rule = models.CharField(max_length=80, primary_key=True)
    weights = models.JSONField()
    learned_at = models.DateTimeField()


class PairStatus(models.TextChoices):
    """What people decided about two records that look alike."""

    OPEN = "open", _("To review")
    LATER = "later", _("Later")
    DIFFERENT = "different", _("Not a duplicate")
    MERGED = "merged", _("Merged")


class DuplicatePair(models.Model):
    """Two records that look alike: the queue, and what was decided. Operational, not journalled.

    Of one entity the smaller id comes first; of two, the entity whose name comes first.
    `confidence`: percent. `weight`: evidence in bits, the order of the queue. `reasons`: JSON list
    of what agrees and differs. `effort`: values on which the two differ, so that somebody must
    choose.
    """

    id = models.BigAutoField(primary_key=True)
    first_entity = models.CharField(max_length=32)
    first = models.UUIDField()
    second_entity = models.CharField(max_length=32)
    second = models.UUIDField()
    rule = models.CharField(max_length=80)
    confidence = models.SmallIntegerField()
    weight = models.FloatField(default=0)
    effort = models.SmallIntegerField(default=0)
    reasons = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=PairStatus.choices, default=PairStatus.OPEN)
    found_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="one_pair")]
        indexes = [
            models.Index(fields=["status", "first_entity", "-weight", "id"], name="pair_by_status"),
            models.Index(fields=["second"], name="pair_by_second"),
        ]


class RadarState(models.Model):
    """How far the radar has read. `entity`: what it looks at. `change`: the last change of the
    journal that it took in. Operational, not journalled."""

    entity = models.CharField(max_length=32, primary_key=True)
    change = models.BigIntegerField(default=0)
    scanned_at = models.DateTimeField(null=True)
    figures = models.JSONField(default=dict)


class QualityFigure(models.Model):
    """One measure of the data on one day: `number` of `total` records. Operational."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    entity = models.CharField(max_length=32)
    measure = models.CharField(max_length=60)
    number = models.PositiveBigIntegerField()
    total = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "entity", "measure"], name="one_figure_a_day")
        ]
