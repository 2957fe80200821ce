"""How a company or person may be reached: preferences and do-not flags."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import ChoiceColumn, YesNoColumn

from .choices import ContactMethod

FIELDS = (
    "preferred_contact_method",
    "do_not_email",
    "do_not_bulk_email",
    "do_not_phone",
    "do_not_fax",
    "do_not_mail",
)
WIRE = {
    "preferred_contact_method": "preferredcontactmethodcode",
    "do_not_email": "donotemail",
    "do_not_bulk_email": "donotbulkemail",
    "do_not_phone": "donotphone",
    "do_not_fax": "donotfax",
    "do_not_mail": "donotpostalmail",
}


class Reachable(models.Model):
    """Columns that say how somebody wants to be reached."""

    preferred_contact_method = ChoiceColumn(
        _("Preferred method of contact"), ContactMethod, default=ContactMethod.ANY
    )
    do_not_email = YesNoColumn(_("Do not e-mail"))
    do_not_bulk_email = YesNoColumn(_("Do not send bulk e-mail"))
    do_not_phone = YesNoColumn(_("Do not phone"))
    do_not_fax = YesNoColumn(_("Do not fax"))
    do_not_mail = YesNoColumn(_("Do not send mail"))

    class Meta:
        abstract = True
