"""Choice lists that several entities share. Values are those of Dynamics 365 Sales."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Industry(models.IntegerChoices):
    """Industry of a company."""

    ACCOUNTING = 1, _("Accounting")
    AGRICULTURE = 2, _("Agriculture and Non-petrol Natural Resource Extraction")
    BROADCASTING = 3, _("Broadcasting Printing and Publishing")
    BROKERS = 4, _("Brokers")
    BUILDING_SUPPLY = 5, _("Building Supply Retail")
    BUSINESS_SERVICES = 6, _("Business Services")
    CONSULTING = 7, _("Consulting")
    CONSUMER_SERVICES = 8, _("Consumer Services")
    DESIGN = 9, _("Design, Direction and Creative Management")
    DISTRIBUTORS = 10, _("Distributors, Dispatchers and Processors")
    DOCTORS = 11, _("Doctor's Offices and Clinics")
    DURABLE_MANUFACTURING = 12, _("Durable Manufacturing")
    EATING = 13, _("Eating and Drinking Places")
    ENTERTAINMENT = 14, _("Entertainment Retail")
    EQUIPMENT_RENTAL = 15, _("Equipment Rental and Leasing")
    FINANCIAL = 16, _("Financial")
    FOOD_PROCESSING = 17, _("Food and Tobacco Processing")
    INBOUND_CAPITAL = 18, _("Inbound Capital Intensive Processing")
    INBOUND_REPAIR = 19, _("Inbound Repair and Services")
    INSURANCE = 20, _("Insurance")
    LEGAL = 21, _("Legal Services")
    NON_DURABLE_RETAIL = 22, _("Non-Durable Merchandise Retail")
    OUTBOUND_CONSUMER = 23, _("Outbound Consumer Service")
    PETROCHEMICAL = 24, _("Petrochemical Extraction and Distribution")
    SERVICE_RETAIL = 25, _("Service Retail")
    SIG = 26, _("SIG Affiliations")
    SOCIAL = 27, _("Social Services")
    SPECIAL_TRADE = 28, _("Special Outbound Trade Contractors")
    SPECIALTY_REALTY = 29, _("Specialty Realty")
    TRANSPORTATION = 30, _("Transportation")
    UTILITY = 31, _("Utility Creation and Distribution")
    VEHICLE_RETAIL = 32, _("Vehicle Retail")
    WHOLESALE = 33, _("Wholesale")


class ContactMethod(models.IntegerChoices):
    """How somebody wants to be reached."""

    ANY = 1, _("Any")
    EMAIL = 2, _("Email")
    PHONE = 3, _("Phone")
    FAX = 4, _("Fax")
    MAIL = 5, _("Mail")


class PaymentTerms(models.IntegerChoices):
    """When an invoice is due."""

    NET_30 = 1, _("Net 30")
    TWO_PERCENT_10 = 2, _("2% 10, Net 30")
    NET_45 = 3, _("Net 45")
    NET_60 = 4, _("Net 60")


class PreferredDay(models.IntegerChoices):
    """Best day for an appointment."""

    SUNDAY = 0, _("Sunday")
    MONDAY = 1, _("Monday")
    TUESDAY = 2, _("Tuesday")
    WEDNESDAY = 3, _("Wednesday")
    THURSDAY = 4, _("Thursday")
    FRIDAY = 5, _("Friday")
    SATURDAY = 6, _("Saturday")


class PreferredTime(models.IntegerChoices):
    """Best time for an appointment."""

    MORNING = 1, _("Morning")
    AFTERNOON = 2, _("Afternoon")
    EVENING = 3, _("Evening")


class Rating(models.IntegerChoices):
    """How warm a lead or an opportunity is."""

    HOT = 1, _("Hot")
    WARM = 2, _("Warm")
    COLD = 3, _("Cold")


class BudgetStatus(models.IntegerChoices):
    """How firm the budget is."""

    NONE = 0, _("No Committed Budget")
    MAY_BUY = 1, _("May Buy")
    CAN_BUY = 2, _("Can Buy")
    WILL_BUY = 3, _("Will Buy")


class Need(models.IntegerChoices):
    """How much they need it."""

    MUST = 0, _("Must have")
    SHOULD = 1, _("Should have")
    GOOD = 2, _("Good to have")
    NONE = 3, _("No need")


class PurchaseTimeframe(models.IntegerChoices):
    """When they mean to buy."""

    IMMEDIATE = 0, _("Immediate")
    THIS_QUARTER = 1, _("This Quarter")
    NEXT_QUARTER = 2, _("Next Quarter")
    THIS_YEAR = 3, _("This Year")
    UNKNOWN = 4, _("Unknown")


class PurchaseProcess(models.IntegerChoices):
    """Who decides."""

    INDIVIDUAL = 0, _("Individual")
    COMMITTEE = 1, _("Committee")
    UNKNOWN = 2, _("Unknown")


class Priority(models.IntegerChoices):
    """Priority of an activity."""

    LOW = 0, _("Low")
    NORMAL = 1, _("Normal")
    HIGH = 2, _("High")
