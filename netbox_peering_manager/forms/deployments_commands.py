"""Area `deployments`: the Config Manager's form: commands that are sent once, with one's own login if one likes."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from utilities.forms.rendering import FieldSet

from ..services.devices.credentials import Credentials
from ..services.secrets import MASK

__all__ = ("CommandsForm",)


class CommandsForm(forms.Form):
    """Nothing of it is kept in clear, and what was typed as a password is not shown again."""

    commands = forms.CharField(
        label=_("Commands"),
        strip=False,
        max_length=500_000,
        widget=forms.Textarea(
            attrs={
                "class": "font-monospace",
                "rows": 18,
                "spellcheck": "false",
                "autocomplete": "off",
                "wrap": "off",
            }
        ),
        help_text=_("As the router's platform takes a configuration. They are sent once."),
    )
    username = forms.CharField(
        required=False,
        max_length=100,
        label=_("User name"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Your own on the router. Left empty: the router's credential profile."),
    )
    password = forms.CharField(
        required=False,
        strip=False,
        max_length=1000,
        label=_("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_(
            "With a login of your own the commands are compared and committed in one go, because the password is "
            "kept for minutes only. Without, you see the changes before you commit them."
        ),
    )
    reason = forms.CharField(
        required=False, max_length=1000, label=_("Reason"), help_text=_("For who reads it later")
    )

    fieldsets = (
        FieldSet("commands", name=_("Commands")),
        FieldSet("username", "password", name=_("Login")),
        FieldSet("reason", name=_("Why")),
    )

    def clean_commands(self) -> str:
        commands: str = self.cleaned_data["commands"].replace("\r\n", "\n")
        masked = [str(number) for number, line in enumerate(commands.split("\n"), 1) if MASK in line]
        if masked:
            raise ValidationError(
                _(
                    "Masked passwords ({mask}) in line {lines}: a router would take the asterisks for them. Type "
                    "the password there, or take the line out."
                ).format(mask=MASK, lines=", ".join(masked[:10]))
            )
        return commands

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("username")) != bool(cleaned.get("password")):
            self.add_error(
                "password" if cleaned.get("username") else "username",
                _("Give both user name and password, or neither."),
            )
        return cleaned

    def credentials(self) -> Credentials | None:
        """Return what was typed, None when the router's own profile is to be used. For a valid form."""
        if not self.cleaned_data["username"]:
            return None
        return Credentials(username=self.cleaned_data["username"], password=self.cleaned_data["password"])
