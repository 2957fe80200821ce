"""Who sells: units, people and teams of the demo."""

from __future__ import annotations

from dataclasses import dataclass

UNITS = ("Central Europe", "Western Europe", "Americas")
DOMAIN = "demo.example"


@dataclass(frozen=True, kw_only=True)
class Member:
    """Somebody of the sales team. `unit` '': the whole organisation."""

    key: str
    first_name: str
    last_name: str
    job_title: str
    role: str
    unit: str
    phone: str
    time_zone: str = "Europe/Berlin"

    @property
    def email(self) -> str:
        """The address that signs in."""
        return f"{self.key}@{DOMAIN}"


ADMINISTRATOR, SALESPERSON, MARKETING = "ada.bergmann", "jonas.weber", "sofia.lindqvist"
MEMBERS = (
    Member(
        key=ADMINISTRATOR, first_name="Ada", last_name="Bergmann", job_title="Sales Operations",
        role="system-administrator", unit="", phone="+49 30 555 0100",
    ),
    Member(
        key="ruth.keller", first_name="Ruth", last_name="Keller", job_title="Sales Manager",
        role="sales-manager", unit="Central Europe", phone="+49 30 555 0111",
    ),
    Member(
        key=SALESPERSON, first_name="Jonas", last_name="Weber", job_title="Account Manager",
        role="salesperson", unit="Central Europe", phone="+49 30 555 0112",
    ),
    Member(
        key="kasia.nowak", first_name="Kasia", last_name="Nowak", job_title="Account Manager",
        role="salesperson", unit="Central Europe", phone="+48 22 555 01 13",
        time_zone="Europe/Warsaw",
    ),
    Member(
        key="claire.fontaine", first_name="Claire", last_name="Fontaine", job_title="Sales Manager",
        role="sales-manager", unit="Western Europe", phone="+33 1 55 50 01 21",
        time_zone="Europe/Paris",
    ),
    Member(
        key="luca.moretti", first_name="Luca", last_name="Moretti", job_title="Account Manager",
        role="salesperson", unit="Western Europe", phone="+39 02 555 0122",
        time_zone="Europe/Rome",
    ),
    Member(
        key="megan.hughes", first_name="Megan", last_name="Hughes", job_title="Account Manager",
        role="salesperson", unit="Western Europe", phone="+44 20 7946 0123",
        time_zone="Europe/London",
    ),
    Member(
        key="tyler.brooks", first_name="Tyler", last_name="Brooks", job_title="Regional Sales Lead",
        role="sales-manager", unit="Americas", phone="+1 312-555-0131",
        time_zone="America/Chicago",
    ),
    Member(
        key=MARKETING, first_name="Sofia", last_name="Lindqvist", job_title="Marketing Manager",
        role="marketing", unit="Western Europe", phone="+46 8 555 01 41",
        time_zone="Europe/Stockholm",
    ),
)  # fmt: skip
# Team -> its unit and members.
TEAMS = {
    "Key Accounts": ("", ("ruth.keller", "claire.fontaine", "tyler.brooks")),
    "Inside Sales": ("Western Europe", (MARKETING, "megan.hughes")),
}
# Who looks after the customers of a country, in turns.
SELLERS = {
    "DE": (SALESPERSON, SALESPERSON, "ruth.keller"),
    "AT": (SALESPERSON,),
    "CH": (SALESPERSON, "ruth.keller"),
    "PL": ("kasia.nowak",),
    "FR": ("claire.fontaine", "luca.moretti"),
    "BE": ("claire.fontaine",),
    "NL": ("megan.hughes",),
    "ES": ("luca.moretti",),
    "IT": ("luca.moretti",),
    "GB": ("megan.hughes",),
    "SE": ("megan.hughes",),
    "US": ("tyler.brooks",),
    "CA": ("tyler.brooks",),
    "BR": ("tyler.brooks",),
}
# And after the large ones, which the team Key Accounts owns.
KEY_SELLERS = {
    "Central Europe": "ruth.keller",
    "Western Europe": "claire.fontaine",
    "Americas": "tyler.brooks",
}
# Whose customers are shared with whom, and whether to work with.
SHARED = (
    (SALESPERSON, "luca.moretti", False),
    ("luca.moretti", SALESPERSON, True),
    ("megan.hughes", "tyler.brooks", True),
    ("tyler.brooks", "megan.hughes", False),
    ("kasia.nowak", "Inside Sales", True),
    ("claire.fontaine", "Inside Sales", False),
)
