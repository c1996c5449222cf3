"""Area `sessions`: how forms take a password. It only ever goes in."""

from django import forms
from django.utils.translation import gettext_lazy as _

from ..services.secrets import set_password


class PasswordField(forms.CharField):
    """A password to be kept; browsers neither show nor remember it, and no form ever carries one out."""

    def __init__(self, **kwargs):
        super().__init__(
            required=False,
            strip=False,
            # The length of BGPPeer.password, which routers' limits lie far below.
            max_length=255,
            widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
            **{"label": _("Password"), **kwargs},
        )


class PasswordFieldsMixin(forms.Form):
    """
    For the model form of PeeringSession: an empty password keeps the one there is, a check box removes it.
    """

    password = PasswordField(help_text=_("Kept encrypted. Leave it empty to keep the password there is."))
    remove_password = forms.BooleanField(required=False, label=_("Remove the password"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.instance.has_password:
            del self.fields["remove_password"]
            self.fields["password"].help_text = _("Kept encrypted.")

    def clean(self):
        cleaned = super().clean()
        if self.cleaned_data.get("password") and self.cleaned_data.get("remove_password"):
            self.add_error("remove_password", _("Enter a new password or remove the password, not both."))
        return cleaned

    def save(self, *args, **kwargs):
        if password := self.cleaned_data.get("password"):
            set_password(self.instance, password)
        elif self.cleaned_data.get("remove_password"):
            set_password(self.instance, "")
        return super().save(*args, **kwargs)
