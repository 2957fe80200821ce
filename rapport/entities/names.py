"""Derived names of people, and header names that several entities share."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

# Functions, not templates: it is done for each row of an import, and so takes half of the time.
ORDERS: dict[str, Callable[[str, str, str], str]] = {
    "first last": lambda first, _middle, last: f"{first} {last}",
    "last, first": lambda first, _middle, last: f"{last}, {first}",
    "first middle last": lambda first, middle, last: f"{first} {middle} {last}",
    "last, first middle": lambda first, middle, last: f"{last}, {first} {middle}",
    "last first": lambda first, _middle, last: f"{last} {first}",
}
# What a full name is made of.
NAME_PARTS = ("first_name", "middle_name", "last_name")


def full_name(values: Mapping[str, Any]) -> str:
    """A person's name in the order of RAPPORT_FULL_NAME_ORDER, at most 160 characters."""
    order = ORDERS.get(settings.FULL_NAME_ORDER, ORDERS["first last"])
    get = values.get
    first, middle, last = get("first_name", ""), get("middle_name", ""), get("last_name", "")
    return " ".join(order(first, middle, last).split()).strip(" ,")[:160]


PERSON_ALIASES: dict[str, tuple[str, ...]] = {
    "salutation": ("Title", "Prefix", "Name Prefix", "Anrede", "Civilité", "Tratamiento", "Titel"),
    "first_name": (
        "First", "Given Name", "Forename", "Vorname", "Prénom", "Nombre", "Voornaam", "Nome",
        "Firstname", "first_name", "FirstName",
    ),
    "middle_name": ("Middle", "Additional Name", "Second Name", "Zweiter Vorname"),
    "last_name": (
        "Last", "Surname", "Family Name", "Nachname", "Familienname", "Nom", "Nom de famille",
        "Apellido", "Apellidos", "Achternaam", "Cognome", "Lastname", "last_name", "LastName",
    ),
    "job_title": (
        "Position", "Role Title", "Job", "Organization Title", "Organization 1 - Title", "Funktion",
        "Stelle", "Fonction", "Poste", "Cargo", "Puesto", "Functie", "Jobtitle",
    ),
    "email": (
        "E-mail", "E-Mail", "Email Address", "E-mail Address", "E-Mail Address", "Mail", "Emails",
        "Email 1", "E-mail 1 - Value", "Primary Email", "Email1", "E-Mail-Adresse", "Courriel",
        "Adresse e-mail", "Correo electrónico", "Correo", "E-mailadres", "Business Email",
        "Work Email",
    ),
    "email2": ("E-mail 2 Address", "Email Address 2", "Email 2", "E-mail 2 - Value",
               "Secondary Email", "E-Mail 2"),
    "email3": ("E-mail 3 Address", "Email Address 3", "Email 3", "E-mail 3 - Value", "E-Mail 3"),
    "business_phone": (
        "Phone", "Phone Number", "Telephone", "Telephone 1", "Work Phone", "Phone 1 - Value",
        "Office Phone", "Tel", "Telefon", "Telefon geschäftlich", "Téléphone", "Teléfono",
        "Telefoon", "Business Phone 1", "Primary Phone", "Company Phone",
    ),
    "mobile_phone": (
        "Mobile", "Cell", "Cell Phone", "Mobile Number", "Mobil", "Handy", "Mobiltelefon",
        "Portable", "Móvil", "Mobiel", "Cellphone",
    ),
    "home_phone": ("Home", "Telefon privat", "Private Phone", "Home Telephone"),
    "fax": ("Business Fax", "Fax Number", "Telefax"),
    "website": ("Web", "Web Page", "Homepage", "URL", "Website URL", "Web Page 1", "Internet",
                "Webseite", "Site web", "Sitio web"),
    "description": ("Notes", "Comments", "Comment", "Remarks", "Bemerkung", "Beschreibung",
                    "Notizen", "Commentaire", "Notas", "Opmerkingen"),
}  # fmt: skip
ADDRESS_ALIASES: dict[str, tuple[str, ...]] = {
    "address1_line1": (
        "Street", "Address", "Address 1", "Street Address", "Business Street", "Address Line 1",
        "Mailing Street", "Billing Street", "Address 1: Street 1", "Straße", "Strasse", "Adresse",
        "Rue", "Calle", "Dirección", "Straat", "Work Address",
    ),
    "address1_line2": ("Address 2", "Address Line 2", "Business Street 2", "Street 2",
                       "Address 1: Street 2", "Work Address 2"),
    "address1_line3": ("Address 3", "Address Line 3", "Business Street 3", "Address 1: Street 3"),
    "address1_city": (
        "Town", "Business City", "Mailing City", "Billing City", "Address 1: City", "Ort", "Stadt",
        "Ville", "Ciudad", "Plaats", "Suburb", "Work City", "Locality",
    ),
    "address1_state_or_province": (
        "State", "Province", "County", "Region", "Business State", "Mailing State/Province",
        "Billing State/Province", "Address 1: State/Province", "Bundesland", "Provincia",
        "State/Province", "Work State",
    ),
    "address1_postal_code": (
        "Zip", "ZIP Code", "Zip/Postal Code", "Postcode", "Post Code", "Business Postal Code",
        "Mailing Zip/Postal Code", "Billing Zip/Postal Code", "Address 1: ZIP/Postal Code", "PLZ",
        "Postleitzahl", "Code postal", "Código postal", "Work ZipCode",
    ),
    "address1_country": (
        "Country", "Business Country/Region", "Mailing Country", "Billing Country", "Land", "Pays",
        "País", "Address 1: Country/Region", "Business Country", "Work Country", "Country Code",
    ),
}  # fmt: skip
WIRE_ADDRESS = {
    f"address{n}_{ours}": f"address{n}_{theirs}"
    for n in (1, 2)
    for ours, theirs in {
        "line1": "line1",
        "line2": "line2",
        "line3": "line3",
        "city": "city",
        "state_or_province": "stateorprovince",
        "postal_code": "postalcode",
        "country": "country",
    }.items()
}
WIRE_ADDRESS1 = {ours: theirs for ours, theirs in WIRE_ADDRESS.items() if ours[7] == "1"}
WIRE_SYSTEM = {
    "id": "id",
    "state": "statecode",
    "status": "statuscode",
    "version": "versionnumber",
    "created_at": "createdon",
    "created_by": "createdby",
    "modified_at": "modifiedon",
    "modified_by": "modifiedby",
}
WIRE_OWNED = {**WIRE_SYSTEM, "owner": "ownerid", "owning_unit": "owningbusinessunit"}
