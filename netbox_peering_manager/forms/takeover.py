"""Area `routers`: the choices for all sessions that are imported from a router."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from netbox_routing.models import BFDProfile

from ..choices import BGPRoleChoices
from ..models import Relationship
from ..services.takeover.found import Found
from ..services.takeover.planned import Choices, Group, Update

__all__ = ("ImportSessionsForm", "relationships_of", "usual_choices")

# Each gets a field; the rest have the choice for all others.
MOST_GROUPS = 30
OBJECTS = ("lan", "route_servers", "others", "bfd")


class ImportSessionsForm(forms.Form):
    """
    One field for each choice, however many sessions; `choices()` gives them to plan_import().

    `relationships` are those to choose from, the BFD profiles are what `user` may view. A field for each of `groups` is
    added: "group_0" and so on.
    """

    lan = forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        required=False,
        label=_("Over a LAN"),
        help_text=_("Neighbours in the prefix of a peering network"),
    )
    route_servers = forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        required=False,
        label=_("Route servers"),
        help_text=_("Left empty: as over a LAN"),
    )
    others = forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        required=False,
        label=_("All others"),
        help_text=_("Left empty: they are not imported"),
    )
    bfd = forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        required=False,
        label=_("BFD profile"),
        help_text=_("Of neighbours with BFD for which the router names no profile"),
    )
    make_missing = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Make what is missing"),
        help_text=_("BGP router, scopes, peer groups, route maps and BFD profiles, by their names"),
    )
    without_policies = forms.BooleanField(
        required=False,
        label=_("Import without policies"),
        help_text=_(
            "Also sessions whose route maps NetBox does not have with entries. They get none, and what is deployed "
            "then can reject all of their routes"
        ),
    )
    update = forms.ChoiceField(
        choices=[
            (Update.NONE.value, _("Leave them as they are")),
            (Update.CHOSEN.value, _("Change those that are ticked below")),
            (Update.ALL.value, _("Change all of them")),
        ],
        required=False,
        label=_("Sessions that differ"),
    )

    def __init__(
        self,
        data: Any,
        user: Any,
        found: Found,
        relationships: Sequence[Relationship],
        groups: Sequence[Group],
        **kwargs: Any,
    ):
        super().__init__(data, **kwargs)
        self.groups = groups[:MOST_GROUPS]
        named = [("", "---------"), *((row.pk, row.name) for row in relationships)]
        for name in ("lan", "route_servers", "others"):
            self.fields[name].choices = named
        for number, group in enumerate(self.groups):
            self.fields[f"group_{number}"] = forms.TypedChoiceField(
                coerce=int,
                empty_value=None,
                required=False,
                choices=named,
                label=f"{group.label} ({group.count})",
            )
        if any(each.bfd and not each.bfd_profile for each in found.neighbors):
            profiles = BFDProfile.objects.restrict(user, "view").values_list("pk", "name")
            self.fields["bfd"].choices = [("", "---------"), *profiles]
        else:
            del self.fields["bfd"]
        for field in self.fields.values():
            is_tick = isinstance(field.widget, forms.CheckboxInput)
            field.widget.attrs["class"] = "form-check-input" if is_tick else "form-select"

    @property
    def group_fields(self) -> list[forms.BoundField]:
        return [self[f"group_{number}"] for number in range(len(self.groups))]

    def choices(self, take: Sequence[str]) -> Choices:
        """Return what was chosen, for a valid form. `take`: the keys of the neighbours that are ticked."""
        data = self.cleaned_data
        groups = {
            group.key: chosen
            for number, group in enumerate(self.groups)
            if (chosen := data[f"group_{number}"]) is not None
        }
        return Choices(
            **{name: data.get(name) for name in OBJECTS},
            groups=groups,
            make_missing=data["make_missing"],
            without_policies=data["without_policies"],
            update=Update(data["update"] or Update.NONE),
            take=tuple(take),
        )

    @staticmethod
    def initial_of(choices: Choices, groups: Sequence[Group]) -> dict[str, Any]:
        """Return what the form begins with, so that it shows these choices."""
        return {
            **{name: getattr(choices, name) for name in OBJECTS},
            **{f"group_{n}": choices.groups.get(group.key) for n, group in enumerate(groups[:MOST_GROUPS])},
            "make_missing": choices.make_missing,
            "without_policies": choices.without_policies,
            "update": choices.update.value,
        }


def relationships_of(user: Any) -> list[Relationship]:
    """Return the relationships that `user` may view."""
    return list(Relationship.objects.restrict(user, "view"))


def usual_choices(relationships: Sequence[Relationship]) -> Choices:
    """Return what is chosen until somebody chooses: the relationships whose role says what they are for."""

    def only(role: str) -> int | None:
        found = [row.pk for row in relationships if row.bgp_role == role]
        return found[0] if len(found) == 1 else None

    return Choices(lan=only(BGPRoleChoices.PEER), route_servers=only(BGPRoleChoices.RS_CLIENT))
