"""Contacts: people, each of at most one account."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import (
    ChoiceColumn,
    DateColumn,
    EmailColumn,
    Link,
    LongTextColumn,
    NumberColumn,
    PhoneColumn,
    TextColumn,
    UrlColumn,
)

from .address import FirstAddress, SecondAddress
from .choices import PreferredDay, PreferredTime
from .reachability import Reachable
from .record import OwnedRecord, list_indexes


class AccountRole(models.IntegerChoices):
    """The part a person plays in buying."""

    DECISION_MAKER = 1, _("Decision Maker")
    EMPLOYEE = 2, _("Employee")
    INFLUENCER = 3, _("Influencer")


class DecisionInfluence(models.IntegerChoices):
    """How a person acts on a decision."""

    DECISION_MAKER = 0, _("Decision maker")
    INFLUENCER = 1, _("Influencer")
    BLOCKER = 2, _("Blocker")
    UNKNOWN = 3, _("Unknown")


class Gender(models.IntegerChoices):
    """Gender, as the reference product keeps it."""

    MALE = 1, _("Male")
    FEMALE = 2, _("Female")


class FamilyStatus(models.IntegerChoices):
    """Marital status."""

    SINGLE = 1, _("Single")
    MARRIED = 2, _("Married")
    DIVORCED = 3, _("Divorced")
    WIDOWED = 4, _("Widowed")


class Contact(FirstAddress, SecondAddress, Reachable, OwnedRecord):
    """A person."""

    salutation = TextColumn(_("Salutation"), 100)
    first_name = TextColumn(_("First name"), 50)
    middle_name = TextColumn(_("Middle name"), 50)
    last_name = TextColumn(_("Last name"), 50, required=True)
    suffix = TextColumn(_("Suffix"), 10)
    full_name = TextColumn(_("Full name"), 160, editable=False)
    nickname = TextColumn(_("Nickname"), 100)
    job_title = TextColumn(_("Job title"), 100)
    account = Link(_("Company name"), "rapport.Account", on_delete=models.PROTECT)
    department = TextColumn(_("Department"), 100)
    role = ChoiceColumn(_("Role"), AccountRole, grows="account_role")
    decision_influence = ChoiceColumn(_("Decision influence"), DecisionInfluence)
    manager = Link(_("Reports to"), "rapport.Contact")
    manager_name = TextColumn(_("Manager"), 100)
    manager_phone = PhoneColumn(_("Manager phone"), 50)
    assistant_name = TextColumn(_("Assistant"), 100)
    assistant_phone = PhoneColumn(_("Assistant phone"), 50)
    email = EmailColumn(_("Email"), 100)
    email2 = EmailColumn(_("Second email"), 100)
    email3 = EmailColumn(_("Third email"), 100)
    business_phone = PhoneColumn(_("Business phone"), 50)
    business_phone2 = PhoneColumn(_("Business phone 2"), 50)
    mobile_phone = PhoneColumn(_("Mobile phone"), 50)
    home_phone = PhoneColumn(_("Home phone"), 50)
    phone3 = PhoneColumn(_("Third phone"), 50)
    fax = PhoneColumn(_("Fax"), 50)
    website = UrlColumn(_("Website"), 200)
    gender = ChoiceColumn(_("Gender"), Gender)
    family_status = ChoiceColumn(_("Marital status"), FamilyStatus)
    spouse_name = TextColumn(_("Spouse or partner"), 100)
    children_names = TextColumn(_("Names of children"), 255)
    children_count = NumberColumn(_("Number of children"))
    birthday = DateColumn(_("Birthday"))
    anniversary = DateColumn(_("Anniversary"))
    employee_id = TextColumn(_("Employee"), 50)
    external_id = TextColumn(_("External user identifier"), 50)
    preferred_day = ChoiceColumn(_("Preferred day"), PreferredDay)
    preferred_time = ChoiceColumn(_("Preferred time"), PreferredTime)
    description = LongTextColumn(_("Description"), 2000)
    originating_lead = Link(_("Originating lead"), "rapport.Lead")

    class Meta:
        indexes = list_indexes(
            "contact", "account", "manager", "originating_lead",
            numbers=("employee_id", "external_id"),
        )  # fmt: skip

    def __str__(self) -> str:
        return self.full_name
