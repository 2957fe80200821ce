"""Users, teams, business units, roles and shares: declared like everything else."""

from django.utils.translation import gettext_lazy as _

from rapport import access
from rapport.actions import people
from rapport.actions.states import state_commands
from rapport.meta.entity import Command, Entity, Related, Section, View
from rapport.meta.field import Pointer
from rapport.meta.registry import registry
from rapport.models import (
    BusinessUnit,
    Membership,
    Role,
    RoleAssignment,
    RoleGrant,
    Share,
    Team,
    User,
)

from .contact import derive
from .names import NAME_PARTS, WIRE_SYSTEM

SETTINGS = _("Settings")
SHAREABLE = (
    "account", "contact", "lead", "opportunity", "activity", "task", "phone_call", "appointment",
    "email", "note", "saved_view",
)  # fmt: skip

registry.add(
    Entity(
        model=User,
        name="user",
        label=_("User"),
        label_plural=_("Users"),
        icon="user-round",
        menu=SETTINGS,
        wire_name="systemuser",
        wire_set="systemusers",
        code=8,
        title="full_name",
        columns=("full_name", "email", "job_title", "business_unit", "status"),
        quick=("first_name", "last_name", "email", "job_title", "business_unit"),
        facts=("business_unit", "status"),
        sections=(
            Section(
                label=_("User"),
                fields=(
                    "first_name", "last_name", "email", "job_title", "phone", "business_unit",
                    "language", "time_zone",
                ),
            ),
        ),
        search=("full_name", "email"),
        duplicates=(("email",),),
        wire={
            **WIRE_SYSTEM,
            "first_name": "firstname",
            "last_name": "lastname",
            "full_name": "fullname",
            "email": "internalemailaddress",
            "job_title": "title",
            "phone": "address1_telephone1",
            "business_unit": "businessunitid",
        },
        views=(
            View(key="active", label=_("Active Users"), where=(("state", "eq", 0),), default=True),
            View(key="all", label=_("All Users")),
        ),
        related=(
            Related(label=_("Teams"), entity="membership", field="user", columns=("team",)),
            Related(
                label=_("Roles"), entity="role_assignment", field="principal", columns=("role",)
            ),
        ),
        commands=(
            Command(
                key="access",
                label=_("Roles and sign-in"),
                icon="user-round-check",
                run=people.set_access,
                form="access",
            ),
            *state_commands("user"),
        ),
        ownership="organisation",
        importable=False,
        deletable=False,
        principal=True,
        derive=derive,
        derived_from=NAME_PARTS,
        prepare=people.prepare_users,
    )
)  # fmt: skip
registry.add(
    Entity(
        model=Team,
        name="team",
        label=_("Team"),
        label_plural=_("Teams"),
        icon="users",
        menu=SETTINGS,
        wire_name="team",
        wire_set="teams",
        code=9,
        title="name",
        columns=("name", "business_unit", "description"),
        quick=("name", "business_unit", "description"),
        sections=(Section(label=_("Team"), fields=("name", "business_unit", "description")),),
        search=("name",),
        wire={
            **WIRE_SYSTEM,
            "name": "name",
            "business_unit": "businessunitid",
            "description": "description",
        },
        views=(View(key="all", label=_("All Teams"), default=True),),
        related=(
            Related(label=_("Members"), entity="membership", field="team", columns=("user",)),
            Related(
                label=_("Roles"), entity="role_assignment", field="principal", columns=("role",)
            ),
        ),
        principal=True,
        ownership="organisation",
        importable=False,
    )
)
registry.add(
    Entity(
        model=BusinessUnit,
        name="business_unit",
        label=_("Business unit"),
        label_plural=_("Business units"),
        icon="briefcase",
        menu=SETTINGS,
        wire_name="businessunit",
        wire_set="businessunits",
        code=10,
        title="name",
        columns=("name", "parent_unit"),
        quick=("name", "parent_unit"),
        sections=(Section(label=_("Business unit"), fields=("name", "parent_unit")),),
        search=("name",),
        wire={**WIRE_SYSTEM, "name": "name", "parent_unit": "parentbusinessunitid"},
        views=(View(key="all", label=_("All Business Units"), default=True),),
        related=(
            Related(
                label=_("Users"),
                entity="user",
                field="business_unit",
                columns=("full_name", "email"),
            ),
            Related(label=_("Teams"), entity="team", field="business_unit", columns=("name",)),
            Related(
                label=_("Units below"),
                entity="business_unit",
                field="parent_unit",
                columns=("name",),
            ),
        ),
        hierarchy="parent_unit",
        ownership="organisation",
        importable=False,
    )
)
registry.add(
    Entity(
        model=Role,
        name="role",
        label=_("Role"),
        label_plural=_("Roles"),
        icon="list-checks",
        menu=SETTINGS,
        wire_name="role",
        wire_set="roles",
        code=1036,
        title="name",
        columns=("name", "builtin", "description"),
        quick=("name", "description"),
        sections=(Section(label=_("Role"), fields=("name", "description", "builtin")),),
        search=("name",),
        wire={**WIRE_SYSTEM, "name": "name", "description": "description", "builtin": "builtin"},
        views=(View(key="all", label=_("All Roles"), default=True),),
        related=(
            Related(
                label=_("Rights"),
                entity="role_grant",
                field="role",
                columns=("entity", "verb", "depth"),
            ),
            Related(
                label=_("Users and teams"),
                entity="role_assignment",
                field="role",
                columns=("principal",),
            ),
        ),
        ownership="organisation",
        importable=False,
        prepare=people.prepare_roles,
    )
)
registry.add(
    Entity(
        model=RoleGrant,
        name="role_grant",
        label=_("Right"),
        label_plural=_("Rights"),
        icon="check",
        title="entity",
        wire_name="roleprivilege",
        wire_set="roleprivileges",
        columns=("role", "entity", "verb", "depth"),
        quick=("role", "entity", "verb", "depth"),
        sections=(Section(label=_("Right"), fields=("role", "entity", "verb", "depth")),),
        wire={
            **WIRE_SYSTEM,
            "role": "roleid",
            "entity": "entity",
            "verb": "verb",
            "depth": "privilegedepthmask",
        },
        views=(View(key="all", label=_("All Rights"), default=True),),
        ownership="organisation",
        importable=False,
        in_search=False,
        prepare=people.prepare_grants,
    )
)
registry.add(
    Entity(
        model=Membership,
        name="membership",
        label=_("Team member"),
        label_plural=_("Team members"),
        icon="users",
        title="user",
        wire_name="teammembership",
        wire_set="teammemberships",
        columns=("team", "user"),
        quick=("team", "user"),
        sections=(Section(label=_("Team member"), fields=("team", "user")),),
        wire={**WIRE_SYSTEM, "team": "teamid", "user": "systemuserid"},
        views=(View(key="all", label=_("All Team Members"), default=True),),
        ownership="organisation",
        importable=False,
        in_search=False,
    )
)
registry.add(
    Entity(
        model=RoleAssignment,
        name="role_assignment",
        label=_("Role of a user or team"),
        label_plural=_("Roles of users and teams"),
        icon="user-round-check",
        title="role",
        wire_name="systemuserroles",
        wire_set="systemuserrolescollection",
        columns=("principal", "role"),
        quick=("principal", "role"),
        sections=(Section(label=_("Role"), fields=("principal", "role")),),
        wire={**WIRE_SYSTEM, "principal": "principalid", "role": "roleid"},
        views=(View(key="all", label=_("All Role Assignments"), default=True),),
        ownership="organisation",
        importable=False,
        in_search=False,
    )
)
registry.add(
    Entity(
        model=Share,
        name="share",
        label=_("Share"),
        label_plural=_("Shares"),
        icon="users",
        title="principal",
        wire_name="principalobjectaccess",
        wire_set="principalobjectaccessset",
        code=11,
        columns=("record", "principal", "can_write", "can_delete", "can_assign", "can_share"),
        sections=(
            Section(
                label=_("Share"),
                fields=(
                    "record",
                    "principal",
                    "can_write",
                    "can_delete",
                    "can_assign",
                    "can_share",
                ),
            ),
        ),
        pointers={"record": Pointer(label=_("Record"), targets=SHAREABLE, required=True)},
        # Made by `actions.shares` alone: to share is a right of its own.
        read_only=frozenset({"record", "principal", *access.SHARED.values()}),
        creatable=False,
        deletable=False,
        wire={**WIRE_SYSTEM, "record": "objectid", "principal": "principalid"},
        views=(View(key="all", label=_("All Shares"), default=True),),
        ownership="parent",
        parent="record",
        importable=False,
        in_hub=False,
        in_search=False,
    )
)
