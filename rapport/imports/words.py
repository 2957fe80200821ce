"""Header words for fields that many entities have, beyond the entities' own aliases."""

from __future__ import annotations

# Field name: words in several languages and programs, separated by '|'. A field that an entity
# does not have is passed over. The entities' labels and aliases win.
WORDS: dict[str, str] = {
    "salutation": "salutation name|honorific|courtesy title|form of address|tilltal|aanhef",
    "first_name": "fname|given|first name(s)|christian name|name (first)|förnamn|fornavn|etunimi|"
    "imię|jméno|keresztnév|prenume|имя|名|名字|名前|이름|"
    "ime|křestní jméno|krstné meno|ön név|adı",
    "middle_name": "mname|middle initial|patronymic|отчество|deuxième prénom|tussenvoegsel",
    "last_name": "lname|family|sn|name (last)|last name(s)|sobrenome|apelido|efternamn|efternavn|"
    "etternavn|sukunimi|nazwisko|příjmení|vezetéknév|фамилия|姓|姓氏|苗字|성|"
    "priezvisko|prezime|nume de familie|soyadı|soyad",
    "full_name": "name of contact|employee name|"
    "полное имя|cn|contact person name|fullname|formatted name|fn|ansprechpartner|"
    "interlocuteur|nome completo|"
    "الاسم|नाम|nombre completo|imię i nazwisko|姓名|氏名|фио|"
    "celé jméno|név|teljes név|ime i prezime|nume complet|ad soyad",
    "suffix": "name suffix|generational suffix",
    "nickname": "preferred name|known as|goes by|spitzname|surnom|apodo",
    "job_title": "designation|function|occupation|role|titre|titel/position|job position|puesto de trabajo|"
    "stanowisko|"
    "yrke|stilling|должность|职位|役職",
    "department": "dept|division|business unit|département|dipartimento|afdeling|avdelning|отдел|"
    "部门|"
    "部署|部門|sección|oddělení|dział",
    "email": "primary smtp address|windows email address|smtp address|рабочий email|mail|e mail|"
    "email id|email addr|mail address|internet mail|epost|e-post|"
    "sähköposti|adres e-mail|correo electronico|indirizzo e-mail|электронная почта|"
    "البريد|البريد الإلكتروني|ईमेल|email from|user email|emails|email addresses address|"
    "email addresses|emails value|邮箱|电子邮件|メール|メールアドレス|이메일|1st email|contact email|"
    "organization email|"
    "e-posta|e-mail cím|adresa de e-mail",
    "email2": "other email address|secondary email address|alternate email|alternative email|other email|private email|personal email|"
    "second email|2nd email|weitere e-mail|home email|email home|email other|email private",
    "email3": "third email|3rd email|email school",
    "business_phone": "contact no|contact no.|direct dial|office number|"
    "telephone number|direct phone number|рабочий телефон|phone no|phone no.|"
    "phonenumber|phone1|phone 1|tel.|tel no|contact number|"
    "contact phone|direct phone|direct line|daytime phone|telefonnummer|rufnummer|telefono|"
    "الهاتف|फ़ोन|user phone|business phones|phones|phone numbers|phone numbers value|"
    "numero de telephone|puhelin|telefon służbowy|телефон|电话|電話|電話番号|전화|"
    "telefonszám|numer telefonu|telefonní číslo|număr de telefon|telefon numarası",
    "business_phone2": "phone2|phone 2|other phone|alternate phone|second phone",
    "main_phone": "telephone number|company phone number|phone no|phone no.|phonenumber|phone1|"
    "phone 1|tel.|tel no|contact number|"
    "switchboard|zentrale|standard|telefonnummer|rufnummer|telefono|телефон|电话|電話|전화",
    "other_phone": "phone2|phone 2|alternate phone|second phone",
    "phone3": "phone 3|third phone",
    "mobile_phone": "mobile phone number|cell phone number|"
    "cellular|sms|мобильный телефон|home mobile|work mobile|mobile no|mobile no.|"
    "mobile telephone|cell no|cell number|gsm|celular|"
    "cellulare|natel|mobilnummer|komórka|мобильный|手机|携帯|携帯電話|"
    "mobiltelefon|mobilní telefon|mobitel|cep telefonu|telefon mobil|telefon komórkowy|"
    "teléfono móvil|móvil|teléfono celular|telefone celular|telemóvel|téléphone portable|"
    "téléphone mobile|portable|telefono cellulare|mobiele telefoon|matkapuhelin",
    "home_phone": "home phone number|home number|"
    "home phone no|private telephone|téléphone privé|telefono casa",
    "fax": "facsimile telephone number|facsimile|fax phone|home fax|other fax|fax no|fax no.|telefaxnummer|télécopie|факс|传真",
    "website": "web address|webadresse|internetadresse|indirizzo web|dirección web|"
    "www home page|website link|website address|web url|web site|www|homepage url|company website|domain|company domain name|internetseite|"
    "sitio|pagina web|сайт|网站|ホームページ",
    "account": "business name|firm name|firm|institution name|agency name|"
    "related company|accounts|organizations|card name|название компании|organization|organisation name|org|employer name|"
    "associated company|company/account|"
    "company / account|account: account name|parent account|parent customer|firmenname|"
    "nom de l'entreprise|raison sociale|nome azienda|azienda|società|bedrijfsnaam|företag|"
    "virksomhed|yritys|nazwa firmy|firma/organisation|компания|организация|公司|公司名称|会社|会社名|회사|"
    "společnost|vállalat|cég|tvrtka|şirket",
    "company": "business name|firm name|firm|institution name|agency name|"
    "organizations|card name|название компании|organization name|organisation name|org|employer|"
    "employer name|associated company|"
    "company / account|firmenname|raison sociale|azienda|società|bedrijfsnaam|företag|"
    "virksomhed|yritys|nazwa firmy|компания|организация|公司|公司名称|会社|会社名|회사|"
    "společnost|vállalat|cég|tvrtka|şirket",
    "name": "card name|название компании|company/organization|organisation name|org|legal name|"
    "firm|vendor name|supplier name|"
    "nom de l'entreprise|raison sociale|nome azienda|azienda|società|bedrijfsnaam|företag|"
    "virksomhed|yritys|nazwa firmy|компания|организация|公司|公司名称|会社|会社名|회사|"
    "společnost|vállalat|cég|tvrtka|şirket",
    "number": "card code|account no.|acct no|customer no|customer no.|client number|kunden-nr.|"
    "kundennr|"
    "debitor|debitorennummer|numéro de client|numero cliente|klantnummer",
    "industry": "company industry|industrie|settore|sektor|branża|отрасль|行业",
    "employees": "num employees|num emp|no of employees|employee count|employees count|"
    "number of employees|employee range|headcount|size|company size|staff|"
    "anzahl mitarbeiter|nombre d'employés|dipendenti|сотрудники",
    "annual_revenue": "annual sales|sales volume|jährlicher umsatz|fatturato|ca",
    "currency": "currency of value|currency code|währung|devise|moneda|valuta",
    "birthday": "birth day|d.o.b.|geb.|geb.datum|fecha de nacimiento|data di nascita|"
    "geboortedatum|födelsedag|дата рождения|生日|誕生日|"
    "datum narození|dátum narodenia|születési dátum|data urodzenia|doğum tarihi",
    "anniversary": "wedding anniversary|hochzeitstag|jubiläum",
    "gender": "m/f|genre|sexe|sexo|sesso|geslacht|пол|性别",
    "family_status": "marital status|familienstand|état civil|estado civil",
    "spouse_name": "partner|ehepartner|conjoint",
    "address1_line1": "street line 1|"
    "address address 1|street address line 1|address line 1|street and number|address street|"
    "street address|street 1|street name|street & number|street and no|address line|address1|"
    "postal address|mailing address|business address|office address|street/house no|addr|addr1|"
    "straße und hausnummer|anschrift|numéro et rue|indirizzo|via|domicilio|osoite|gatuadress|"
    "ulica|адрес|地址|住所|주소|"
    "ulice|utca|utca, házszám|stradă|strada|adresă|cím|lakcím",
    "address1_line2": "street address 2|street line 2|adresse 2|indirizzo 2|dirección 2|endereço 2|"
    "street address line 2|street 2|address2|addr2|adresszusatz|"
    "complément d'adresse",
    "address1_line3": "street 3|address3|addr3",
    "address1_city": "suburb|locality|city/town/village/locality of address|post town|address city|city/town|town/city|municipality|wohnort|città|"
    "cidade|kommune|postort|"
    "miasto|kaupunki|город|城市|市|도시|"
    "město|mesto|város|grad|oraș|localitate|şehir|şehir/ilçe",
    "address1_state_or_province": "state/county of address|state/county|province code|region code|address state|state/region|"
    "state or province|state code|prov|prov.|canton|"
    "kanton|département|provincie|estado|regione|län|województwo|область|省|"
    "kraj/region|megye|județ|judeţ|il",
    "address1_postal_code": "billing code|mailing code|address zipcode|address zip code|"
    "address postcode|zip/postal code of address|zip/postal code|address postal code|address zip|postal|zip code/postal code|pin code|"
    "pincode|cp|c.p.|cap|cep|"
    "postnummer|postinumero|kod pocztowy|psč|индекс|邮编|郵便番号|우편번호|"
    "směrovací číslo|irányítószám|poštanski broj|cod poștal|posta kodu",
    "address1_country": "country of address|country/territory|country or region|country code|address country|country name|country/region name|nation|staat|"
    "paese|país/región|kraj|maa|страна|国家|国|국가|"
    "země|krajina|ország|država|țara|ţara|ülke|państwo",
    "address2_line1": "street address 2|shipping street|delivery street|private street|"
    "address 2 - street|lieferanschrift",
    "address2_city": "shipping city|delivery city|private city|address 2 - city",
    "address2_state_or_province": "shipping state|shipping state/province|delivery state|"
    "address 2 - region",
    "address2_postal_code": "shipping code|shipping zip|shipping zip/postal code|shipping postal code|"
    "delivery zip|address 2 - postal code|home zip",
    "address2_country": "shipping country|delivery country|address 2 - country",
    "description": "message|nachricht|mensaje|messaggio|"
    "remark|memo|"
    "details|person notes|note|about|additional information|anmerkung|anmerkungen|"
    "bemerkungen|notiz|remarque|observaciones|note generali|opis|комментарий|备注|備考",
    "source": "how did you hear about us|how did you hear about us?|kontaktart|"
    "wie sind sie auf uns aufmerksam geworden|wie sind sie auf uns aufmerksam geworden?|"
    "original source|marketing source|campaign source|lead quelle|leadquelle|quelle",
    "topic": "interested in|product interest|product of interest|title|deal title|opportunity title|lead title|inquiry|enquiry|anliegen|anfrage|"
    "message subject",
    "rating": "interest level|lead temperature|lead quality|qualifier|priority|prio|priorität|"
    "einstufung|potenzial|priorité|prioridad|priorità|prioriteit",
    "owner": "rep|account rep|account executive|owned by|responsible person|responsible user|record manager|ответственный|sales rep|"
    "sales representative|salesperson|sales agent|sales owner|assigned user|"
    "assigned user name|assigned to|account manager|responsible|zuständig|verantwortlich",
    "estimated_value": "opportunity amount",
    "estimated_revenue": "expected revenue|opportunity amount|opportunity value|deal amount|"
    "total value",
    "manager_name": "reporting to|reports to|supervisor",
    "assistant_phone": "asst phone|asst. phone",
    "estimated_close_date": "closing date|expected closing date|target close date|date deadline|expected closing|expected close",
    "actual_close_date": "won time|won date|closed date|closed on|lost time|lost date",
    "sales_stage": "pipeline stage",
    "do_not_bulk_email": "email opt out|has opted out of email|unsubscribed from emails",
    "do_not_phone": "do not call",
    "preferred_method": "preferred contact method",
}

# Words before a field's own that only say whose it is: 'company city', 'work e-mail'.
OWNERS = (
    "contact|person|people|lead|prospect|account|company|customer|client|organization|organisation|"
    "firma|firm|business|work|office|primary|main|default|current|mailing|mail|billing|corporate|hq|"
    "headquarters|dienstlich|geschäftlich|address 1|personal|primary contact|default address|"
    "arbete|arbejde|arbeid|jobb|trabajo|lavoro|werk|zakelijk|praca|trabalho|bureau|pro|uff|työ|"
    "address mail|attendee|participant|registrant|subscriber|buyer|donor|guest|"
    # What forms ask.
    "what is your|what's your|whats your|please enter your|enter your|your|wie ist ihr|wie ist ihre|"
    "wie lautet ihr|wie lautet ihre|ihr|ihre|votre|quel est votre|quelle est votre|"
    "cuál es su|cuál es tu|cual es su|cual es tu"
)
# Words before those of an address that is not the first one.
OTHER_PLACES = (
    "alternate address|alternate|alternative address|other address|other|address other|shipping|"
    "shipping address|ship to|delivery|delivery address|home|home address|private|"
    "private address|residence|residential|privat|hem|hjem|koti|thuis|domicile|perso|particular|"
    "casa|ab|secondary address|second address|address 2"
)
# Words around a header that say that its values take the place of older ones.
RENEWED = (
    "new|updated|neu|neue|neuer|neues|aktuell|aktuelle|aktueller|nouveau|nouvelle|nuevo|nueva|"
    "nuovo|nuova|nieuw|nieuwe|novo|nova"
)
# Where a company is reached whose people are in the list, too.
SWITCHBOARD = (
    "switchboard|main line|zentrale|tel. zentrale|telefon zentrale|telefonzentrale|zentralnummer|"
    "standard téléphonique|centralita|centralino"
)
# What forms say behind a header.
MUST = (
    "required|optional|mandatory|pflichtfeld|pflicht|obligatoire|facultatif|obligatorio|opcional|"
    "obbligatorio|facoltativo|verplicht|optioneel|obrigatório"
)
# What databases shorten names of columns to.
SHORT = {"nm": "name", "nbr": "number", "num": "number", "addr": "address", "ph": "phone"}
# What else people call a record, before the name of one of its fields.
CALLED = {"opportunity": ("deal", "opportunity", "verkaufschance", "opportunite", "oportunidad")}
# Words before a field's own that say whose record it belongs to: 'company city' beside 'city'.
WHOSE = {
    "account": "account|company|organization|organisation|firma|firm|employer|corporate|"
    "unternehmen|société|entreprise|empresa|bedrijf|azienda",
    "contact": "contact|person|primary contact|contact person|ansprechpartner|kontakt",
}
# Fields that only such a record has, whatever else stands in the row.
ONLY_THEIRS = {
    "account": frozenset({"industry", "employees", "annual_revenue", "sic_code", "ticker_symbol"}),
    "contact": frozenset(
        {
            "salutation", "first_name", "middle_name", "last_name", "job_title", "department",
            "email", "email2", "business_phone", "mobile_phone", "home_phone", "birthday",
        }
    ),
}  # fmt: skip
# And fields of the row's own that are rather theirs.
RATHER_THEIRS = {"contact": frozenset({"email"})}
# Fields of which one names whose record it is: without any there is none.
NAMES_ONE = {"opportunity": frozenset({"account", "contact"})}
# Fields that hardly any other record has.
TELLING = {
    "opportunity": frozenset(
        {
            "estimated_revenue", "estimated_close_date", "probability", "sales_stage",
            "actual_revenue", "actual_close_date",
        }
    ),
}  # fmt: skip
# Fields that say little: contacts of other programs keep their source, too.
HARDLY_TELLING = {"lead": frozenset({"source"})}
# Headers that mean their field only where no other column does, and never a second one.
VAGUE = "county|home fax|other fax|expected revenue"
# Words after it.
TAILS = "value|(work)|(business)|(primary)|(office)|work|(main)|geschäftlich|dienstlich|1"

# Fields whose options say how far an open record has come.
STAGES = {"opportunity": "sales_stage"}
# What people and programs call states and status reasons: {entity: {field: {label: words}}}.
_WON = "closed won|closedwon|closed - won|deal won|gewonnen|gagné|ganado|ganada|ganho|vinto|wygrana|won deal|auftrag erteilt|auftrag erhalten|beauftragt"
_LOST = (
    "closed lost|closedlost|closed - lost|deal lost|abandoned|cancelled|canceled|verloren|perdu|"
    "perdido|perdida|perso|przegrana|lost deal|rejected|declined|absage|abgesagt|abgelehnt|"
    "auftrag verloren"
)
_ACTIVE = {
    "state": {
        "Active": "aktiv|actif|activo|ativo|attivo|actief|aktywny|enabled|current",
        "Inactive": "inaktiv|inactif|inactivo|inativo|inattivo|inactief|nieaktywny|disabled|"
        "deactivated|archived|deleted|not active|former",
    }
}
STANDS: dict[str, dict[str, dict[str, str]]] = {
    "account": _ACTIVE,
    "contact": _ACTIVE,
    "opportunity": {
        "state": {
            "Open": "in progress|offen|ouvert|abierto|abierta|aberto|aperto|otwarta|active|pending",
            "Won": _WON,
            "Lost": _LOST,
        },
        "status": {"In Progress": "pending|negotiating", "On Hold": "paused|stalled"},
    },
    "lead": {
        "state": {
            "Open": "new|neu|nouveau|nuevo|active|contacted|attempted to contact|assigned|working|"
            "in process|in progress|not contacted|contact in future|nurturing|offen",
            "Qualified": "converted|closed - converted|won|qualifiziert|qualifié",
            "Disqualified": "unqualified|not qualified|closed - not converted|closed|lost|junk|"
            "junk lead|lost lead|dead|recycled|disqualifiziert|bad timing",
        },
        "status": {
            "New": "open|open - not contacted|not contacted|not yet contacted|assigned|neu|nouveau|"
            "nuevo",
            "Contacted": "working|working - contacted|in process|in progress|attempted to contact|"
            "attempted|connected|nurturing|contact in future|kontaktiert|contacté",
            "Qualified": "converted|closed - converted|qualifiziert|qualifié",
            "Lost": "lost lead",
            "Cannot Contact": "junk|junk lead|dead|invalid",
            "No Longer Interested": "unqualified|not qualified|not interested|recycled|bad timing",
            "Canceled": "closed|closed - not converted|cancelled|disqualified|disqualifiziert",
        },
    },
}

# What a column says that tells companies from people, and is the name of none.
SORTS_OF_PEOPLE = frozenset({"individual", "household", "person"})
SORTS = SORTS_OF_PEOPLE | {"organization", "organisation", "company", "business"}
# What tells whether something is so, and is no address and no number.
ANSWERS = frozenset(
    "true false yes no ja nein wahr falsch oui non vrai faux si verdadero falso".split()
)
# Headers that begin like an entity and yet are found with others: people keep how they were won.
SAY_LITTLE = frozenset({"leadsource", "leadscore", "contactowner"})

SALUTATIONS = frozenset(
    "mr mrs ms miss mx dr prof sir madam lady lord rev herr frau hr fr dr.-ing mme mlle m monsieur "
    "madame mademoiselle sr sra srta don doña señor señora dhr mevr mevrouw meneer sig sig.ra dott "
    "dott.ssa ing dipl.-ing mag pan pani".split()
)
LEGAL_FORMS = frozenset(
    "gmbh ag kg ohg mbh ug se inc llc ltd llp lp plc corp corporation company co sa sas sarl srl spa "
    "bv nv ab as aps oy oyj kk pty pte sl slu kft zrt doo foundation university bank group holding "
    "verein stiftung universität limited incorporated partners bros".split()
)
NOT_IN_NAMES = frozenset(
    "of the and for und der die das et pour & + department ministry council office school college "
    "society association institute club centre center service services systems solutions".split()
)
PARTICLES = frozenset("de van von der den da di la le el bin al dos du".split())
