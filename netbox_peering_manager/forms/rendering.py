"""The choice of a config template on the rendering pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from extras.models import ConfigTemplate

__all__ = ("RenderTemplateForm",)


class RenderTemplateForm(forms.Form):
    """Chooses among the config templates that the user may render. Sent by GET."""

    template = forms.ModelChoiceField(
        label=_("Config template"),
        queryset=ConfigTemplate.objects.none(),
        required=False,
        empty_label="---------",
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        templates = ConfigTemplate.objects.select_related("data_file__source")
        self.fields["template"].queryset = templates.restrict(user, "render").restrict(user, "view")
