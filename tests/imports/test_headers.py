"""Headers in several languages and spellings."""

import pytest

from rapport.imports import headers
from rapport.meta.registry import registry


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("First Name", "first_name"),
        ("firstname", "first_name"),
        ("first_name", "first_name"),
        ("FIRST-NAME ", "first_name"),
        ("Vorname", "first_name"),
        ("Prénom", "first_name"),
        ("Prenom", "first_name"),
        ("имя", "first_name"),
        ("Nachname", "last_name"),
        ("Achternaam", "last_name"),
        ("姓", "last_name"),
        ("Full Name", "full_name"),
        ("Display Name", "full_name"),
        ("E-Mail-Adresse", "email"),
        ("E-mail 1 - Value", "email"),
        ("E-mail 2 - Value", "email2"),
        ("Email 2", "email2"),
        ("E-mail 3 Address", "email3"),
        ("emailaddress1", "email"),
        ("Work Email", "email"),
        ("Company", "account"),
        ("parentcustomerid", "account"),
        ("Firma", "account"),
        ("Organization 1 - Name", "account"),
        ("Telefon geschäftlich", "business_phone"),
        ("telephone1", "business_phone"),
        ("Phone 2", "business_phone2"),
        ("Mobile Phone", "mobile_phone"),
        ("Handy", "mobile_phone"),
        ("Straße", "address1_line1"),
        ("Mailing Street", "address1_line1"),
        ("Address 2", "address1_line2"),
        ("PLZ", "address1_postal_code"),
        ("Business City", "address1_city"),
        ("Home City", "address2_city"),
        ("Billing Country", "address1_country"),
        ("Geburtsdatum", "birthday"),
        ("Notes", "description"),
        ("Website 1 - Value", "website"),
        ("FullAddress/City", "address1_city"),
        ("properties/firstname", "first_name"),
        ("address.city", "address1_city"),
        ("org/text", "account"),
        ("EmailAddress/Address", "email"),
        ("Customer/Address", "address1_line1"),
        ("Phone (mobile)", "mobile_phone"),
        ("Phone - mobile", "mobile_phone"),
        ("City - Home", "address2_city"),
        ("Zip/Postal Code - Home", "address2_postal_code"),
        ("Alternate Address Street", "address2_line1"),
        ("Shipping Zip", "address2_postal_code"),
        ("Other Fax Machine", ""),
        ("AddressMailCity", "address1_city"),
        ("First Name *", "first_name"),
        ("Company (required)", "account"),
        ("Company’s Name", "account"),
        ("Business Name", "account"),
        ("Mobile Phone Number", "mobile_phone"),
        ("Home Phone Number", "home_phone"),
        ("Web Address", "website"),
        ("Street Address 2", "address1_line2"),
        ("MailAddressCity", "address1_city"),
        ("E-Mail [Pflichtfeld]", "email"),
        ("attributes/name", "full_name"),
        ("data/attributes/email", "email"),
        ("fields/Phone (mobile)", "mobile_phone"),
        ("attributes/url", ""),
        ("schema/fields/name", ""),
        ("phoneNumbers/value", "business_phone"),
        ("PHONE_NBR", "business_phone"),
        ("COMPANY_NM", "account"),
        ("Attendee Email", "email"),
        ("Default Address Company", "account"),
        ("primary_contact_primary_email", "email"),
        ("Mother – email", ""),
        ("company/name", "account"),
        ("owner/name", ""),
        ("Vorname/Nachname", "full_name"),
        ("Nachname/Vorname", ""),
        ("PLZ/Ort", ""),
        ("CITY/STATE/ZIP", ""),
        ("City/Town", "address1_city"),
        ("address/city", "address1_city"),
        ("country/name", "address1_country"),
        ("What is your first name?", "first_name"),
        ("Ihre E-Mail-Adresse", "email"),
        ("Your message", "description"),
        ("Your wishes", ""),
        ("Last Name\nNachname", "last_name"),
        ("Vorname / First name / Prénom", "first_name"),
        ("Mother / Email", ""),
        ("City / Zip", ""),
        ("Country/Region Name", "address1_country"),
        ("Favourite colour", ""),
        ("ID", ""),
        ("Billing Information", ""),
        ("a.hill@acme.org", ""),
        ("", ""),
    ],
)
def test_header_of_a_contact(header, expected):
    assert headers.field_for(registry["contact"], header) == expected


@pytest.mark.parametrize(
    ("entity", "header", "expected"),
    [
        ("account", "Company", "name"),
        ("lead", "telecom/value", ""),
        ("lead", "telecom/value/value", ""),
        ("contact", "phone_mobile", "mobile_phone"),
        ("contact", "Person - Phone - Mobile", "mobile_phone"),
        ("contact", "Město", "address1_city"),
        ("contact", "Teléfono móvil", "mobile_phone"),
        ("account", "companyname", "name"),
        ("account", "companycity", "address1_city"),
        ("account", "AccountNumber__c", "number"),
        ("account", "Umsatz", "annual_revenue"),
        ("account", "NumberOfEmployees", "employees"),
        ("account", "contact", ""),
        ("account", "parent_id", ""),
        ("lead", "Company", "company"),
        ("lead", "LeadSource", "source"),
        ("lead", "Lead Owner", "owner"),
        ("lead", "Subject", "topic"),
        ("lead", "contact", ""),
        ("opportunity", "Topic", "topic"),
    ],
)
def test_header_of_other_entities(entity, header, expected):
    assert headers.field_for(registry[entity], header) == expected


def test_every_label_and_logical_name_is_known(entity):
    for name in headers.targets(entity):
        field = entity.fields[name]
        assert headers.field_for(entity, str(field.label)) != ""
        if field.wire:
            assert headers.field_for(entity, field.wire) != ""


def test_id_column_of_our_exports_is_known():
    contact = registry["contact"]
    found = [
        headers.is_record_id(contact, header)
        for header in ("(Do Not Modify) Contact", "(Do Not Modify) Modified On", "Contact")
    ]
    assert found == [True, False, False]


def test_second_values_have_a_place():
    contact, account = registry["contact"], registry["account"]
    assert headers.siblings(contact, "email") == ("email2", "email3")
    assert headers.siblings(contact, "address1_city") == ("address2_city",)
    assert headers.siblings(account, "main_phone") == ("other_phone", "phone3")
