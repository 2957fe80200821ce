"""Opportunities: deals."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import (
    ChoiceColumn,
    DateColumn,
    EmailColumn,
    Link,
    LongTextColumn,
    MoneyColumn,
    NumberColumn,
    TextColumn,
    YesNoColumn,
)
from rapport.meta.states import States, Status

from .account import default_currency
from .choices import BudgetStatus, Need, PurchaseProcess, PurchaseTimeframe, Rating
from .lead import InitialCommunication
from .record import OwnedRecord, list_indexes

OPEN, WON, LOST = 0, 1, 2
OPPORTUNITY_STATES = States(
    states={OPEN: _("Open"), WON: _("Won"), LOST: _("Lost")},
    statuses=(
        Status(value=1, label=_("In Progress"), state=OPEN, default=True, tone="info"),
        Status(value=2, label=_("On Hold"), state=OPEN, tone="warn"),
        Status(value=3, label=_("Won"), state=WON, default=True, tone="ok"),
        Status(value=4, label=_("Canceled"), state=LOST, default=True),
        Status(value=5, label=_("Out-Sold"), state=LOST),
    ),
    transitions=frozenset({(OPEN, WON), (OPEN, LOST), (WON, OPEN), (LOST, OPEN)}),
)


class SalesStage(models.IntegerChoices):
    """How far the deal has come."""

    QUALIFY = 0, _("Qualify")
    DEVELOP = 1, _("Develop")
    PROPOSE = 2, _("Propose")
    CLOSE = 3, _("Close")


class Opportunity(OwnedRecord):
    """A deal with an account or a contact."""

    STATES = OPPORTUNITY_STATES

    topic = TextColumn(_("Topic"), 300, required=True)
    account = Link(_("Account"), "rapport.Account", on_delete=models.PROTECT)
    contact = Link(_("Contact"), "rapport.Contact", on_delete=models.PROTECT)
    sales_stage = ChoiceColumn(_("Sales stage"), SalesStage, default=SalesStage.QUALIFY)
    rating = ChoiceColumn(_("Rating"), Rating, default=Rating.WARM)
    probability = NumberColumn(_("Probability"), maximum=100)
    currency = TextColumn(_("Currency"), 3, default=default_currency)
    estimated_revenue = MoneyColumn(_("Est. revenue"))
    estimated_close_date = DateColumn(_("Est. close date"))
    actual_revenue = MoneyColumn(_("Actual revenue"))
    actual_close_date = DateColumn(_("Actual close date"))
    budget = MoneyColumn(_("Budget amount"))
    budget_status = ChoiceColumn(_("Budget"), BudgetStatus)
    need = ChoiceColumn(_("Need"), Need)
    purchase_timeframe = ChoiceColumn(_("Purchase timeframe"), PurchaseTimeframe)
    purchase_process = ChoiceColumn(_("Purchase process"), PurchaseProcess)
    decision_maker = YesNoColumn(_("Decision maker identified"))
    initial_communication = ChoiceColumn(_("Initial communication"), InitialCommunication)
    email = EmailColumn(_("Email"), 100)
    current_situation = LongTextColumn(_("Current situation"), 2000)
    customer_need = LongTextColumn(_("Customer need"), 2000)
    proposed_solution = LongTextColumn(_("Proposed solution"), 2000)
    qualification_comments = LongTextColumn(_("Qualification comments"), 2000)
    description = LongTextColumn(_("Description"), 2000)
    originating_lead = Link(_("Originating lead"), "rapport.Lead")

    class Meta:
        indexes = list_indexes("opportunity", "account", "contact", "originating_lead")

    def __str__(self) -> str:
        return self.topic

    @property
    def is_open(self) -> bool:
        """Whether it is neither won nor lost."""
        return self.state == OPEN
