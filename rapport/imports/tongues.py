"""What lists call their columns in other languages, beyond the entities' labels and aliases."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .eastwords import EAST
from .westwords import WEST

SPOKEN: dict[str, dict[str, str]] = WEST | EAST

# Whose words a field has beside its own.
_EACH = {
    "account": ("company",),
    "name": ("company", "called"),
    "full_name": ("called",),
    "contact": ("full_name",),
    "business_phone": ("phone",),
    "main_phone": ("phone",),
    "estimated_revenue": ("amount",),
    "estimated_value": ("amount",),
    "estimated_close_date": ("close_date",),
}
_BY_LANGUAGE: tuple[Mapping[str, str], ...] = tuple(SPOKEN.values())
# Words that mean a field only beside others: alone they are English, or anything.
BESIDE = {
    "ad": ("first_name", "soyad|soyadı|soyisim"),
    "by": ("address1_city", "postnr|postnr.|postnummer|efternavn|etternavn"),
    "cep": ("mobile_phone", "soyad|soyadı|ilçe|e-posta"),
    "site": ("website", "telefone|celular|endereço|sobrenome"),
}


def words_of(name: str, names: Collection[str]) -> list[str]:
    """What a field is called in these languages, of an entity with the fields `names`."""
    # A deal has no name of a person: whoever is named there is its contact.
    keys = [key for key in _EACH.get(name, ()) if key not in names]
    return [
        word
        for said in _BY_LANGUAGE
        for key in (*keys, name)
        if key in said
        for word in said[key].split("|")
    ]
