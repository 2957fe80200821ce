"""Who uses Rapport: users, teams, business units, roles and shares."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import (
    ChoiceColumn,
    EmailColumn,
    Link,
    PhoneColumn,
    TextColumn,
    YesNoColumn,
)

from .record import Record


class BusinessUnit(Record):
    """A part of the organisation; units form a tree with one root."""

    name = TextColumn(_("Name"), 160, required=True)
    parent_unit = Link(_("Parent unit"), "rapport.BusinessUnit", on_delete=models.PROTECT)

    def __str__(self) -> str:
        return self.name


class Principal(models.Model):
    """A user or a team as owner of records: same id, kept by the writer, never journalled."""

    IS_PRINCIPAL = True

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=4, choices=[("user", _("User")), ("team", _("Team"))])
    name = models.CharField(max_length=200)
    unit = models.ForeignKey(BusinessUnit, models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Finds a user by the address that signs in, in whatever case it is typed."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username or "")


class User(AbstractBaseUser, Record):
    """Somebody who signs in."""

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    email = EmailColumn(_("Email"), 100, required=True, unique=True)
    first_name = TextColumn(_("First name"), 50)
    last_name = TextColumn(_("Last name"), 50, required=True)
    full_name = TextColumn(_("Full name"), 160, editable=False)
    job_title = TextColumn(_("Job title"), 100)
    phone = PhoneColumn(_("Phone"), 50)
    business_unit = Link(_("Business unit"), BusinessUnit, null=False, on_delete=models.PROTECT)
    language = TextColumn(_("Language"), 10)
    time_zone = TextColumn(_("Time zone"), 60)

    objects = UserManager()

    def __str__(self) -> str:
        return self.full_name or self.email

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Whether the user may sign in."""
        return self.state == 0


class Team(Record):
    """Users who own records together."""

    name = TextColumn(_("Name"), 160, required=True)
    business_unit = Link(_("Business unit"), BusinessUnit, null=False, on_delete=models.PROTECT)
    description = TextColumn(_("Description"), 500)

    def __str__(self) -> str:
        return self.name


class Membership(Record):
    """A user in a team."""

    team = Link(_("Team"), Team, null=False, on_delete=models.CASCADE)
    user = Link(_("User"), User, null=False, on_delete=models.CASCADE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="one_membership_per_user")
        ]


class Role(Record):
    """A named set of rights. Those with a `builtin` key are kept by Rapport itself."""

    name = TextColumn(_("Name"), 160, required=True)
    builtin = TextColumn(_("Built in"), 40, editable=False)
    description = TextColumn(_("Description"), 500)

    def __str__(self) -> str:
        return self.name


class Verb(models.TextChoices):
    """What can be done to records."""

    CREATE = "create", _("Create")
    READ = "read", _("Read")
    WRITE = "write", _("Write")
    DELETE = "delete", _("Delete")
    ASSIGN = "assign", _("Assign")
    SHARE = "share", _("Share")
    IMPORT = "import", _("Import")
    EXPORT = "export", _("Export")
    MERGE = "merge", _("Merge")
    ADMINISTER = "administer", _("Administer")


class Depth(models.IntegerChoices):
    """How far a right reaches; a larger one includes the smaller."""

    NONE = 0, _("None")
    OWN = 1, _("Own")
    UNIT = 2, _("Business unit")
    BELOW = 4, _("Unit and below")
    ALL = 8, _("All")


class RoleGrant(Record):
    """One right of a role: a verb on an entity ('*' for every one), to a depth."""

    role = Link(_("Role"), Role, null=False, on_delete=models.CASCADE)
    entity = TextColumn(_("Entity"), 32, required=True)
    verb = TextColumn(_("Verb"), 16, required=True)
    depth = ChoiceColumn(_("Depth"), Depth, null=False, blank=False, default=Depth.OWN)


class RoleAssignment(Record):
    """A role of a user or of a team; a team's roles count for its members."""

    principal = models.ForeignKey(
        Principal, models.CASCADE, related_name="+", verbose_name=_("User or team")
    )
    role = Link(_("Role"), Role, null=False, on_delete=models.CASCADE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["principal", "role"], name="one_assignment_per_role")
        ]


class Share(Record):
    """Rights on one record for a user or a team besides its owner."""

    record_entity = models.CharField(max_length=32)
    record_id = models.UUIDField()
    principal = models.ForeignKey(
        Principal, models.CASCADE, related_name="+", verbose_name=_("User or team")
    )
    can_write = YesNoColumn(_("May change"))
    can_delete = YesNoColumn(_("May delete"))
    can_assign = YesNoColumn(_("May assign"))
    can_share = YesNoColumn(_("May share"))

    class Meta:
        indexes = [
            models.Index(fields=["principal", "record_entity"], name="share_by_principal"),
            models.Index(fields=["record_id"], name="share_by_record"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["record_entity", "record_id", "principal"], name="one_share_per_principal"
            )
        ]
