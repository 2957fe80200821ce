"""Account: a company."""

from django.utils.translation import gettext_lazy as _

from rapport.actions.states import state_commands
from rapport.meta.entity import Entity, Related, Section, View
from rapport.meta.registry import registry
from rapport.models import Account, reachability
from rapport.models.address import ADDRESSES

from .names import ADDRESS_ALIASES, PERSON_ALIASES, WIRE_ADDRESS, WIRE_OWNED

COLUMNS = ("name", "main_phone", "address1_city", "primary_contact", "email", "owner")

registry.add(
    Entity(
        model=Account,
        name="account",
        label=_("Account"),
        label_plural=_("Accounts"),
        icon="building-2",
        menu=_("Customers"),
        wire_name="account",
        wire_set="accounts",
        code=1,
        title="name",
        columns=COLUMNS,
        quick=(
            "name", "main_phone", "primary_contact", "annual_revenue", "employees", "website",
            "address1_line1", "address1_postal_code", "address1_city", "description",
        ),
        important=(
            "name", "main_phone", "email", "website", "industry", "address1_city",
            "address1_country", "primary_contact",
        ),
        facts=("annual_revenue", "employees", "status", "owner"),
        sections=(
            Section(
                label=_("Account information"),
                fields=(
                    "name", "number", "main_phone", "email", "website", "parent_account",
                    "primary_contact", "relationship_type", "owner",
                ),
            ),
            Section(label=_("Address"), fields=("address1",)),
            Section(
                label=_("Company profile"),
                fields=(
                    "industry", "category", "annual_revenue", "currency", "employees",
                    "legal_ownership", "sic_code", "ticker_symbol", "stock_exchange",
                    "market_capitalization",
                ),
                tab="details",
            ),
            Section(label=_("Description"), fields=("description",), tab="details"),
            Section(
                label=_("More ways to reach them"),
                fields=("other_phone", "phone3", "fax", "email2", "email3"),
                tab="details",
            ),
            Section(label=_("Second address"), fields=("address2",), tab="details"),
            Section(
                label=_("Contact preferences"),
                fields=(*reachability.FIELDS, "preferred_day", "preferred_time"),
                tab="details",
            ),
            Section(
                label=_("Billing"),
                fields=("credit_limit", "payment_terms", "credit_hold"),
                tab="details",
            ),
            Section(label=_("Origin"), fields=("originating_lead",), tab="details"),
        ),
        search=("name", "number", "email", "main_phone", "address1_city"),
        duplicates=(("email",), ("name",)),
        numbers=("number",),
        addresses=ADDRESSES,
        hierarchy="parent_account",
        has_timeline=True,
        mergeable=True,
        spare={
            "email": ("email2", "email3"),
            "email2": ("email3",),
            "main_phone": ("other_phone", "phone3"),
            "other_phone": ("phone3",),
            "address1": ("address2",),
        },
        aliases={
            **ADDRESS_ALIASES,
            "name": (
                "Company", "Company Name", "Account", "Name", "Organization", "Organisation",
                "Firma", "Firmenname", "Unternehmen", "Société", "Entreprise", "Empresa", "Bedrijf",
                "Organization Name", "Organization 1 - Name", "Customer", "Kunde", "Customer Name",
                "Business Name", "companyname",
            ),
            "number": ("Account No", "Customer Number", "Kundennummer", "Account ID", "Customer ID",
                       "AccountNumber", "No."),
            "main_phone": PERSON_ALIASES["business_phone"],
            "fax": PERSON_ALIASES["fax"],
            "website": PERSON_ALIASES["website"],
            "email": PERSON_ALIASES["email"],
            "email2": PERSON_ALIASES["email2"],
            "email3": PERSON_ALIASES["email3"],
            "industry": ("Branche", "Sector", "Secteur"),
            "annual_revenue": ("Revenue", "Turnover", "Umsatz", "Jahresumsatz", "AnnualRevenue",
                               "Chiffre d'affaires"),
            "employees": ("Employees", "No. of Employees", "Mitarbeiter", "NumberOfEmployees",
                          "Employee Count", "Effectif"),
            "relationship_type": ("Type", "Account Type", "Customer Type"),
            "parent_account": ("Parent Company", "Parent", "Konzern"),
            "primary_contact": ("Contact Person", "Ansprechpartner", "Main Contact"),
            "owner": ("Account Owner", "Record Owner", "Besitzer", "Propriétaire"),
            "description": PERSON_ALIASES["description"],
            "ticker_symbol": ("Ticker",),
            "sic_code": ("SIC",),
        },
        wire={
            **WIRE_OWNED,
            **WIRE_ADDRESS,
            **reachability.WIRE,
            "name": "name",
            "number": "accountnumber",
            "parent_account": "parentaccountid",
            "primary_contact": "primarycontactid",
            "main_phone": "telephone1",
            "other_phone": "telephone2",
            "phone3": "telephone3",
            "fax": "fax",
            "website": "websiteurl",
            "email": "emailaddress1",
            "email2": "emailaddress2",
            "email3": "emailaddress3",
            "industry": "industrycode",
            "category": "accountcategorycode",
            "relationship_type": "customertypecode",
            "legal_ownership": "ownershipcode",
            "sic_code": "sic",
            "ticker_symbol": "tickersymbol",
            "stock_exchange": "stockexchange",
            "currency": "transactioncurrencyid",
            "annual_revenue": "revenue",
            "market_capitalization": "marketcap",
            "employees": "numberofemployees",
            "credit_limit": "creditlimit",
            "credit_hold": "creditonhold",
            "payment_terms": "paymenttermscode",
            "preferred_day": "preferredappointmentdaycode",
            "preferred_time": "preferredappointmenttimecode",
            "description": "description",
            "originating_lead": "originatingleadid",
        },
        read_only=frozenset({"originating_lead"}),
        views=(
            View(
                key="my-active",
                label=_("My Active Accounts"),
                where=(("state", "eq", 0), ("owner", "me", None)),
                default=True,
            ),
            View(key="active", label=_("Active Accounts"), where=(("state", "eq", 0),)),
            View(key="inactive", label=_("Inactive Accounts"), where=(("state", "eq", 1),)),
            View(key="all", label=_("All Accounts"), columns=(*COLUMNS, "status")),
        ),
        related=(
            Related(
                label=_("Contacts"),
                entity="contact",
                field="account",
                columns=("full_name", "job_title", "role", "email", "business_phone"),
                prefill={
                    "business_phone": "main_phone",
                    "address1_line1": "address1_line1",
                    "address1_postal_code": "address1_postal_code",
                    "address1_city": "address1_city",
                    "address1_country": "address1_country",
                },
            ),
            Related(
                label=_("Decision makers"),
                entity="contact",
                field="account",
                columns=("full_name", "job_title", "email", "business_phone"),
                where=(("role", "eq", 1),),
            ),
            Related(
                label=_("Opportunities"),
                entity="opportunity",
                field="account",
                columns=("topic", "estimated_revenue", "estimated_close_date", "status"),
            ),
            Related(
                label=_("Child accounts"),
                entity="account",
                field="parent_account",
                columns=("name", "address1_city", "main_phone"),
            ),
            Related(
                label=_("Leads"),
                entity="lead",
                field="account",
                columns=("full_name", "topic", "status"),
            ),
        ),
        commands=state_commands("account"),
    )
)  # fmt: skip
