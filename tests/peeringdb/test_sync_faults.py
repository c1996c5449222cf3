"""What goes wrong during a sync: nothing is lost, and what is told says what failed, what was kept and what to do."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from django.core.cache import cache
from django.db import connection

from dev.sample_peeringdb.days import next_day
from dev.sample_peeringdb.limits import Limits
from dev.sample_peeringdb.server import API_KEY, serve
from netbox_peering_manager.exceptions import (
    PeeringDBError,
    PeeringDBKeyRefused,
    PeeringDBMalformed,
    PeeringDBThrottled,
    PeeringDBUnreachable,
    SyncError,
    SyncRunning,
)
from netbox_peering_manager.models import PeeringDBPoc, PeeringDBSync, PeeringDBWatermark
from netbox_peering_manager.services.peeringdb import runs
from netbox_peering_manager.services.peeringdb.records import TAGS
from netbox_peering_manager.services.peeringdb.sync import running
from tests.peeringdb.clients import Time, client_of
from tests.peeringdb.syncing import empty_mirror, mirrored, outside, sync_with, total

KEPT = "The mirror was left as it was; the next sync begins anew."


@pytest.fixture(autouse=True)
def own_allowance():
    """Whatever earlier tests sent from the same port of loopback."""
    cache.clear()


def known():
    """All that a failed sync has to leave as it is."""
    return mirrored(), list(PeeringDBWatermark.objects.order_by("tag").values())


def failing(server, error, message, **options):
    """A sync that fails, and leaves the mirror as it was; the record says the same as the error, and what was kept."""
    before = known()
    with pytest.raises(error, match=message):
        sync_with(server, **options)
    assert known() == before
    run = PeeringDBSync.objects.first()
    assert run.status == "failed"
    assert run.ended is not None
    assert run.message.endswith(KEPT)
    assert API_KEY not in run.message
    return run.message


@pytest.fixture
def changed(server, town, db):
    """A server with news since the last sync."""
    sync_with(server)
    next_day(town, changes=60)
    return server


def completes(server, **options):
    """The next sync, when nothing is wrong any more, brings what the one that failed did not."""
    run = sync_with(server, **options)
    assert run.status == "completed"
    assert all(total(run, "created", "updated", "deleted"))


# PeeringDB


def test_server_that_is_down(changed):
    with changed.down():
        message = failing(changed, PeeringDBUnreachable, r"gave no answer, asked 6 times.*peeringdb_url")
    assert "refused" in message.lower()
    completes(changed)


def test_server_that_goes_down_in_the_middle(changed):
    def stop(progress):
        if (progress.stage, progress.tag) == ("fetched", "net"):
            changed.stop()

    failing(changed, PeeringDBUnreachable, "gave no answer", progress=stop)
    changed.start()
    completes(changed)


def test_server_that_is_slow(changed):
    changed.faults.slow(1, tags=["netixlan"])
    client = client_of(changed, api_key=API_KEY, timeout_s=0.2, retries=1)
    failing(changed, PeeringDBUnreachable, r"netixlan.* asked 2 times: nothing came for 0.2 s", client=client)
    changed.faults.clear()
    completes(changed)


def test_throttling_for_minutes_is_waited_for(changed):
    time = Time()
    # A limit of five requests a minute, on the clock that passes by the client's sleeping.
    changed.limits = Limits(keyed=5, clock=time.clock)
    completes(changed, client=client_of(changed, time, api_key=API_KEY))
    assert sum(time.slept) >= 2 * 60
    assert {request.status for request in changed.requests} == {200, 429}


def test_throttling_for_hours_is_told_with_the_time_when_it_ends(changed):
    changed.faults.throttle(retry_after=7200, tags=["fac"])
    failing(changed, PeeringDBThrottled, r"fac.*can be asked again at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
    changed.faults.clear()
    completes(changed)


def test_answer_that_is_cut_in_the_middle_is_asked_for_again(changed):
    changed.faults.cut(tags=["net", "netixlan"], times=2)
    completes(changed)


def test_answer_that_is_always_cut(changed):
    changed.faults.cut(tags=["netixlan"])
    failing(changed, PeeringDBUnreachable, "netixlan.*gave no answer", full=True)
    changed.faults.clear()
    completes(changed)


@pytest.mark.parametrize("shape", ["unfinished", "no_data", "data_null", "data_text", "not_utf8", "array"])
def test_answer_that_is_no_list(changed, shape):
    changed.faults.shape(shape, tags=["netfac"])
    failing(changed, PeeringDBError, "netfac")
    changed.faults.clear()
    completes(changed)


def test_web_page_instead_of_json(changed):
    changed.faults.html(tags=["ixpfx"])
    failing(changed, PeeringDBMalformed, "ixpfx.* is a web page. Check that peeringdb_url is right")
    changed.faults.clear()
    completes(changed)


def test_wrong_key_keeps_the_contacts(changed):
    contacts = PeeringDBPoc.objects.count()
    message = failing(changed, PeeringDBKeyRefused, "does not accept the API key", key="wrong-key-of-ours")
    assert "wrong-key-of-ours" not in message
    assert PeeringDBPoc.objects.count() == contacts > 0
    completes(changed)


def test_type_that_is_missing(changed):
    changed.faults.missing("ixlan")
    failing(changed, PeeringDBMalformed, "ixlan.* 404")
    changed.faults.clear()
    completes(changed)


def test_list_that_is_empty_all_at_once(changed, town):
    for row in town.rows("netixlan"):
        town.vanish("netixlan", row["id"])
    failing(changed, PeeringDBMalformed, r"netixlan lacks \d+ of the \d+ rows", full=True)
    # Somebody looked, and that is how it is.
    sync_with(changed, full=True, tags=["netixlan"])
    assert mirrored("netixlan") == {"netixlan": {}}


@pytest.mark.parametrize("seconds", [-86400, 86400])
def test_server_whose_clock_is_wrong(changed, seconds):
    changed.faults.skew(seconds)
    sync_with(changed, full=True)
    completes_to = mirrored()
    next_day(changed.world, changes=40)
    sync_with(changed)
    assert mirrored() != completes_to
    changed.faults.clear()
    after = mirrored()
    again = sync_with(changed, full=True)
    assert total(again, "created", "updated", "deleted") == (0, 0, 0)
    assert mirrored() == after


def test_malformed_rows_in_changes_lose_nothing_that_was_there(changed):
    before = mirrored()
    changed.faults.malformed(0.05)
    run = sync_with(changed)
    assert total(run, "refused")[0] > 0
    changed.faults.clear()
    sync_with(changed, full=True)
    after = mirrored()
    assert all(set(before[tag]) - set(after[tag]) <= deleted_of(changed.world, tag) for tag in TAGS)
    empty_mirror()
    sync_with(changed)
    assert mirrored() == after


def deleted_of(world, tag):
    return {row["id"] for row in world.all_rows(tag) if row["status"] != "ok"}


# The database, and other processes. What these tests commit they remove themselves, which takes less time than to
# empty all of NetBox's tables after each.


@pytest.fixture
def committed(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        yield
        empty_mirror()
        PeeringDBSync.objects.all().delete()
        connection.close()


@pytest.fixture
def town_server(committed, server, town):
    """A server with news since the last sync, all of it committed."""
    sync_with(server)
    next_day(town, changes=60)
    return server


def end_session():
    """What a restart of the database does to this session."""
    pid = connection.connection.info.backend_pid
    with outside() as other:
        assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


def at_stage(stage, tag, act):
    """A progress callback that acts when the sync is there for the first time."""
    acted = []

    def progress(told):
        if (told.stage, told.tag) == (stage, tag) and not acted:
            acted.append(told)
            act()

    return progress


@pytest.mark.parametrize(
    ("stage", "tag"), [("fetching", "org"), ("fetched", "net"), ("merging", ""), ("merged", "net")]
)
def test_database_session_that_ends_before_the_commit(town_server, stage, tag):
    message = failing(
        town_server, SyncError, "The database ended the sync: ", progress=at_stage(stage, tag, end_session)
    )
    assert message.startswith("The database ended the sync: ")
    assert running() is None
    completes(town_server)


def test_database_session_that_ends_after_the_commit(town_server):
    with pytest.raises(SyncError, match="The database ended the sync"):
        sync_with(town_server, progress=at_stage("applying", "", end_session))
    run = PeeringDBSync.objects.first()
    assert (run.status, run.message.partition(". ")[2]) == (
        "failed",
        "The mirror is up to date; what NetBox lacks of it the next sync does.",
    )
    assert total(sync_with(town_server), "created", "updated", "deleted") == (0, 0, 0)


@contextmanager
def no_connections():
    """A database that takes none, as while it restarts."""
    name = connection.settings_dict["NAME"]
    with outside("postgres") as server:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            yield
        finally:
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def test_database_that_restarts(town_server):
    """Its sessions end, and for a second it takes no new ones."""
    back = threading.Event()

    def restart():
        pid = connection.connection.info.backend_pid

        def be_away():
            with no_connections():
                back.set()
                time.sleep(1)

        thread = threading.Thread(target=be_away)
        thread.start()
        threads.append(thread)
        back.wait(10)
        with outside("postgres") as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    threads = []
    before = known()
    with pytest.raises(SyncError, match="The database ended the sync"):
        sync_with(town_server, progress=at_stage("fetched", "net", restart))
    threads[0].join()
    assert known() == before
    assert PeeringDBSync.objects.first().status == "failed"
    completes(town_server)


def test_second_sync_is_told_who_is_at_it(town_server):
    told = []

    def second():
        try:
            for asked in (running, lambda: sync_with(town_server)):
                try:
                    told.append(asked())
                except SyncRunning as error:
                    told.append(error)
        finally:
            connection.close()

    def at_once():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()

    run = sync_with(town_server, progress=at_stage("fetched", "net", at_once))
    assert told[0] == run
    assert str(told[1]).startswith("A sync with PeeringDB runs already: begun by netbox_peering_manager at ")
    assert f"process {os.getpid()} on " in str(told[1])
    assert running() is None
    assert run.status == "completed"
    # The second one left no record: it never began.
    assert PeeringDBSync.objects.count() == 2


def test_second_sync_is_told_of_a_trial(town_server):
    told = []

    def at_once():
        def second():
            try:
                sync_with(town_server)
            except SyncRunning as error:
                told.append(str(error))
            finally:
                connection.close()

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()

    pid = connection.cursor().connection.info.backend_pid
    sync_with(town_server, dry_run=True, progress=at_stage("fetched", "net", at_once))
    assert told[0].startswith(f"A trial sync with PeeringDB runs (database session {pid}, since ")


def test_process_that_is_killed(town_server, town):
    """A real one, with SIGKILL, while it fetches."""
    before = known()
    town_server.faults.slow(30, tags=["netixlan"])
    process = subprocess.Popen(
        [sys.executable, "-m", "netbox", "peeringdb_sync"],
        env={
            **os.environ,
            "NPM_DATABASE": connection.settings_dict["NAME"],
            "PEERINGDB_URL": town_server.url,
            "PEERINGDB_API_KEY": API_KEY,
            "PEERINGDB_SAMPLE": "1",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        for line in process.stdout:
            if line.startswith("netfac:"):
                break
        assert running().pk == PeeringDBSync.objects.first().pk
        with pytest.raises(SyncRunning, match=f"process {process.pid} on "):
            sync_with(town_server)
        process.send_signal(signal.SIGKILL)
    assert known() == before
    town_server.faults.clear()
    deadline = time.monotonic() + 10
    while runs._holder() and time.monotonic() < deadline:
        time.sleep(0.05)
    killed = PeeringDBSync.objects.first()
    assert (killed.status, running()) == ("running", None)
    completes(town_server)
    killed.refresh_from_db()
    assert (killed.status, killed.message) == (
        "interrupted",
        "Its process ended. The mirror was left as it was before.",
    )
    after = mirrored()
    empty_mirror()
    with serve(town) as fresh:
        sync_with(fresh)
    assert mirrored() == after
