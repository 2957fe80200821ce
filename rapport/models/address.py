"""Postal addresses as plain columns of the record they belong to."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import TextColumn
from rapport.meta.field import Address

PARTS = ("line1", "line2", "line3", "postal_code", "city", "state_or_province", "country")


def parts(prefix: str) -> tuple[str, ...]:
    """Field names of the address `prefix`."""
    return tuple(f"{prefix}_{part}" for part in PARTS)


ADDRESS1 = {"address1": Address(label=_("Address"), parts=parts("address1"))}
ADDRESSES = {
    **ADDRESS1,
    "address2": Address(label=_("Second address"), parts=parts("address2")),
}


class FirstAddress(models.Model):
    """The main address."""

    address1_line1 = TextColumn(_("Street 1"), 250)
    address1_line2 = TextColumn(_("Street 2"), 250)
    address1_line3 = TextColumn(_("Street 3"), 250)
    address1_city = TextColumn(_("City"), 80)
    address1_state_or_province = TextColumn(_("State or province"), 50)
    address1_postal_code = TextColumn(_("Postal code"), 20)
    address1_country = TextColumn(_("Country/Region"), 80)

    class Meta:
        abstract = True


class SecondAddress(models.Model):
    """Another address: delivery, home."""

    address2_line1 = TextColumn(_("Second address: street 1"), 250)
    address2_line2 = TextColumn(_("Second address: street 2"), 250)
    address2_line3 = TextColumn(_("Second address: street 3"), 250)
    address2_city = TextColumn(_("Second address: city"), 80)
    address2_state_or_province = TextColumn(_("Second address: state or province"), 50)
    address2_postal_code = TextColumn(_("Second address: postal code"), 20)
    address2_country = TextColumn(_("Second address: country/region"), 80)

    class Meta:
        abstract = True
