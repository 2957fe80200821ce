"""Opportunity: a deal."""

from django.utils.translation import gettext_lazy as _

from rapport.actions import opportunities
from rapport.meta.entity import Command, Entity, Section, View
from rapport.meta.registry import registry
from rapport.models import Opportunity
from rapport.models.opportunity import LOST, OPEN, OPPORTUNITY_STATES

from .names import PERSON_ALIASES, WIRE_OWNED

COLUMNS = (
    "topic", "account", "contact", "estimated_close_date", "estimated_revenue", "probability",
    "rating", "status", "owner",
)  # fmt: skip

registry.add(
    Entity(
        model=Opportunity,
        name="opportunity",
        label=_("Opportunity"),
        label_plural=_("Opportunities"),
        icon="chart-no-axes-column-increasing",
        menu=_("Sales"),
        wire_name="opportunity",
        wire_set="opportunities",
        code=3,
        title="topic",
        columns=COLUMNS,
        quick=(
            "topic", "account", "contact", "estimated_revenue", "estimated_close_date",
            "probability", "purchase_timeframe", "budget", "customer_need",
        ),
        important=(
            "topic", "account", "contact", "estimated_revenue", "estimated_close_date",
            "sales_stage", "probability",
        ),
        facts=("estimated_close_date", "estimated_revenue", "status", "owner"),
        cards=("account", "contact"),
        sections=(
            Section(
                label=_("Opportunity"),
                fields=(
                    "topic", "account", "contact", "sales_stage", "probability", "rating",
                    "estimated_revenue", "currency", "estimated_close_date", "owner",
                ),
            ),
            Section(
                label=_("Customer"),
                fields=(
                    "purchase_timeframe", "purchase_process", "budget", "budget_status", "need",
                    "decision_maker", "email", "initial_communication",
                ),
            ),
            Section(
                label=_("Solution"),
                fields=(
                    "current_situation", "customer_need", "proposed_solution",
                    "qualification_comments", "description",
                ),
                tab="details",
            ),
            Section(
                label=_("Outcome"),
                fields=("actual_revenue", "actual_close_date", "originating_lead"),
                tab="details",
            ),
        ),
        search=("topic", "account", "contact", "email"),
        # A deal stays itself when its contact changes.
        duplicates=(("account", "topic"), ("contact", "topic")),
        has_timeline=True,
        aliases={
            "topic": ("Name", "Deal Name", "Opportunity Name", "Opportunity", "Subject", "Thema",
                      "Deal", "Verkaufschance", "Projekt"),
            "account": ("Company", "Account Name", "Company Name", "Customer", "Firma", "Kunde",
                        "Unternehmen"),
            "contact": ("Contact Name", "Primary Contact", "Person", "Contact Person",
                        "Primary Contact Name"),
            "estimated_revenue": ("Amount", "Value", "Estimated Revenue", "Deal Value"),
            "estimated_close_date": ("Close Date", "Expected Close Date", "Estimated Close Date"),
            "sales_stage": ("Stage", "Deal Stage", "Pipeline Phase"),
            "probability": ("Probability (%)",),
            "owner": ("Opportunity Owner", "Deal Owner"),
            "email": PERSON_ALIASES["email"],
            "description": PERSON_ALIASES["description"],
        },
        wire={
            **WIRE_OWNED,
            "topic": "name",
            "account": "parentaccountid",
            "contact": "parentcontactid",
            "sales_stage": "salesstage",
            "rating": "opportunityratingcode",
            "probability": "closeprobability",
            "currency": "transactioncurrencyid",
            "estimated_revenue": "estimatedvalue",
            "estimated_close_date": "estimatedclosedate",
            "actual_revenue": "actualvalue",
            "actual_close_date": "actualclosedate",
            "budget": "budgetamount",
            "budget_status": "budgetstatus",
            "need": "need",
            "purchase_timeframe": "purchasetimeframe",
            "purchase_process": "purchaseprocess",
            "decision_maker": "decisionmaker",
            "initial_communication": "initialcommunication",
            "email": "emailaddress",
            "current_situation": "currentsituation",
            "customer_need": "customerneed",
            "proposed_solution": "proposedsolution",
            "qualification_comments": "qualificationcomments",
            "description": "description",
            "originating_lead": "originatingleadid",
        },
        read_only=frozenset({"originating_lead"}),
        views=(
            View(
                key="my-open",
                label=_("My Open Opportunities"),
                where=(("state", "eq", 0), ("owner", "me", None)),
                order=("estimated_close_date",),
                default=True,
            ),
            View(key="open", label=_("Open Opportunities"), where=(("state", "eq", 0),)),
            View(key="closed", label=_("Closed Opportunities"), where=(("state", "ne", 0),)),
            View(key="won", label=_("Won Opportunities"), where=(("state", "eq", 1),)),
            View(key="lost", label=_("Lost Opportunities"), where=(("state", "eq", 2),)),
            View(
                key="next-month",
                label=_("Opportunities Closing Next Month"),
                where=(("state", "eq", 0), ("estimated_close_date", "next_month", None)),
            ),
            View(key="all", label=_("All Opportunities")),
        ),
        commands=(
            Command(
                key="win",
                label=_("Close as won"),
                icon="circle-check-big",
                run=opportunities.win_opportunities,
                when=lambda deal: deal.state == OPEN,
                form="win",
                bulk=True,
                primary=True,
            ),
            Command(
                key="lose",
                label=_("Close as lost"),
                icon="x",
                run=opportunities.lose_opportunities,
                when=lambda deal: deal.state == OPEN,
                choices=tuple(
                    (s.value, s.label) for s in OPPORTUNITY_STATES.statuses if s.state == LOST
                ),
                bulk=True,
            ),
            Command(
                key="reopen",
                label=_("Reopen"),
                icon="undo-2",
                run=opportunities.reopen_opportunities,
                when=lambda deal: deal.state != OPEN,
                bulk=True,
            ),
        ),
        prepare=opportunities.prepare_opportunities,
    )
)  # fmt: skip
