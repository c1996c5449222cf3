"""Deployments in NetBox's own test cases: pages, table, filters, REST, GraphQL."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from django.http import QueryDict
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from dcim.models import Site
from users.models import User
from utilities.testing import (
    APIViewTestCases,
    ChangeLoggedFilterSetTestMixin,
    TableTestCases,
    ViewTestCases,
    create_tags,
)

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.filtersets import DeploymentFilterSet
from netbox_peering_manager.models import Deployment, DeploymentBatch
from netbox_peering_manager.tables import DeploymentTable
from tests import factories
from tests.base import PluginAPIMixin, PluginFilterSetMixin, PluginViewMixin

from .faces import keep_deployment
from .scenery import make_router, make_sessions


class DeploymentViewTestCase(
    PluginViewMixin,
    ViewTestCases.GetObjectViewTestCase,
    ViewTestCases.GetObjectChangelogViewTestCase,
    ViewTestCases.EditObjectViewTestCase,
    ViewTestCases.DeleteObjectViewTestCase,
    ViewTestCases.ListObjectsViewTestCase,
    ViewTestCases.BulkDeleteObjectsViewTestCase,
):
    model = Deployment

    @classmethod
    def setUpTestData(cls):
        router = make_router()
        for _ in range(3):
            keep_deployment(router)
        tags = create_tags("Alpha", "Bravo")
        cls.form_data = {
            "description": "Why this",
            "comments": "Much to say",
            "tags": [tag.pk for tag in tags],
        }


class DeploymentAPITest(
    PluginAPIMixin,
    APIViewTestCases.GetObjectViewTestCase,
    APIViewTestCases.ListObjectsViewTestCase,
    APIViewTestCases.UpdateObjectViewTestCase,
    APIViewTestCases.DeleteObjectViewTestCase,
    APIViewTestCases.GraphQLTestCase,
):
    model = Deployment
    brief_fields = ["description", "display", "id", "kind", "router", "status", "url"]
    user_permissions = ("netbox_peering_manager.view_peeringrouter", "users.view_user")
    update_data = {"description": "Another"}
    bulk_update_data = {"description": "Many"}
    # They have ended.
    bulk_update_invalid_data = {"scheduled": "2040-01-01T00:00:00Z"}
    graphql_base_name = "peering_deployment"

    @classmethod
    def setUpTestData(cls):
        router = make_router()
        for number in range(3):
            keep_deployment(router, description=f"Number {number}")


class DeploymentTableTest(TableTestCases.StandardTableTestCase):
    table = DeploymentTable

    @classmethod
    def setUpTestData(cls):
        keep_deployment()

    @classmethod
    def get_queryset_sources(cls):
        return (("list", Deployment.objects.with_people().without_texts()),)

    def test_changes_are_counted(self):
        row = self.table(Deployment.objects.all()).rows[0]
        assert row.get_cell_value("changes") == "+1 \N{MINUS SIGN}1"
        assert "+1" in row.get_cell("changes")


class DeploymentFilterSetTestCase(PluginFilterSetMixin, ChangeLoggedFilterSetTestMixin, TestCase):
    queryset = Deployment.objects.all()
    filterset = DeploymentFilterSet
    # What is sent, what would change and how sessions stood are no words to look for.
    ignore_fields = (
        "encrypted_text",
        "masked_text",
        "text_digest",
        "masked_diff",
        "diff_digest",
        "sessions_before",
        "sessions_after",
        # Of tables that refer to it.
        "targets",
        "steps",
    )

    @classmethod
    def setUpTestData(cls):
        cls.ann, cls.bob = (User.objects.create_user(name) for name in ("ann", "bob"))
        cls.request = SimpleNamespace(user=User.objects.create_user("boss", is_superuser=True))
        cls.first, cls.second = make_router("rt1.mtl"), make_router("rt2.tor")
        cls.first.device.site = Site.objects.create(name="Montreal", slug="mtl")
        cls.first.device.save()
        [cls.session, cls.other] = make_sessions(cls.first, "198.51.100.42", "198.51.100.43")
        cls.batch = DeploymentBatch.objects.create()
        cls.when = datetime(2031, 5, 1, 12, tzinfo=UTC)
        cls.one = keep_deployment(
            cls.first,
            [cls.session],
            requested_by=cls.ann,
            approved_by=cls.bob,
            released_by=cls.bob,
            description="First",
            reason="All is well",
            batch=cls.batch,
        )
        cls.whole = keep_deployment(
            cls.first, status=Status.SCHEDULED, scheduled=cls.when, mode="replace", automatic=True
        )
        cls.commands = keep_deployment(
            cls.second, kind="commands", status=Status.FAILED, own_credentials=True
        )

    def found(self, **params):
        data = QueryDict(mutable=True)
        for name, value in params.items():
            data.setlist(name, value if isinstance(value, list) else [value])
        return set(self.filterset(data, self.queryset, request=self.request).qs)

    def test_q_finds_by_router_people_neighbor_reason_and_description(self):
        for text in ("ann", "bob", "198.51.100.42", "is well", "first"):
            with self.subTest(text=text):
                assert self.found(q=text) == {self.one}
        assert self.found(q="RT2") == {self.commands}
        assert self.found(reason="All is well") == {self.one}
        assert len(self.found(q=" ")) == 3

    def test_router_device_and_site(self):
        for params in (
            {"router_id": self.second.pk},
            {"device_id": self.second.device_id},
            {"device": "rt2.tor"},
        ):
            with self.subTest(params=params):
                assert self.found(**params) == {self.commands}
        assert self.found(site="mtl") == {self.one, self.whole}
        assert self.found(site_id=self.first.device.site_id) == {self.one, self.whole}

    def test_session_finds_what_names_it_and_what_is_of_its_whole_router(self):
        assert self.found(session_id=self.session.pk) == {self.one, self.whole}
        assert self.found(session_id=self.other.pk) == {self.whole}

    def test_kind_status_mode_and_switches(self):
        assert self.found(kind="commands") == {self.commands}
        assert self.found(status=["scheduled", "failed"]) == {self.whole, self.commands}
        assert self.found(mode="replace") == {self.whole}
        assert self.found(partial="true") == {self.one}
        assert self.found(automatic="true") == {self.whole}
        assert self.found(own_credentials="true") == {self.commands}
        assert self.found(batch_id=self.batch.pk) == {self.one}

    def test_people(self):
        for params in (
            {"requested_by": "ann"},
            {"requested_by_id": self.ann.pk},
            {"approved_by": "bob"},
            {"approved_by_id": self.bob.pk},
            {"released_by": "bob"},
            {"released_by_id": self.bob.pk},
        ):
            with self.subTest(params=params):
                assert self.found(**params) == {self.one}

    def test_scheduled_before_and_after(self):
        later = (self.when + timedelta(hours=1)).isoformat()
        earlier = (self.when - timedelta(hours=1)).isoformat()
        assert self.found(scheduled__before=later) == {self.whole}
        assert self.found(scheduled__after=earlier) == {self.whole}
        assert self.found(scheduled__before=earlier) == set()
        assert self.found(scheduled=self.when.isoformat()) == {self.whole}


def test_menu_entry_leads_to_those_that_are_scheduled(admin):
    waits = keep_deployment(status=Status.SCHEDULED, scheduled=timezone.now() + timedelta(days=1))
    keep_deployment(factories.make_device("rt2.mtl") and make_router("rt2.mtl"))
    page = admin.get(reverse("plugins:netbox_peering_manager:deployment_scheduled"), follow=True)
    assert [row.record for row in page.context["table"].rows] == [waits]
