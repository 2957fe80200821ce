"""What options of ours are called in German, French, Spanish, Italian, Dutch and Portuguese."""

from __future__ import annotations

# {field: {option: its words}}
CALLED: dict[str, dict[str, str]] = {
    "source": {
        "Advertisement": "Werbung|Anzeige|Inserat|Kampagne|Mailing|Publicité|Annonce|Campagne|"
        "Publicidad|Anuncio|Campaña|Pubblicità|Inserzione|Campagna|Reclame|Advertentie|"
        "Publicidade|Anúncio|Campanha",
        "Employee Referral": "Mitarbeiterempfehlung|Empfehlung eines Mitarbeiters|"
        "Recommandation d'un employé|Recomendación de empleado|Segnalazione di un dipendente|"
        "Aanbeveling van medewerker|Indicação de funcionário",
        "External Referral": "Empfehlung|Externe Empfehlung|Kundenempfehlung|Recommandation|"
        "Parrainage|Recomendación|Referido|Referencia|Raccomandazione|Segnalazione|Aanbeveling|"
        "Doorverwijzing|Indicação|Recomendação",
        "Partner": "Partenaire|Socio|Parceiro|Vertriebspartner",
        "Public Relations": "Öffentlichkeitsarbeit|PR|Presse|Relations publiques|"
        "Relaciones públicas|Relazioni pubbliche|Relações públicas",
        "Seminar": "Séminaire|Seminario|Seminário|Webinaire|Schulung|Workshop|Formation|Taller",
        "Trade Show": "Messegespräch|Messestand|Ausstellung|"
        "Messe|Fachmesse|Messekontakt|Veranstaltung|Konferenz|Salon|Foire|"
        "Salon professionnel|Événement|Feria|Evento|Conferencia|Fiera|Conferenza|Beurs|Vakbeurs|"
        "Evenement|Feira",
        "Web": "Internet|Webseite|Homepage|Online|Webformular|Kontaktformular|Suchmaschine|"
        "Site web|Site internet|Site|Formulaire web|Página web|Sitio web|Formulario web|Sito web|"
        "Sito|Webformulier|Soziale Medien|Réseaux sociaux|Redes sociales|Redes sociais",
        "Word of Mouth": "Mundpropaganda|Mund-zu-Mund-Propaganda|Hörensagen|Bouche à oreille|"
        "Bouche-à-oreille|Boca a boca|Passaparola|Mond-tot-mond|Mond-tot-mondreclame|Boca em boca",
        "Other": "Sonstige|Sonstiges|Andere|Anderes|Kaltakquise|Telefon|Autre|Autres|Otro|Otra|"
        "Otros|Altro|Altri|Anders|Overig|Outro|Outra|Outros",
    },
    "relationship_type": {
        "Competitor": "Wettbewerber|Mitbewerber|Konkurrent|Concurrent|Competidor|Concorrente",
        "Consultant": "Berater|Consultor|Consulente|Adviseur",
        "Customer": "Kunde|Bestandskunde|Client|Cliente|Klant",
        "Investor": "Investisseur|Inversor|Inversionista|Investitore|Investeerder|Investidor",
        "Partner": "Partenaire|Socio|Parceiro|Geschäftspartner",
        "Press": "Presse|Prensa|Stampa|Pers|Imprensa",
        "Prospect": "Interessent|Potenzieller Kunde|Potentieller Kunde|Neukunde|Client potentiel|"
        "Cliente potencial|Cliente potenziale|Potenziale cliente|Potentiële klant",
        "Reseller": "Wiederverkäufer|Händler|Fachhändler|Revendeur|Revendedor|Distribuidor|"
        "Rivenditore|Wederverkoper",
        "Supplier": "Lieferant|Zulieferer|Fournisseur|Proveedor|Fornitore|Leverancier|Fornecedor",
        "Other": "Sonstige|Sonstiges|Andere|Autre|Otro|Altro|Anders|Overig|Outro",
    },
    "rating": {
        "Hot": "A|A-Lead|High|Very hot|Heiß|Hoch|Sehr interessiert|Chaud|Caliente|Caldo|Heet|"
        "Quente",
        "Warm": "B|B-Lead|Medium|Mittel|Interessiert|Tiède|Templado|Tibio|Tiepido|Lauw|Morno",
        "Cold": "C|C-Lead|Low|Kalt|Niedrig|Gering|Froid|Frío|Freddo|Koud|Frio",
    },
    "sales_stage": {
        "Qualify": "New|New deal|Lead|Enquiry|Inquiry|First contact|Initial contact|Contacted|"
        "Identified|Neu|Anfrage|Erstkontakt|Erstgespräch|Kontaktaufnahme|Kontaktiert|"
        "Qualifizierung|Akquise|Interessent|Qualification|Prospection|Premier contact|Nouveau|"
        "Calificación|Cualificación|Prospección|Contacto inicial|Primer contacto|Nuevo|"
        "Qualificazione|Primo contatto|Nuovo|Kwalificatie|Eerste contact|Nieuw|Qualificação|"
        "Prospecção|Primeiro contato|Primeiro contacto",
        "Develop": "Demo|Meeting|Meeting scheduled|Presentation|Evaluation|Bedarfsanalyse|"
        "Bedarfsermittlung|Analyse|Präsentation|Vorführung|Termin|Termin vereinbart|Besichtigung|"
        "Konzept|Beratung|Qualifiziert|Analyse des besoins|Démonstration|Présentation|"
        "Rendez-vous|Qualifié|Análisis de necesidades|Demostración|Presentación|Reunión|"
        "Análisis|Analisi|Dimostrazione|Presentazione|Incontro|Behoefteanalyse|Presentatie|"
        "Afspraak|Análise|Apresentação|Reunião|Demonstração",
        "Propose": "Offer|Offer sent|Quotation|Quote sent|Quoted|Negotiating|Proposal submitted|"
        "In negotiation|Angebot|Angebot erstellt|Angebot abgegeben|Angebot versendet|"
        "Angebot gesendet|Angebot verschickt|Angebotsphase|Offerte|Verhandlung|Verhandlungen|"
        "In Verhandlung|Verhandlungsphase|Proposition|Proposition envoyée|Devis|Devis envoyé|"
        "Offre|Négociation|Propuesta|Propuesta enviada|Presupuesto|Cotización|Oferta|Negociación|"
        "Proposta|Proposta inviata|Preventivo|Offerta|Trattativa|Negoziazione|Voorstel|"
        "Onderhandeling|Proposta enviada|Orçamento|Negociação",
        "Close": "Commit|Verbal|Verbal commit|Contract|Signing|Abschluss|Abschlussphase|Vertrag|"
        "Vertrag versendet|Mündliche Zusage|Vor Abschluss|Kurz vor Abschluss|Clôture|Signature|"
        "Contrat|Cierre|Contrato|Firma|Chiusura|Contratto|Afsluiting|Fechamento|Fecho",
    },
    "gender": {
        "Male": "M|Männlich|Maschio|Maschile|Uomo|Hombre|Masculino|Man|Mannelijk|Homem",
        "Female": "W|F|Weiblich|Femmina|Femminile|Donna|Mujer|Femenino|Vrouw|Vrouwelijk|Mulher|"
        "Feminino",
    },
    "family_status": {
        "Single": "Ledig|Célibataire|Soltero|Soltera|Celibe|Nubile|Ongehuwd|Solteiro|Solteira",
        "Married": "Verheiratet|Marié|Mariée|Casado|Casada|Sposato|Sposata|Coniugato|Gehuwd|"
        "Getrouwd",
        "Divorced": "Geschieden|Divorcé|Divorcée|Divorciado|Divorciada|Divorziato|Divorziata|"
        "Gescheiden",
        "Widowed": "Verwitwet|Veuf|Veuve|Viudo|Viuda|Vedovo|Vedova|Weduwe|Weduwnaar|Viúvo|Viúva",
    },
    "preferred_contact_method": {
        "Any": "Beliebig|Egal|Indifférent|Cualquiera|Qualsiasi|Qualunque|Willekeurig|Qualquer",
        "Email": "Correo electrónico|Correo|Posta elettronica|E-Mail-Adresse",
        "Phone": "Anruf|Teléfono|Telefono|Telefoon|Telefone|Appel|Llamada|Handy|Mobil",
        "Mail": "Brief|Briefpost|Poste|Correo postal|Posta|Lettera|Correio|Lettre|Carta",
    },
    "role": {
        "Decision Maker": "Entscheider|Entscheidungsträger|Décideur|Responsable de decisión|"
        "Decisor|Decisore|Beslisser",
        "Employee": "Mitarbeiter|Angestellter|Employé|Empleado|Dipendente|Medewerker|Funcionário",
        "Influencer": "Beeinflusser|Influenceur|Prescripteur|Influenciador|Influenzatore",
    },
    "legal_ownership": {
        "Public": "Börsennotiert|Öffentlich|Público|Pubblica|Openbaar",
        "Private": "Privat|Privé|Privée|Privado|Privada|Privata|Privaat",
        "Subsidiary": "Tochtergesellschaft|Filiale|Filial|Filiale di un gruppo|Dochteronderneming|"
        "Subsidiária",
    },
    "industry": {
        "Accounting": "Buchhaltung|Steuerberatung|Comptabilité|Contabilidad|Contabilità",
        "Consulting": "Beratung|Unternehmensberatung|Conseil|Consultoría|Consulenza|Advies",
        "Financial": "Finanzen|Finanzdienstleistungen|Banken|Banque|Finance|Banca|Finanzas|"
        "Finanza|Finanças",
        "Insurance": "Versicherung|Versicherungen|Assurance|Assurances|Seguros|Assicurazioni|"
        "Verzekeringen",
        "Legal Services": "Rechtsberatung|Recht|Juridique|Servicios legales|Servizi legali",
        "Transportation": "Transport|Logistik|Spedition|Transport et logistique|Transporte|"
        "Trasporti|Vervoer|Logistiek",
        "Wholesale": "Großhandel|Commerce de gros|Venta al por mayor|Mayorista|Ingrosso|"
        "Commercio all'ingrosso|Groothandel|Atacado",
        "Durable Manufacturing": "Maschinenbau|Industrie|Fertigung|Produktion|Fabrication|"
        "Fabricación|Manufactura|Produzione|Productie",
        "Special Outbound Trade Contractors": "Bau|Baugewerbe|Bauwesen|Bâtiment|Construcción|"
        "Edilizia|Bouw|Construção",
        "Specialty Realty": "Immobilien|Immobilier|Inmobiliaria|Bienes raíces|Immobiliare|"
        "Vastgoed|Imobiliário",
        "Doctor's Offices and Clinics": "Gesundheitswesen|Gesundheit|Santé|Salud|Sanità|"
        "Gezondheidszorg|Saúde",
        "Eating and Drinking Places": "Gastronomie|Restauration|Hostelería|Ristorazione|Horeca",
        "Vehicle Retail": "Automobil|Automobilindustrie|Automobile|Automoción|Automotriz",
        "Utility Creation and Distribution": "Energie|Énergie|Energía|Energia",
    },
    "initial_communication": {
        "Contacted": "Kontaktiert|Contacté|Contactado|Contattato",
        "Not Contacted": "Nicht kontaktiert|Non contacté|No contactado|Non contattato",
    },
}

# What programs and people write where a code of a currency belongs.
CURRENCIES = {
    "EUR": "Euro|Euros|€",
    "USD": "US Dollar|U.S. Dollar|US-Dollar|United States Dollar|USA Dollar|American Dollar|"
    "Dollar américain|Dollar des États-Unis|Dólar estadounidense|Dollaro statunitense|"
    "Amerikanischer Dollar|Amerikaanse dollar|Dólar americano|US$",
    "GBP": "Pound Sterling|British Pound|British Pound Sterling|UK Pound|Pfund Sterling|"
    "Britisches Pfund|Livre sterling|Libra esterlina|Sterlina|Sterlina britannica|Brits pond|£",
    "CHF": "Swiss Franc|Schweizer Franken|Franc suisse|Franco suizo|Franco svizzero|"
    "Zwitserse frank|Franken|SFr.|Fr.",
    "JPY": "Yen|Japanese Yen|Japanischer Yen|Yen japonais|Yen japonés|Yen giapponese|円",
    "CNY": "Yuan|Chinese Yuan|Yuan Renminbi|Renminbi|Chinesischer Yuan|人民币|RMB",
    "CAD": "Canadian Dollar|Kanadischer Dollar|Dollar canadien|Dólar canadiense|CA$|C$",
    "AUD": "Australian Dollar|Australischer Dollar|Dollar australien|Dólar australiano|A$|AU$",
    "NZD": "New Zealand Dollar|Neuseeland-Dollar|NZ$",
    "SEK": "Swedish Krona|Schwedische Krone|Couronne suédoise|Svensk krona|Svenska kronor",
    "NOK": "Norwegian Krone|Norwegische Krone|Couronne norvégienne|Norske kroner|Norsk krone",
    "DKK": "Danish Krone|Dänische Krone|Couronne danoise|Danske kroner|Dansk krone",
    "PLN": "Polish Zloty|Zloty|Złoty|Polski złoty|Polnischer Zloty|zł",
    "CZK": "Czech Koruna|Tschechische Krone|Koruna česká|Česká koruna|Kč",
    "HUF": "Hungarian Forint|Forint|Ungarischer Forint|Magyar forint|Ft",
    "RON": "Romanian Leu|Leu românesc|Leu",
    "RUB": "Russian Ruble|Rubel|Russischer Rubel|Российский рубль|Рубль|руб.|₽",
    "TRY": "Turkish Lira|Türkische Lira|Türk lirası|₺",
    "INR": "Indian Rupee|Indische Rupie|Rupee|Rs.|₹",
    "BRL": "Brazilian Real|Real brasileiro|Real|Brasilianischer Real|R$",
    "MXN": "Mexican Peso|Peso mexicano|Mexikanischer Peso",
    "ZAR": "South African Rand|Rand",
    "SGD": "Singapore Dollar|Singapur-Dollar|S$",
    "HKD": "Hong Kong Dollar|Hongkong-Dollar|HK$",
    "AED": "UAE Dirham|United Arab Emirates Dirham|Dirham",
    "SAR": "Saudi Riyal|Riyal",
    "ILS": "Israeli New Shekel|Israeli Shekel|New Israeli Sheqel|Shekel|₪",
    "KRW": "South Korean Won|Korean Won|Won|₩",
    "UAH": "Ukrainian Hryvnia|Hryvnia|Гривня|₴",
}
# All codes that are known beside amounts.
CODES = frozenset(
    {
        *CURRENCIES, "ARS", "BGN", "BHD", "CLP", "COP", "EGP", "GEL", "IDR", "ISK", "KES", "KWD",
        "KZT", "MAD", "MDL", "MYR", "NGN", "OMR", "PEN", "PHP", "PKR", "QAR", "RSD", "THB", "TND",
        "TWD", "UYU", "VND",
    }
)  # fmt: skip
