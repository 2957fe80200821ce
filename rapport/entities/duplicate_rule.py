"""Duplicate detection rules: when two records are the same. Administrators edit them."""

from django.utils.translation import gettext_lazy as _

from rapport.meta.entity import Entity, Section, View
from rapport.meta.registry import registry
from rapport.models import DuplicateRule

registry.add(
    Entity(
        model=DuplicateRule,
        name="duplicate_rule",
        label=_("Duplicate rule"),
        label_plural=_("Duplicate rules"),
        icon="copy",
        wire_name="duplicaterule",
        wire_set="duplicaterules",
        code=4414,
        title="name",
        columns=("name", "base_entity", "matching_entity", "threshold", "status"),
        sections=(
            Section(
                label=_("Rule"),
                fields=("name", "base_entity", "matching_entity", "threshold", "exclude_inactive",
                        "case_sensitive"),
            ),
            Section(label=_("Conditions"), fields=("definition",), tab="details"),
        ),
        wire={
            "name": "name",
            "base_entity": "baseentityname",
            "matching_entity": "matchingentityname",
            "case_sensitive": "iscasesensitive",
            "exclude_inactive": "excludeinactiverecords",
        },
        ownership="organisation",
        views=(View(key="all", label=_("Duplicate rules"), default=True),),
        importable=False,
        in_search=False,
        in_hub=False,
    )
)  # fmt: skip
