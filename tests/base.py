"""
Bases that let NetBox's own test cases (utilities.testing) run for a plugin whose tests lie outside its package.
"""

from pathlib import Path
from unittest import mock

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.utils.module_loading import import_string

from utilities.testing import query_counts

APP = "netbox_peering_manager"
QUERY_COUNTS = Path(__file__).with_name("query_counts.json")

# NetBox looks for the recorded counts inside the app's package; ours are no part of the wheel.
query_counts._baseline_path = lambda app_label: QUERY_COUNTS


class KnownContentTypesMixin:
    """Lets recorded query counts hold in any order of tests: Django looks a content type up only once a process."""

    def setUp(self) -> None:
        super().setUp()
        ContentType.objects.get_for_models(*apps.get_models())


class PluginViewMixin(KnownContentTypesMixin):
    """For ViewTestCases: the plugin's view names."""

    def _get_base_url(self) -> str:
        return f"plugins:{APP}:{self.model._meta.model_name}_{{}}"


class WithoutLabel:
    """For BulkRenameObjectsViewTestCase: a model without a `label`, for which NetBox's cases of it skip themselves."""

    test_bulk_rename_label_field = None
    test_bulk_rename_name_and_label_fields = None


class PluginAPIMixin(KnownContentTypesMixin):
    """For APIViewTestCases: the plugin's REST view names."""

    view_namespace = f"plugins-api:{APP}"


class PluginFilterSetMixin:
    """For ChangeLoggedFilterSetTests and its kin: the plugin's filter sets, which NetBox looks for beside the test."""

    def test_missing_filters(self) -> None:
        def import_from_plugin(path: str):
            return import_string(
                path.replace(f"{type(self).__module__.split('.')[0]}.filtersets", f"{APP}.filtersets")
            )

        with mock.patch("utilities.testing.filtersets.import_string", import_from_plugin):
            super().test_missing_filters()
