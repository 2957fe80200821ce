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
        "Trade Show": "Messe|Fachmesse|Messekontakt|Veranstaltung|Konferenz|Salon|Foire|"
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
        "Hot": "Heiß|Hoch|Chaud|Caliente|Caldo|Heet|Quente",
        "Warm": "Mittel|Tiède|Templado|Tibio|Tiepido|Lauw|Morno",
        "Cold": "Kalt|Niedrig|Froid|Frío|Freddo|Koud|Frio",
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
