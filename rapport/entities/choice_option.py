"""Options that administrators add to the choice lists that ship."""

from django.utils.translation import gettext_lazy as _

from rapport.meta.entity import Entity, Section, View
from rapport.meta.registry import registry
from rapport.models import ChoiceOption

registry.add(
    Entity(
        model=ChoiceOption,
        name="choice_option",
        label=_("Option"),
        label_plural=_("Options"),
        icon="list-checks",
        wire_name="choiceoption",
        wire_set="choiceoptions",
        code=4415,
        title="label",
        columns=("label", "list_name", "status"),
        sections=(Section(label=_("Option"), fields=("list_name", "label", "value")),),
        wire={"label": "label", "list_name": "optionset", "value": "value"},
        ownership="organisation",
        views=(View(key="all", label=_("Options"), default=True),),
        creatable=False,
        deletable=False,
        importable=False,
        in_search=False,
        in_hub=False,
    )
)
