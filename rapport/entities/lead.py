"""Lead: somebody who may buy."""

from django.utils.translation import gettext_lazy as _

from rapport.actions import leads
from rapport.meta.entity import Command, Entity, Section, View
from rapport.meta.registry import registry
from rapport.models import Lead, reachability
from rapport.models.address import ADDRESS1
from rapport.models.lead import DISQUALIFIED, LEAD_STATES, OPEN

from .contact import derive
from .names import ADDRESS_ALIASES, NAME_PARTS, PERSON_ALIASES, WIRE_ADDRESS1, WIRE_OWNED

COLUMNS = ("full_name", "topic", "company", "status", "rating", "source", "created_at", "owner")

# What a qualified lead hands on: {target entity: {target field: lead field}}. Source: the
# reference product's default attribute maps; the phone goes where people look for it.
_ADDRESS = {name: name for name in ADDRESS1["address1"].parts}
_REACHABLE = {name: name for name in reachability.FIELDS}
MAPS = {
    "account": {
        "name": "company",
        "website": "website",
        "main_phone": "business_phone",
        "other_phone": "home_phone",
        "fax": "fax",
        "email": "email",
        "sic_code": "sic_code",
        "industry": "industry",
        "annual_revenue": "annual_revenue",
        "employees": "employees",
        "currency": "currency",
        "description": "description",
        **_ADDRESS,
        **_REACHABLE,
    },
    "contact": {
        "salutation": "salutation",
        "first_name": "first_name",
        "middle_name": "middle_name",
        "last_name": "last_name",
        "job_title": "job_title",
        "email": "email",
        "email2": "email2",
        "email3": "email3",
        "business_phone": "business_phone",
        "mobile_phone": "mobile_phone",
        "home_phone": "home_phone",
        "phone3": "other_phone",
        "fax": "fax",
        "website": "website",
        "description": "description",
        **_ADDRESS,
        **_REACHABLE,
    },
    "opportunity": {
        "topic": "topic",
        "budget": "budget",
        "budget_status": "budget_status",
        "need": "need",
        "purchase_timeframe": "purchase_timeframe",
        "purchase_process": "purchase_process",
        "decision_maker": "decision_maker",
        "initial_communication": "initial_communication",
        "estimated_revenue": "estimated_value",
        "estimated_close_date": "estimated_close_date",
        "rating": "rating",
        "currency": "currency",
        "email": "email",
        "qualification_comments": "qualification_comments",
        "description": "description",
    },
}

registry.add(
    Entity(
        model=Lead,
        name="lead",
        label=_("Lead"),
        label_plural=_("Leads"),
        icon="filter",
        menu=_("Sales"),
        wire_name="lead",
        wire_set="leads",
        code=4,
        title="full_name",
        columns=COLUMNS,
        quick=(
            "topic", "first_name", "last_name", "job_title", "company", "email", "business_phone",
            "mobile_phone", "source", "purchase_timeframe", "budget", "description",
        ),
        important=(
            "topic", "last_name", "company", "email", "business_phone", "source", "rating",
        ),
        facts=("source", "rating", "status", "owner"),
        cards=("account", "contact", "opportunity"),
        sections=(
            Section(
                label=_("Lead"),
                fields=(
                    "topic", "first_name", "last_name", "job_title", "email", "business_phone",
                    "mobile_phone", "source", "rating", "owner",
                ),
            ),
            Section(label=_("Company"), fields=("company", "website", "address1")),
            Section(
                label=_("Qualification"),
                fields=(
                    "purchase_timeframe", "budget", "budget_status", "need", "purchase_process",
                    "decision_maker", "estimated_value", "estimated_close_date",
                    "initial_communication", "account", "contact", "qualification_comments",
                ),
            ),
            Section(
                label=_("Company profile"),
                fields=("industry", "annual_revenue", "currency", "employees", "sic_code"),
                tab="details",
            ),
            Section(label=_("Description"), fields=("description",), tab="details"),
            Section(
                label=_("More ways to reach them"),
                fields=(
                    "salutation", "middle_name", "email2", "email3", "home_phone", "other_phone",
                    "fax",
                ),
                tab="details",
            ),
            Section(label=_("Contact preferences"), fields=reachability.FIELDS, tab="details"),
            Section(label=_("Outcome"), fields=("opportunity",), tab="details"),
        ),
        search=("full_name", "company", "topic", "email", "business_phone", "mobile_phone"),
        duplicates=(("email",), ("full_name", "company")),
        duplicates_otherwise=(("business_phone",), ("mobile_phone",)),
        addresses=ADDRESS1,
        has_timeline=True,
        mergeable=True,
        spare={
            "email": ("email2", "email3"),
            "email2": ("email3",),
            "business_phone": ("other_phone",),
            "mobile_phone": ("other_phone",),
            "home_phone": ("other_phone",),
        },
        maps=MAPS,
        aliases={
            **PERSON_ALIASES,
            **ADDRESS_ALIASES,
            "topic": ("Subject", "Interest", "Thema", "Betreff", "Sujet", "Asunto", "Deal"),
            "full_name": ("Name", "Full Name", "Contact Name", "Lead Name", "Lead"),
            "company": (
                "Company", "Account", "Account Name", "Organization", "Organisation", "Firma",
                "Unternehmen", "Société", "Entreprise", "Empresa", "Bedrijf", "companyname",
            ),
            "source": ("Source", "Origin", "Lead Origin", "Channel", "Herkunft", "LeadSource"),
            "rating": ("Lead Rating", "Temperature", "Bewertung"),
            "other_phone": ("Other Phone", "Telephone 3"),
            "annual_revenue": ("Revenue", "Turnover", "Umsatz", "AnnualRevenue"),
            "employees": ("Employees", "No. of Employees", "Mitarbeiter", "NumberOfEmployees"),
            "industry": ("Branche", "Sector", "Secteur"),
            "budget": ("Budget", "Estimated Budget"),
            "estimated_value": ("Estimated Value", "Value", "Amount"),
            "owner": ("Lead Owner", "Record Owner", "Besitzer", "Propriétaire"),
        },
        wire={
            **WIRE_OWNED,
            **WIRE_ADDRESS1,
            **reachability.WIRE,
            "topic": "subject",
            "salutation": "salutation",
            "first_name": "firstname",
            "middle_name": "middlename",
            "last_name": "lastname",
            "full_name": "fullname",
            "job_title": "jobtitle",
            "company": "companyname",
            "business_phone": "telephone1",
            "home_phone": "telephone2",
            "other_phone": "telephone3",
            "mobile_phone": "mobilephone",
            "fax": "fax",
            "email": "emailaddress1",
            "email2": "emailaddress2",
            "email3": "emailaddress3",
            "website": "websiteurl",
            "source": "leadsourcecode",
            "rating": "leadqualitycode",
            "industry": "industrycode",
            "sic_code": "sic",
            "currency": "transactioncurrencyid",
            "annual_revenue": "revenue",
            "employees": "numberofemployees",
            "budget": "budgetamount",
            "budget_status": "budgetstatus",
            "need": "need",
            "purchase_timeframe": "purchasetimeframe",
            "purchase_process": "purchaseprocess",
            "decision_maker": "decisionmaker",
            "initial_communication": "initialcommunication",
            "estimated_value": "estimatedamount",
            "estimated_close_date": "estimatedclosedate",
            "qualification_comments": "qualificationcomments",
            "description": "description",
            "account": "parentaccountid",
            "contact": "parentcontactid",
            "opportunity": "qualifyingopportunityid",
        },
        views=(
            View(
                key="my-open",
                label=_("My Open Leads"),
                where=(("state", "eq", 0), ("owner", "me", None)),
                default=True,
            ),
            View(key="open", label=_("Open Leads"), where=(("state", "eq", 0),)),
            View(key="closed", label=_("Closed Leads"), where=(("state", "ne", 0),)),
            View(
                key="this-week",
                label=_("Leads Opened This Week"),
                where=(("created_at", "this_week", None),),
                order=("-created_at",),
            ),
            View(key="all", label=_("All Leads")),
        ),
        commands=(
            Command(
                key="qualify",
                label=_("Qualify"),
                icon="circle-check-big",
                run=leads.qualify_leads,
                when=lambda lead: lead.state == OPEN,
                form="qualify",
                bulk=True,
                primary=True,
                separate=True,
            ),
            Command(
                key="disqualify",
                label=_("Disqualify"),
                icon="x",
                run=leads.disqualify_leads,
                when=lambda lead: lead.state == OPEN,
                choices=tuple(
                    (s.value, s.label) for s in LEAD_STATES.statuses if s.state == DISQUALIFIED
                ),
                bulk=True,
            ),
            Command(
                key="reactivate",
                label=_("Reactivate"),
                icon="undo-2",
                run=leads.reactivate_leads,
                when=lambda lead: lead.state != OPEN,
                bulk=True,
            ),
        ),
        derive=derive,
        derived_from=NAME_PARTS,
        prepare=leads.prepare_leads,
    )
)  # fmt: skip
