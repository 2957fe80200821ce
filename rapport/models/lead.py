"""Leads: people or companies that may become customers."""

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
    PhoneColumn,
    TextColumn,
    UrlColumn,
    YesNoColumn,
)
from rapport.meta.states import States, Status

from .account import default_currency
from .address import FirstAddress
from .choices import BudgetStatus, Industry, Need, PurchaseProcess, PurchaseTimeframe, Rating
from .reachability import Reachable
from .record import OwnedRecord, list_indexes

OPEN, QUALIFIED, DISQUALIFIED = 0, 1, 2
LEAD_STATES = States(
    states={OPEN: _("Open"), QUALIFIED: _("Qualified"), DISQUALIFIED: _("Disqualified")},
    statuses=(
        Status(value=1, label=_("New"), state=OPEN, default=True, tone="info"),
        Status(value=2, label=_("Contacted"), state=OPEN, tone="info"),
        Status(value=3, label=_("Qualified"), state=QUALIFIED, default=True, tone="ok"),
        Status(value=4, label=_("Lost"), state=DISQUALIFIED),
        Status(value=5, label=_("Cannot Contact"), state=DISQUALIFIED),
        Status(value=6, label=_("No Longer Interested"), state=DISQUALIFIED),
        Status(value=7, label=_("Canceled"), state=DISQUALIFIED, default=True),
    ),
    transitions=frozenset({(OPEN, DISQUALIFIED), (QUALIFIED, OPEN), (DISQUALIFIED, OPEN)}),
    reserved={(OPEN, QUALIFIED): "qualify"},
)


class LeadSource(models.IntegerChoices):
    """Where a lead came from."""

    ADVERTISEMENT = 1, _("Advertisement")
    EMPLOYEE_REFERRAL = 2, _("Employee Referral")
    EXTERNAL_REFERRAL = 3, _("External Referral")
    PARTNER = 4, _("Partner")
    PUBLIC_RELATIONS = 5, _("Public Relations")
    SEMINAR = 6, _("Seminar")
    TRADE_SHOW = 7, _("Trade Show")
    WEB = 8, _("Web")
    WORD_OF_MOUTH = 9, _("Word of Mouth")
    OTHER = 10, _("Other")


class InitialCommunication(models.IntegerChoices):
    """Whether somebody has spoken to them."""

    CONTACTED = 0, _("Contacted")
    NOT_CONTACTED = 1, _("Not Contacted")


class Lead(FirstAddress, Reachable, OwnedRecord):
    """Somebody who may buy."""

    STATES = LEAD_STATES

    topic = TextColumn(_("Topic"), 300)
    salutation = TextColumn(_("Salutation"), 100)
    first_name = TextColumn(_("First name"), 50)
    middle_name = TextColumn(_("Middle name"), 50)
    last_name = TextColumn(_("Last name"), 50)
    full_name = TextColumn(_("Name"), 160, editable=False)
    job_title = TextColumn(_("Job title"), 100)
    company = TextColumn(_("Company name"), 160)
    business_phone = PhoneColumn(_("Business phone"), 50)
    home_phone = PhoneColumn(_("Home phone"), 50)
    other_phone = PhoneColumn(_("Other phone"), 50)
    mobile_phone = PhoneColumn(_("Mobile phone"), 50)
    fax = PhoneColumn(_("Fax"), 50)
    email = EmailColumn(_("Email"), 100)
    email2 = EmailColumn(_("Second email"), 100)
    email3 = EmailColumn(_("Third email"), 100)
    website = UrlColumn(_("Website"), 200)
    source = ChoiceColumn(_("Lead source"), LeadSource, grows="lead_source")
    rating = ChoiceColumn(_("Rating"), Rating, default=Rating.WARM)
    industry = ChoiceColumn(_("Industry"), Industry, grows="industry")
    sic_code = TextColumn(_("SIC code"), 20)
    currency = TextColumn(_("Currency"), 3, default=default_currency)
    annual_revenue = MoneyColumn(_("Annual revenue"))
    employees = NumberColumn(_("Number of employees"), maximum=1_000_000)
    budget = MoneyColumn(_("Budget amount"))
    budget_status = ChoiceColumn(_("Budget"), BudgetStatus)
    need = ChoiceColumn(_("Need"), Need)
    purchase_timeframe = ChoiceColumn(_("Purchase timeframe"), PurchaseTimeframe)
    purchase_process = ChoiceColumn(_("Purchase process"), PurchaseProcess)
    decision_maker = YesNoColumn(_("Decision maker identified"))
    initial_communication = ChoiceColumn(_("Initial communication"), InitialCommunication)
    estimated_value = MoneyColumn(_("Est. value"))
    estimated_close_date = DateColumn(_("Est. close date"))
    qualification_comments = LongTextColumn(_("Qualification comments"), 2000)
    description = LongTextColumn(_("Description"), 2000)
    account = Link(_("Existing account"), "rapport.Account")
    contact = Link(_("Existing contact"), "rapport.Contact")
    opportunity = Link(_("Qualifying opportunity"), "rapport.Opportunity", editable=False)

    class Meta:
        indexes = list_indexes("lead", "account", "contact", "opportunity")

    def __str__(self) -> str:
        return self.full_name or self.company or self.topic

    @property
    def is_open(self) -> bool:
        """Whether it can still be qualified or disqualified."""
        return self.state == OPEN
