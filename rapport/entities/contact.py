"""Contact: a person."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from rapport.actions.states import state_commands
from rapport.meta.entity import Entity, Related, Section, View
from rapport.meta.registry import registry
from rapport.models import Contact, reachability
from rapport.models.address import ADDRESSES

from .names import (
    ADDRESS_ALIASES,
    NAME_PARTS,
    PERSON_ALIASES,
    WIRE_ADDRESS,
    WIRE_OWNED,
    full_name,
)

COLUMNS = ("full_name", "email", "account", "business_phone", "job_title", "address1_city", "owner")


def derive(values: Mapping[str, Any]) -> dict[str, Any]:
    """The full name out of its parts."""
    return {"full_name": full_name(values)}


registry.add(
    Entity(
        model=Contact,
        name="contact",
        label=_("Contact"),
        label_plural=_("Contacts"),
        icon="contact-round",
        menu=_("Customers"),
        wire_name="contact",
        wire_set="contacts",
        code=2,
        title="full_name",
        columns=COLUMNS,
        quick=(
            "first_name", "last_name", "job_title", "account", "email", "business_phone",
            "mobile_phone", "role", "address1_line1", "address1_postal_code", "address1_city",
            "description",
        ),
        important=(
            "first_name", "last_name", "job_title", "account", "email", "business_phone",
            "address1_city", "address1_country",
        ),
        facts=("job_title", "role", "status", "owner"),
        cards=("account",),
        sections=(
            Section(
                label=_("Contact information"),
                fields=(
                    "salutation", "first_name", "last_name", "job_title", "account", "email",
                    "business_phone", "mobile_phone", "role", "owner",
                ),
            ),
            Section(label=_("Address"), fields=("address1",)),
            Section(
                label=_("At work"),
                fields=(
                    "department", "decision_influence", "manager", "manager_name",
                    "manager_phone", "assistant_name", "assistant_phone", "employee_id",
                ),
                tab="details",
            ),
            Section(
                label=_("More ways to reach them"),
                fields=(
                    "email2", "email3", "business_phone2", "home_phone", "phone3", "fax", "website",
                ),
                tab="details",
            ),
            Section(
                label=_("Personal"),
                fields=(
                    "middle_name", "suffix", "nickname", "gender", "family_status", "spouse_name",
                    "children_names", "children_count", "birthday", "anniversary", "external_id",
                ),
                tab="details",
            ),
            Section(label=_("Description"), fields=("description",), tab="details"),
            Section(label=_("Second address"), fields=("address2",), tab="details"),
            Section(
                label=_("Contact preferences"),
                fields=(*reachability.FIELDS, "preferred_day", "preferred_time"),
                tab="details",
            ),
            Section(label=_("Origin"), fields=("originating_lead",), tab="details"),
        ),
        search=("full_name", "email", "account", "business_phone", "mobile_phone"),
        duplicates=(("email",), ("full_name", "account")),
        numbers=("employee_id", "external_id"),
        addresses=ADDRESSES,
        hierarchy="manager",
        has_timeline=True,
        mergeable=True,
        spare={
            "email": ("email2", "email3"),
            "email2": ("email3",),
            "business_phone": ("business_phone2", "phone3"),
            "mobile_phone": ("phone3", "business_phone2"),
            "home_phone": ("phone3",),
            "business_phone2": ("phone3",),
            "address1": ("address2",),
        },
        aliases={
            **PERSON_ALIASES,
            **ADDRESS_ALIASES,
            "full_name": ("Name", "Full Name", "Display Name", "Contact", "Contact Name", "Person",
                          "Vollständiger Name", "Nom complet"),
            "account": (
                "Company", "Company Name", "Account", "Account Name", "Organization",
                "Organisation", "Firma", "Unternehmen", "Employer", "Société", "Entreprise",
                "Empresa", "Bedrijf", "Organization Name", "Organization 1 - Name", "Customer",
            ),
            "business_phone2": ("Business Phone 2", "Telephone 2", "Phone 2 - Value"),
            "department": ("Abteilung", "Service", "Departamento", "Organization Department"),
            "birthday": ("Birth Date", "Birthdate", "Date of Birth", "DOB", "Geburtstag",
                         "Geburtsdatum", "Date de naissance"),
            "nickname": ("Nick",),
            "manager_name": ("Manager's Name",),
            "assistant_name": ("Assistant's Name",),
            "assistant_phone": ("Assistant's Phone",),
            "spouse_name": ("Spouse",),
            "children_names": ("Children",),
            "gender": ("Sex", "Geschlecht"),
            "role": ("Account Role",),
            "owner": ("Contact Owner", "Record Owner", "Besitzer", "Propriétaire"),
            "address2_line1": ("Home Street", "Other Street", "Home Address"),
            "address2_line2": ("Home Street 2", "Home Address 2"),
            "address2_city": ("Home City", "Other City"),
            "address2_state_or_province": ("Home State", "Other State"),
            "address2_postal_code": ("Home Postal Code", "Home ZipCode", "Other Postal Code"),
            "address2_country": ("Home Country/Region", "Home Country", "Other Country/Region"),
        },
        wire={
            **WIRE_OWNED,
            **WIRE_ADDRESS,
            **reachability.WIRE,
            "salutation": "salutation",
            "first_name": "firstname",
            "middle_name": "middlename",
            "last_name": "lastname",
            "suffix": "suffix",
            "full_name": "fullname",
            "nickname": "nickname",
            "job_title": "jobtitle",
            "account": "parentcustomerid",
            "department": "department",
            "role": "accountrolecode",
            "decision_influence": "msdyn_decisioninfluencetag",
            "manager": "parent_contactid",
            "manager_name": "managername",
            "manager_phone": "managerphone",
            "assistant_name": "assistantname",
            "assistant_phone": "assistantphone",
            "email": "emailaddress1",
            "email2": "emailaddress2",
            "email3": "emailaddress3",
            "business_phone": "telephone1",
            "business_phone2": "business2",
            "mobile_phone": "mobilephone",
            "home_phone": "telephone2",
            "phone3": "telephone3",
            "fax": "fax",
            "website": "websiteurl",
            "gender": "gendercode",
            "family_status": "familystatuscode",
            "spouse_name": "spousesname",
            "children_names": "childrensnames",
            "children_count": "numberofchildren",
            "birthday": "birthdate",
            "anniversary": "anniversary",
            "employee_id": "employeeid",
            "external_id": "externaluseridentifier",
            "preferred_day": "preferredappointmentdaycode",
            "preferred_time": "preferredappointmenttimecode",
            "description": "description",
            "originating_lead": "originatingleadid",
        },
        read_only=frozenset({"originating_lead"}),
        views=(
            View(
                key="my-active",
                label=_("My Active Contacts"),
                where=(("state", "eq", 0), ("owner", "me", None)),
                default=True,
            ),
            View(key="active", label=_("Active Contacts"), where=(("state", "eq", 0),)),
            View(
                key="decision-makers",
                label=_("Decision Makers"),
                where=(("state", "eq", 0), ("role", "eq", 1)),
                columns=("full_name", "job_title", "account", "email", "business_phone", "owner"),
            ),
            View(key="inactive", label=_("Inactive Contacts"), where=(("state", "eq", 1),)),
            View(key="all", label=_("All Contacts"), columns=(*COLUMNS, "status")),
        ),
        related=(
            Related(
                label=_("Opportunities"),
                entity="opportunity",
                field="contact",
                columns=("topic", "estimated_revenue", "estimated_close_date", "status"),
                prefill={"account": "account"},
            ),
            Related(
                label=_("Reports"),
                entity="contact",
                field="manager",
                columns=("full_name", "job_title"),
                prefill={"account": "account"},
            ),
            Related(
                label=_("Leads"),
                entity="lead",
                field="contact",
                columns=("full_name", "topic", "status"),
            ),
        ),
        commands=state_commands("contact"),
        derive=derive,
        derived_from=NAME_PARTS,
    )
)  # fmt: skip
