"""Storage: every table, one file per subject. Rules live in `actions`, never here."""

from .account import Account
from .activity import Activity, Party
from .contact import Contact
from .duplicates import (
    DuplicatePair,
    DuplicateRule,
    LearnedWeights,
    QualityFigure,
    RadarState,
)
from .journal import Change, Operation
from .lead import Lead
from .note import Note
from .operations import (
    ImportFile,
    Job,
    Plan,
    PlanRow,
    Preference,
    SameRows,
    SignInLink,
    SourceId,
    Visit,
)
from .opportunity import Opportunity
from .options import ChoiceOption
from .people import (
    BusinessUnit,
    Membership,
    Principal,
    Role,
    RoleAssignment,
    RoleGrant,
    Share,
    Team,
    User,
)
from .recipes import ImportRecipe, RecipeKey, TakenFile
from .saved_view import SavedView
from .search import FreshKey, KeyRing, MatchKey, SearchBacklog, SearchQueue

__all__ = [
    "Account",
    "Activity",
    "BusinessUnit",
    "Change",
    "ChoiceOption",
    "Contact",
    "DuplicatePair",
    "DuplicateRule",
    "FreshKey",
    "ImportFile",
    "ImportRecipe",
    "Job",
    "KeyRing",
    "Lead",
    "LearnedWeights",
    "MatchKey",
    "Membership",
    "Note",
    "Operation",
    "Opportunity",
    "Party",
    "Plan",
    "PlanRow",
    "Preference",
    "Principal",
    "QualityFigure",
    "RadarState",
    "RecipeKey",
    "Role",
    "RoleAssignment",
    "RoleGrant",
    "SameRows",
    "SavedView",
    "SearchBacklog",
    "SearchQueue",
    "Share",
    "SignInLink",
    "SourceId",
    "TakenFile",
    "Team",
    "User",
    "Visit",
]
