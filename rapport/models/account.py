"""Accounts: companies."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import (
    ChoiceColumn,
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

from .address import FirstAddress, SecondAddress
from .choices import Industry, PaymentTerms, PreferredDay, PreferredTime
from .reachability import Reachable
from .record import OwnedRecord, list_indexes


class Category(models.IntegerChoices):
    """Category of an account."""

    PREFERRED = 1, _("Preferred Customer")
    STANDARD = 2, _("Standard")


class RelationshipType(models.IntegerChoices):
    """What the company is to us."""

    COMPETITOR = 1, _("Competitor")
    CONSULTANT = 2, _("Consultant")
    CUSTOMER = 3, _("Customer")
    INVESTOR = 4, _("Investor")
    PARTNER = 5, _("Partner")
    INFLUENCER = 6, _("Influencer")
    PRESS = 7, _("Press")
    PROSPECT = 8, _("Prospect")
    RESELLER = 9, _("Reseller")
    SUPPLIER = 10, _("Supplier")
    VENDOR = 11, _("Vendor")
    OTHER = 12, _("Other")


class LegalOwnership(models.IntegerChoices):
    """Who owns the company."""

    PUBLIC = 1, _("Public")
    PRIVATE = 2, _("Private")
    SUBSIDIARY = 3, _("Subsidiary")
    OTHER = 4, _("Other")


def default_currency() -> str:
    """The currency of the installation, an ISO 4217 code."""
    return settings.CURRENCY


class Account(FirstAddress, SecondAddress, Reachable, OwnedRecord):
    """A company."""

    name = TextColumn(_("Account name"), 160, required=True)
    number = TextColumn(_("Account number"), 20)
    parent_account = Link(_("Parent account"), "rapport.Account")
    primary_contact = Link(_("Primary contact"), "rapport.Contact")
    main_phone = PhoneColumn(_("Main phone"), 50)
    other_phone = PhoneColumn(_("Other phone"), 50)
    phone3 = PhoneColumn(_("Third phone"), 50)
    fax = PhoneColumn(_("Fax"), 50)
    website = UrlColumn(_("Website"), 200)
    email = EmailColumn(_("Email"), 100)
    email2 = EmailColumn(_("Second email"), 100)
    email3 = EmailColumn(_("Third email"), 100)
    industry = ChoiceColumn(_("Industry"), Industry, grows="industry")
    category = ChoiceColumn(_("Category"), Category)
    relationship_type = ChoiceColumn(
        _("Relationship type"), RelationshipType, grows="relationship_type"
    )
    legal_ownership = ChoiceColumn(_("Ownership"), LegalOwnership, grows="legal_ownership")
    sic_code = TextColumn(_("SIC code"), 20)
    ticker_symbol = TextColumn(_("Ticker symbol"), 10)
    stock_exchange = TextColumn(_("Stock exchange"), 20)
    currency = TextColumn(_("Currency"), 3, default=default_currency)
    annual_revenue = MoneyColumn(_("Annual revenue"))
    market_capitalization = MoneyColumn(_("Market capitalization"))
    employees = NumberColumn(_("Number of employees"))
    credit_limit = MoneyColumn(_("Credit limit"))
    credit_hold = YesNoColumn(_("Credit hold"))
    payment_terms = ChoiceColumn(_("Payment terms"), PaymentTerms, grows="payment_terms")
    preferred_day = ChoiceColumn(_("Preferred day"), PreferredDay)
    preferred_time = ChoiceColumn(_("Preferred time"), PreferredTime)
    description = LongTextColumn(_("Description"), 2000)
    originating_lead = Link(_("Originating lead"), "rapport.Lead")

    class Meta:
        indexes = list_indexes(
            "account", "parent_account", "primary_contact", "originating_lead", numbers=("number",)
        )

    def __str__(self) -> str:
        return self.name
