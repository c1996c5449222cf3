"""The PeeringDB page, its buttons, syncs and refused rows: what is shown, and to whom."""

import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.models import Job

from dev.sample_peeringdb.server import API_KEY
from netbox_peering_manager.jobs.peeringdb import PeeringDBSyncJob
from netbox_peering_manager.models import (
    PeeringDBDrift,
    PeeringDBRefusedRow,
    PeeringDBSync,
    PeeringDBWatermark,
)
from netbox_peering_manager.services.peeringdb import status as facts
from netbox_peering_manager.services.peeringdb.drift import refresh_drift
from netbox_peering_manager.services.queued import at_work
from tests import factories
from tests.peeringdb.scenery import Story
from tests.sessions.people import browser, make_root, make_user, ours

pytestmark = pytest.mark.django_db

VIEW, SYNC = ours("view_peeringdbsync", "sync_peeringdbsync")


def address(name, *args):
    return reverse(f"plugins:netbox_peering_manager:{name}", args=args)


def text_of(response):
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def page(user):
    return text_of(browser(user).get(address("peeringdb")))


def make_sync(**fields):
    ended = timezone.now() - timedelta(hours=2)
    values = {
        "mode": "incremental",
        "status": "completed",
        "ended": ended,
        "holder": "process 7 on worker1",
        "message": "Two rows wait for their network.",
        "counts": {"net": {"created": 3, "updated": 2, "unchanged": 9, "deleted": 1, "refused": 1}},
        "applied": {"peerasn": {"updated": 2}},
        **fields,
    }
    sync = PeeringDBSync.objects.create(**values)
    PeeringDBSync.objects.filter(pk=sync.pk).update(started=ended - timedelta(minutes=3))
    return sync


def make_refused(count=1, tag="net", **fields):
    return PeeringDBRefusedRow.objects.bulk_create(
        PeeringDBRefusedRow(
            tag=tag,
            peeringdb_id=number,
            reason=f"asn is {number}: too large",
            row={"id": number, "name": "Odd <b>Network</b>", **fields},
            seen=timezone.now(),
        )
        for number in range(1, count + 1)
    )


@pytest.fixture(autouse=True)
def forgotten():
    cache.delete(facts.TESTED)
    yield
    cache.delete(facts.TESTED)


@pytest.fixture
def settings_of(settings):
    """Change settings of the plugin for this test."""

    def change(**values):
        config = settings.PLUGINS_CONFIG
        settings.PLUGINS_CONFIG = {
            **config,
            "netbox_peering_manager": {**config["netbox_peering_manager"], **values},
        }

    return change


class TestWhoSeesThePage:
    @pytest.mark.parametrize("name", ["peeringdb", "peeringdbsync_list", "peeringdbrefusedrow_list"])
    def test_it_takes_the_right_to_view_syncs(self, name):
        assert "/login/" in browser().get(address(name))["Location"]
        others = make_user(*ours("view_peerasn", "view_peeringsession", "sync_peeringdbsync"))
        assert browser(others).get(address(name)).status_code == 403
        assert browser(make_user(VIEW, name="viewer")).get(address(name)).status_code == 200

    def test_a_user_whose_syncs_are_constrained_sees_only_those(self):
        hidden = make_sync(message="HIDDEN")
        shown = make_sync(message="SHOWN", mode="full")
        user = make_user(VIEW, constraints={"mode": "full"})
        assert "SHOWN" in page(user)
        listed = text_of(browser(user).get(address("peeringdbsync_list")))
        assert "SHOWN" in listed
        assert "HIDDEN" not in listed
        assert browser(user).get(hidden.get_absolute_url()).status_code == 404
        assert browser(user).get(shown.get_absolute_url()).status_code == 200

    def test_refused_rows_are_for_who_may_view_every_sync(self):
        make_refused()
        user = make_user(VIEW, constraints={"mode": "full"})
        assert browser(user).get(address("peeringdbrefusedrow_list")).status_code == 403
        assert address("peeringdbrefusedrow_list") not in page(user)

    def test_buttons_are_offered_to_who_may_sync(self):
        for button in ("peeringdb_sync", "peeringdb_test_key"):
            assert address(button) not in page(make_user(VIEW, name=f"view-{button}"))
            assert address(button) in page(make_user(VIEW, SYNC, name=f"sync-{button}"))

    @pytest.mark.parametrize("button", ["peeringdb_sync", "peeringdb_test_key", "peeringdb_compare"])
    def test_buttons_refuse_who_may_not_sync(self, button):
        assert "/login/" in browser().post(address(button))["Location"]
        assert browser(make_user(VIEW)).post(address(button)).status_code == 403
        # A constraint on syncs has no sync here to be held against.
        constrained = make_user(SYNC, name="constrained", constraints={"mode": "full"})
        assert browser(constrained).post(address(button)).status_code == 403
        assert Job.objects.count() == 0

    @pytest.mark.parametrize("button", ["peeringdb_sync", "peeringdb_test_key", "peeringdb_compare"])
    def test_buttons_do_nothing_when_they_are_only_opened(self, button):
        assert browser(make_root()).get(address(button)).status_code == 405

    def test_counts_are_of_what_the_user_may_view(self, hamlet):
        story = Story(hamlet)
        story.peer(64496, follow_peeringdb=[])
        story.session(99, 64496)
        story.fill()
        refresh_drift()
        assert PeeringDBDrift.objects.exists()
        text = page(make_user(VIEW))
        assert "Nothing that you can see disagrees" in text
        assert 'Fabrics linked</th> <td class="text-end">0' in text
        every = page(make_root())
        assert '?kind=peer-address-gone">1</a>' in every
        assert '?peeringdb_id__empty=false">2</a>' in every


class TestWhatThePageShows:
    def test_an_empty_mirror_says_what_to_do(self):
        assert "The first sync fetches everything" in page(make_root())

    def test_the_last_sync_with_its_outcome_and_message(self):
        sync = make_sync(status="failed", message="PeeringDB cannot be reached.")
        text = page(make_root())
        assert sync.get_absolute_url() in text
        assert "Failed" in text
        assert "PeeringDB cannot be reached." in text

    def test_the_age_is_that_of_the_type_that_was_synced_longest_ago(self, hamlet):
        Story(hamlet).fill("net", "ix")
        PeeringDBWatermark.objects.filter(tag="ix").update(
            synced=timezone.now() - timedelta(hours=2, minutes=3)
        )
        make_sync()
        assert "2 hours, 3 minutes" in page(make_root()).replace("\xa0", " ")

    def test_a_sync_whose_process_died_is_not_said_to_run(self):
        make_sync(status="running", ended=None)
        text = page(make_root())
        assert "Its process has ended" in text
        assert "Running" not in text

    def test_each_type_with_rows_last_sync_and_refused(self, hamlet):
        story = Story(hamlet)
        story.fill()
        make_refused(4)
        text = page(make_root())
        row = text[text.index('font-monospace">net</span>') :][:400]
        assert '<td class="text-end">13</td>' in row
        assert '?tag=net">4</a>' in row
        assert str(timezone.localdate().year) in row

    def test_contacts_are_told_to_need_a_key(self, settings_of, monkeypatch):
        assert "Only with an API key" in page(make_root())
        monkeypatch.setenv("PDB_KEY", "s3cret")
        settings_of(peeringdb_api_key={"env": "PDB_KEY"})
        assert "Only with an API key" not in page(make_root("other"))

    def test_a_key_that_cannot_be_read_is_told_without_the_page_failing(self, settings_of):
        settings_of(peeringdb_api_key={"file": "/nonexistent/key"})
        text = page(make_root())
        assert "Cannot be read" in text
        assert "/nonexistent/key" in text

    def test_the_key_itself_is_nowhere(self, settings_of, monkeypatch):
        monkeypatch.setenv("PDB_KEY", "s3cret-key")
        settings_of(peeringdb_api_key={"env": "PDB_KEY"})
        assert "s3cret-key" not in page(make_root())

    def test_the_next_run_is_that_of_netboxs_scheduler(self):
        when = timezone.now() + timedelta(hours=5)
        Job.objects.create(
            name=PeeringDBSyncJob.name,
            job_id=uuid.uuid4(),
            status="scheduled",
            scheduled=when,
            interval=1440,
        )
        text = page(make_root())
        assert f"{timezone.localtime(when):%H:%M}" in text[text.index("Next sync") :][:200]

    def test_without_an_interval_there_is_no_next_run(self, settings_of):
        settings_of(peeringdb_sync_interval=0)
        assert "<code>peeringdb_sync_interval</code> is 0" in page(make_root())

    def test_a_sync_job_that_is_under_way_shows_its_progress(self):
        root = make_root()
        job = Job.objects.create(
            name=PeeringDBSyncJob.name,
            job_id=uuid.uuid4(),
            status="running",
            user=root,
            data={"progress": {"done": 3, "total": 12, "text": "netixlan"}},
        )
        text = page(root)
        assert 'aria-valuenow="25"' in text
        assert "netixlan" in text
        assert address("job_progress", job.pk) in text
        # Somebody else's, who may not view jobs.
        assert address("job_progress", job.pk) not in page(make_user(VIEW))

    def test_a_sync_job_whose_worker_was_killed_is_not_under_way(self):
        root = make_root()
        job = Job.objects.create(
            name=PeeringDBSyncJob.name,
            job_id=uuid.uuid4(),
            status="running",
            started=timezone.now() - timedelta(hours=1),
            user=root,
        )
        assert address("job_progress", job.pk) not in page(root)
        with at_work(job):
            assert address("job_progress", job.pk) in page(root)

    def test_what_is_left_of_the_allowance_is_shown(self, settings_of):
        settings_of(peeringdb_requests_per_minute=17, peeringdb_url="http://127.0.0.1:1/api")
        text = page(make_root())
        assert "Requests left this minute</th> <td>17</td>" in text

    def test_the_site_is_the_one_beside_the_api(self, settings_of):
        settings_of(peeringdb_url="https://beta.peeringdb.com/api/")
        assert 'href="https://beta.peeringdb.com"' in page(make_root())


class TestSyncButton:
    @pytest.mark.parametrize("full", [False, True])
    def test_it_queues_a_job_in_the_users_name(self, full, django_capture_on_commit_callbacks):
        user = make_user(VIEW, SYNC)
        response = browser(user).post(address("peeringdb_sync"), {"full": ""} if full else {}, follow=True)
        job = Job.objects.get(name=PeeringDBSyncJob.name)
        assert job.user == user
        assert f"Queued job #{job.pk}" in text_of(response)
        assert ("full comparison" in text_of(response)) is full


class TestTestButton:
    def test_a_good_key_is_told_and_remembered(self, server, settings_of, monkeypatch):
        monkeypatch.setenv("PDB_KEY", API_KEY)
        settings_of(
            peeringdb_url=server.api_url, peeringdb_api_key={"env": "PDB_KEY"}, peeringdb_min_interval_s=0
        )
        response = browser(make_root()).post(address("peeringdb_test_key"), follow=True)
        text = text_of(response)
        assert text.count("PeeringDB accepts the key") == 2
        assert "Good" in text

    def test_a_wrong_key_is_told(self, server, settings_of, monkeypatch):
        monkeypatch.setenv("PDB_KEY", "wr0ng-key")
        settings_of(
            peeringdb_url=server.api_url, peeringdb_api_key={"env": "PDB_KEY"}, peeringdb_min_interval_s=0
        )
        text = text_of(browser(make_root()).post(address("peeringdb_test_key"), follow=True))
        assert "does not accept the API key" in text
        assert "wr0ng-key" not in text
        assert "Not good" in text

    def test_a_server_that_is_down_is_told(self, settings_of):
        settings_of(peeringdb_url="http://127.0.0.1:9/api")
        text = text_of(browser(make_root()).post(address("peeringdb_test_key"), follow=True))
        assert "127.0.0.1:9" in text

    def test_a_key_that_cannot_be_read_is_told(self, settings_of):
        settings_of(peeringdb_api_key={"file": "/nonexistent/key"})
        text = text_of(browser(make_root()).post(address("peeringdb_test_key"), follow=True))
        assert "/nonexistent/key cannot be read" in text

    def test_another_key_is_not_taken_for_the_one_that_was_tested(self, server, settings_of, monkeypatch):
        monkeypatch.setenv("PDB_KEY", API_KEY)
        settings_of(
            peeringdb_url=server.api_url, peeringdb_api_key={"env": "PDB_KEY"}, peeringdb_min_interval_s=0
        )
        browser(make_root()).post(address("peeringdb_test_key"))
        assert "Good" in page(make_root("again"))
        monkeypatch.setenv("PDB_KEY", "another-key")
        assert "Good" not in page(make_root("later"))

    def test_the_key_is_not_kept_with_what_is_remembered(self, server, settings_of, monkeypatch):
        monkeypatch.setenv("PDB_KEY", API_KEY)
        settings_of(
            peeringdb_url=server.api_url, peeringdb_api_key={"env": "PDB_KEY"}, peeringdb_min_interval_s=0
        )
        browser(make_root()).post(address("peeringdb_test_key"))
        assert API_KEY not in repr(cache.get(facts.TESTED))


class TestSyncs:
    def test_the_list_sums_the_types_up(self):
        make_sync(counts={tag: {"created": 1000, "refused": 2} for tag in ("net", "ix")})
        text = text_of(browser(make_user(VIEW)).get(address("peeringdbsync_list")))
        assert "2000" in text
        assert "process 7 on worker1" not in text

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("status=failed", 1),
            ("mode=full", 0),
            ("tag=net", 2),
            ("tag=poc", 1),
            ("q=worker1", 2),
            ("q=xyz", 0),
        ],
    )
    def test_the_list_can_be_filtered(self, query, found):
        make_sync(status="failed", tags=["net"])
        make_sync()
        response = browser(make_root()).get(f"{address('peeringdbsync_list')}?{query}")
        assert len(response.context["table"].rows) == found

    def test_a_sync_shows_its_counts_and_what_followed(self):
        sync = make_sync()
        text = text_of(browser(make_user(VIEW)).get(sync.get_absolute_url()))
        for shown in ("Two rows wait", "process 7 on worker1", "3 min 0 s", "Networks", "2 changed"):
            assert shown in text
        assert "changed_object_type_id" not in text

    def test_the_change_log_is_linked_for_who_may_view_it(self):
        sync = make_sync()
        user = make_user(VIEW, "core.view_objectchange")
        assert "changed_object_type_id" in text_of(browser(user).get(sync.get_absolute_url()))

    def test_a_running_sync_has_a_page(self):
        sync = make_sync(status="running", ended=None, counts={}, applied={})
        assert "Running" in text_of(browser(make_root()).get(sync.get_absolute_url()))


class TestRefusedRows:
    def test_each_row_is_shown_with_its_reason(self):
        make_refused()
        text = text_of(browser(make_user(VIEW)).get(address("peeringdbrefusedrow_list")))
        assert "asn is 1: too large" in text
        assert "Odd &lt;b&gt;Network" in text

    def test_contacts_are_not_shown(self):
        make_refused(tag="poc", email="noc@example.net")
        client = browser(make_root())
        for query in ("", "?export=table"):
            response = client.get(address("peeringdbrefusedrow_list") + query)
            assert b"noc@example.net" not in b"".join(response)

    def test_they_are_filtered_by_type(self):
        make_refused(2)
        make_refused(3, tag="ix")
        response = browser(make_root()).get(f"{address('peeringdbrefusedrow_list')}?tag=ix")
        assert len(response.context["table"].rows) == 3

    def test_they_come_in_pages(self):
        make_refused(60)
        response = browser(make_root()).get(f"{address('peeringdbrefusedrow_list')}?per_page=25")
        assert len(response.context["table"].page.object_list) == 25


def queries_of(client, name):
    client.get(address(name))
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address(name)).status_code == 200
    return len(queries)


@pytest.mark.parametrize(
    ("name", "most"), [("peeringdb", 45), ("peeringdbsync_list", 25), ("peeringdbrefusedrow_list", 25)]
)
def test_pages_cost_the_same_for_3_and_for_20_rows(name, most):
    client = browser(make_root())

    def add(first, last):
        for number in range(first, last):
            make_sync()
            factories.make_peer_asn(4200000000 + number)
        make_refused(last - first)

    add(0, 3)
    few = queries_of(client, name)
    add(3, 20)
    assert queries_of(client, name) == few
    assert few <= most
