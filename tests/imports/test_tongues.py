"""Lists of people in the languages that they come in."""

import pytest

from rapport.imports import flow, headers, tongues
from rapport.imports.proposal import propose
from rapport.meta.kinds import Reading
from rapport.meta.registry import registry
from rapport.models import Contact
from tests.imports.bringing import bring, describe

pytestmark = pytest.mark.django_db
# First name, last name, company, job title, e-mail, phone, mobile, street, city, postal code.
MAPPED = (
    "first_name", "last_name", "account", "job_title", "email", "business_phone", "mobile_phone",
    "address1_line1", "address1_city", "address1_postal_code",
)  # fmt: skip


LISTS = {
    "de": "Rufname;Familienname;Arbeitgeber;Stellung;Mailadresse;"
    "Festnetz;Handynummer;Strasse;Stadt;PLZ",
    "fr": "Prénom;Nom;Dénomination;Poste;Mél;Tél. fixe;Tél. portable;Voie;Commune;CP",
    "es": "Nombre;Primer apellido;Razón social;Puesto;Correo;Tfno.;Móvil;Calle;Población;C.P.",
    "it": "Nome;Cognome;Ragione sociale;Qualifica;Posta elettronica;"
    "Tel. ufficio;Cell.;Indirizzo;Comune;CAP",
    "nl": "Roepnaam;Achternaam;Organisatie;Functie;Mailadres;"
    "Telefoon werk;Mobiel;Straat;Plaats;Postcode",
    "pt": "Primeiro nome;Último nome;Razão social;Função;E-mail;"
    "Telefone;Telemóvel;Morada;Localidade;CEP",
    "pl": "Imię;Nazwisko;Organizacja;Stanowisko;Adres email;"
    "Telefon;Tel. komórkowy;Ulica;Miejscowość;Kod pocztowy",
    "cs": "Jméno;Příjmení;Název firmy;Funkce;E-mail;Telefon;Mobil;Ulice;Obec;PSČ",
    "hu": "Keresztnév;Vezetéknév;Cégnév;Beosztás;E-mail;"
    "Telefonszám;Mobil;Utca;Település;Irányítószám",
    "ro": "Prenume;Nume de familie;Firmă;Funcție;E-mail;Telefon;Mobil;Strada;Oraș;Cod poștal",
    "sv": "Förnamn;Efternamn;Företag;Befattning;E-postadress;Telefon;Mobil;Adress;Ort;Postnr",
    "da": "Fornavn;Efternavn;Virksomhed;Stilling;E-mailadresse;Tlf.;Mobil;Adresse;By;Postnr.",
    "fi": "Etunimi;Sukunimi;Yritys;Tehtävänimike;Sähköposti;"
    "Puhelin;Matkapuhelin;Osoite;Postitoimipaikka;Postinumero",
    "tr": "Ad;Soyad;Firma;Unvan;E-posta;Telefon;Cep;Adres;Şehir;Posta Kodu",
    "ru": "Имя;Фамилия;Наименование организации;Должность;Почта;"
    "Рабочий телефон;Сотовый;Улица;Город;Индекс",
    "uk": "Ім'я;Прізвище;Компанія;Посада;Електронна пошта;"
    "Телефон;Мобільний;Вулиця;Місто;Поштовий індекс",
    "el": "Όνομα;Επώνυμο;Εταιρεία;Θέση;Email;Τηλέφωνο;Κινητό;Διεύθυνση;Πόλη;Τ.Κ.",
    "ar": "الاسم الأول;اسم العائلة;الشركة;المسمى الوظيفي;البريد الإلكتروني;"
    "الهاتف;الجوال;العنوان;المدينة;الرمز البريدي",
    "he": "שם פרטי;שם משפחה;חברה;תפקיד;אימייל;טלפון;נייד;רחוב;עיר;מיקוד",
    "ja": "名;姓;企業名;役職;メール;電話番号;携帯番号;住所;市区町村;郵便番号",
    "zh": "名;姓;单位名称;职务;电子邮箱;办公电话;手机号码;详细地址;城市;邮政编码",
}


@pytest.mark.parametrize("language", LISTS)
def test_columns_are_known_in_many_languages(language):
    columns = LISTS[language].split(";")
    row = "Anna;Bo;Acme;Chief;a@bo.example;030 1;0170 2;Ring 5;Bonn;53111".split(";")
    found = propose(registry["contact"], columns, [row], reading=Reading())
    assert tuple(found.columns[at].field for at in range(len(columns))) == MAPPED


@pytest.mark.parametrize(
    ("entity", "header", "expected"),
    [
        ("contact", "Naam", "full_name"),
        ("account", "Naam", "name"),
        ("account", "Наименование", "name"),
        ("account", "Nombre de empresa", "name"),
        ("lead", "Nome fantasia", "company"),
        ("opportunity", "Abschlussdatum", "estimated_close_date"),
        ("opportunity", "Importe", "estimated_revenue"),
        ("opportunity", "Contactpersoon", "contact"),
        ("lead", "Contactpersoon", "full_name"),
        ("contact", "Gata (arbete)", "address1_line1"),
        ("contact", "Postnr (hem)", "address2_postal_code"),
        ("contact", "CAP (ab.)", "address2_postal_code"),
        ("contact", "Telefon (arbete)", "business_phone"),
        ("account", "Land/Region", "address1_country"),
        ("contact", "Province", "address1_state_or_province"),
        ("contact", "By", ""),
        ("contact", "Ad", ""),
    ],
)
def test_word_means_what_an_entity_has(entity, header, expected):
    assert headers.field_for(registry[entity], header) == expected


def test_words_that_are_english_too_need_others_beside(alice, table):
    upload = describe(table("Last Name,By,Ad,Site", "Bo,Ann,Spring,Plant 1"), by=alice)
    assert [t.field for t in flow.mapping_of(upload).columns.values()] == ["last_name"]


def test_every_word_is_said_of_a_field():
    entities = [registry[name] for name in ("account", "contact", "lead", "opportunity")]
    known = {name for entity in entities for name in headers.targets(entity)}
    said = {name for words in tongues.SPOKEN.values() for name in words}
    assert said - known == {"amount", "called", "close_date", "phone"}


def test_title_of_a_list_may_be_a_position_in_any_language(alice, table):
    bring(table("Nome;Cognome;Titolo", "Anna;Bo;Direttrice", "Eva;Dee;Capo"), by=alice)
    found = Contact.objects.order_by("last_name").values_list("salutation", "job_title")
    assert list(found) == [("", "Direttrice"), ("", "Capo")]
