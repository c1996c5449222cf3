"""Lists and filters of syncs, drift and refused rows as NetBox's own cases try them; what the page's facts cost."""

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from utilities.testing import BaseFilterSetTestMixin, TableTestCases, ViewTestCases

from netbox_peering_manager.filtersets import (
    PeeringDBDriftFilterSet,
    PeeringDBRefusedRowFilterSet,
    PeeringDBSyncFilterSet,
)
from netbox_peering_manager.models import PeeringDBDrift, PeeringDBRefusedRow, PeeringDBSync
from netbox_peering_manager.services.peeringdb.status import peeringdb_status
from netbox_peering_manager.tables import (
    PeeringDBDriftTable,
    PeeringDBRefusedRowTable,
    PeeringDBSyncTable,
)
from netbox_peering_manager.views.peeringdb import PeeringDBRefusedRowListView, PeeringDBSyncListView
from netbox_peering_manager.views.peeringdb_drift import PeeringDBDriftListView
from tests import factories
from tests.base import PluginFilterSetMixin, PluginViewMixin
from tests.sessions.people import make_root

JOB = "PeeringDB Sync"


def make_syncs():
    return [
        PeeringDBSync.objects.create(
            mode=mode, status=status, ended=timezone.now(), holder=f"process {number}"
        )
        for number, (mode, status) in enumerate(
            (("full", "completed"), ("incremental", "failed"), ("incremental", "running"))
        )
    ]


def make_drift():
    kinds = ("max-prefixes-differ", "network-gone", "contacts-gone")
    details = (
        {"family": 4, "ours": 1, "peeringdb": 2, "follows": False},
        {"asn": 64497, "peeringdb_id": 5},
        {"asn": 64498},
    )
    peers = [factories.make_peer_asn(64496 + number) for number in range(3)]
    return [
        PeeringDBDrift.objects.create(
            kind=kind, object_type=ContentType.objects.get_for_model(peer), object_id=peer.pk, details=each
        )
        for kind, peer, each in zip(kinds, peers, details, strict=True)
    ]


def make_refused():
    return [
        PeeringDBRefusedRow.objects.create(
            tag=tag, peeringdb_id=number, reason="asn is missing", row={"id": number}, seen=timezone.now()
        )
        for number, tag in enumerate(("net", "net", "poc"))
    ]


class SyncViewTest(
    PluginViewMixin, ViewTestCases.GetObjectViewTestCase, ViewTestCases.ListObjectsViewTestCase
):
    model = PeeringDBSync

    @classmethod
    def setUpTestData(cls):
        make_syncs()


class SyncTableTest(TableTestCases.StandardTableTestCase):
    table = PeeringDBSyncTable

    @classmethod
    def setUpTestData(cls):
        make_syncs()

    @classmethod
    def get_queryset_sources(cls):
        return (("list", PeeringDBSyncListView.queryset),)


class DriftTableTest(TableTestCases.StandardTableTestCase):
    table = PeeringDBDriftTable

    @classmethod
    def setUpTestData(cls):
        make_drift()

    @classmethod
    def get_queryset_sources(cls):
        return (("list", PeeringDBDriftListView.queryset),)


class RefusedRowTableTest(TableTestCases.StandardTableTestCase):
    table = PeeringDBRefusedRowTable

    @classmethod
    def setUpTestData(cls):
        make_refused()

    @classmethod
    def get_queryset_sources(cls):
        return (("list", PeeringDBRefusedRowListView.queryset),)


class SyncFilterSetTest(PluginFilterSetMixin, BaseFilterSetTestMixin, TestCase):
    queryset = PeeringDBSync.objects.all()
    filterset = PeeringDBSyncFilterSet
    # What a sync did is not filtered by, nor what it said, but by `q`; types are `tag`.
    ignore_fields = ("counts", "applied", "message", "tags")

    @classmethod
    def setUpTestData(cls):
        make_syncs()


class DriftFilterSetTest(PluginFilterSetMixin, BaseFilterSetTestMixin, TestCase):
    queryset = PeeringDBDrift.objects.all()
    filterset = PeeringDBDriftFilterSet
    # What tells rows apart for the comparison, and values that `q` looks into.
    ignore_fields = ("key", "details")
    filter_name_map = {"object_type_id": "object_type"}

    @classmethod
    def setUpTestData(cls):
        make_drift()


class RefusedRowFilterSetTest(PluginFilterSetMixin, BaseFilterSetTestMixin, TestCase):
    queryset = PeeringDBRefusedRow.objects.all()
    filterset = PeeringDBRefusedRowFilterSet
    ignore_fields = ("reason", "row")

    @classmethod
    def setUpTestData(cls):
        make_refused()


class StatusTest(TestCase):
    """What the page shows is gathered with a fixed number of queries."""

    def facts(self, user):
        with CaptureQueriesContext(connection) as queries:
            status = peeringdb_status(user, job_name=JOB)
        return status, len(queries)

    def test_it_costs_the_same_for_a_few_rows_and_for_many(self):
        root = make_root()
        make_syncs()
        make_drift()
        make_refused()
        self.facts(root)
        few, cost = self.facts(root)
        for _ in range(5):
            make_syncs()
            make_refused()
        many, cost_of_many = self.facts(root)
        assert (many.refused, few.refused) == (18, 3)
        assert cost_of_many == cost
        assert cost <= 16

    def test_types_come_in_peeringdbs_order_whether_or_not_they_were_synced(self):
        status, _ = self.facts(make_root())
        assert [each.tag for each in status.types][:4] == ["org", "campus", "fac", "carrier"]
        assert len(status.types) == 13
        assert status.is_empty

    def test_drift_is_counted_by_kind(self):
        make_drift()
        status, _ = self.facts(make_root())
        assert {each.kind: each.count for each in status.drift} == {
            "max-prefixes-differ": 1,
            "network-gone": 1,
            "contacts-gone": 1,
        }
        assert status.drift_total == 3

    def test_a_sync_that_says_it_runs_but_has_no_process_does_not_run(self):
        make_syncs()
        status, _ = self.facts(make_root())
        assert status.running is None
