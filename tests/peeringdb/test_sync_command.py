"""`netbox peeringdb_sync`: its options, its output, its exit codes; and PeeringDBSyncService for scripts."""

import io
import re

import pytest
from django.core.management import CommandError, call_command

from core.models import ObjectChange
from users.models import User

from dev.sample_peeringdb.server import serve
from netbox_peering_manager.exceptions import PeeringDBUnknown, PeeringDBUnreachable, RefusedRow, SyncError
from netbox_peering_manager.management.commands import peeringdb_sync
from netbox_peering_manager.models import PeerASN, PeeringDBNet, PeeringDBSync
from netbox_peering_manager.services.peeringdb import runs
from netbox_peering_manager.services.peeringdb.service import PeeringDBSyncService
from tests import factories
from tests.peeringdb.clients import client_of
from tests.peeringdb.syncing import mirrored, outside, sync_with

pytestmark = pytest.mark.django_db


def use(settings, server, **more):
    """Let the plugin's settings name this server."""
    config = settings.PLUGINS_CONFIG["netbox_peering_manager"]
    settings.PLUGINS_CONFIG = {
        **settings.PLUGINS_CONFIG,
        "netbox_peering_manager": {
            **config,
            "peeringdb_url": server.api_url,
            "peeringdb_dumps_url": server.dumps_url,
            "peeringdb_min_interval_s": 0,
            "peeringdb_requests_per_minute": 10000,
            **more,
        },
    }


@pytest.fixture
def village(hamlet, settings):
    """A small sample PeeringDB that the settings name."""
    with serve(hamlet) as server:
        use(settings, server)
        yield server


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run(*options, out=None):
    out = out or io.StringIO()
    call_command("peeringdb_sync", *options, stdout=out, no_color=True)
    return out.getvalue()


# The command


def test_counts_are_shown_by_type(village, hamlet):
    said = run()
    count = len(hamlet.rows("net"))
    assert re.search(rf"^net: {count} rows$", said, re.MULTILINE)
    assert re.search(r"^type +created +updated +unchanged +deleted +refused$", said, re.MULTILINE)
    assert re.search(rf"^net +{count} +0 +0 +0 +0$", said, re.MULTILINE)
    assert re.search(r"^all +\d+ +0 +0 +0 +0$", said, re.MULTILINE)
    assert "Updated in NetBox: peerasn 0, peeringnetwork 0" in said
    assert PeeringDBSync.objects.get().status == "completed"


def test_on_a_terminal_a_bar_shows_the_progress(village):
    said = run(out=Terminal())
    # What rich writes to draw and to remove a bar.
    assert "\x1b[" in said
    assert "━" in said
    assert "rows\n" not in said.replace("\r", "")


def test_full_compares_everything(village):
    run()
    village.requests.clear()
    run("--full")
    assert not [request for request in village.requests if "since" in request.query and "id" in request.query]
    assert PeeringDBSync.objects.first().mode == "full"


def test_only_these_types_are_synced(village):
    run("--only", "net", "--only", "ix")
    assert PeeringDBSync.objects.get().tags == ["net", "ix"]
    assert {tag for tag, rows in mirrored().items() if rows} == {"net", "ix"}


def test_only_this_network_is_synced(village, hamlet):
    run("--asn", str(hamlet.our_asn))
    assert [net.asn for net in PeeringDBNet.objects.all()] == [hamlet.our_asn]


def test_trial_says_that_nothing_was_changed(village, hamlet):
    factories.make_peer_asn(hamlet.our_asn)
    said = run("--dry-run")
    assert "Would be updated in NetBox: peerasn 1" in said
    assert said.endswith("Nothing was changed: this was a trial.\n")
    assert not PeeringDBNet.objects.exists()


def test_dumps_can_be_where_the_rows_come_from(village):
    run("--from-dumps")
    assert {request.path.split("/")[1] for request in village.requests} == {"public"}


def test_notes_of_the_sync_are_shown(village, hamlet):
    hamlet.change("net", hamlet.our_net_id, irr_as_set="none")
    factories.make_peer_asn(hamlet.our_asn)
    assert "do not fit and were not taken over: 1." in run()


def test_failure_is_told_in_a_sentence_and_ends_with_1(village, settings):
    use(settings, village, peeringdb_retries=0)
    village.stop()
    with pytest.raises(
        CommandError, match=r"gave no answer.*peeringdb_url.*The mirror was left as it was"
    ) as told:
        run()
    assert told.value.returncode == 1


def test_failure_where_netbox_follows_says_that_the_mirror_has_changed(village, hamlet, monkeypatch):
    factories.make_peer_asn(hamlet.our_asn)

    def fail(self, progress):
        if progress.stage == "applying":
            raise SyncError("Disk full.")

    monkeypatch.setattr(peeringdb_sync.Command, "_say", fail)
    with pytest.raises(
        CommandError, match=r"Disk full\. The mirror is up to date; what NetBox lacks"
    ) as told:
        run()
    assert told.value.returncode == 1
    assert PeeringDBNet.objects.count() == len(hamlet.rows("net"))
    assert PeerASN.objects.get().name == ""
    assert "nothing was changed" not in peeringdb_sync.Command.help


def test_unknown_type_is_refused_with_the_types_that_there_are(village):
    with pytest.raises(CommandError, match=r"invalid choice: 'nets' \(choose from .*netixlan"):
        run("--only", "nets")


def test_options_that_do_not_go_together_are_refused(village):
    with pytest.raises(CommandError, match="One network is synced as a whole"):
        run("--asn", "64500", "--full")


def test_key_that_cannot_be_read_is_told(village, settings):
    use(settings, village, peeringdb_api_key={"env": "NO_SUCH_VARIABLE"})
    with pytest.raises(CommandError, match="NO_SUCH_VARIABLE"):
        run()


def test_another_sync_ends_it_with_3(village):
    with outside() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [runs.LOCK])
        with pytest.raises(CommandError, match="trial sync with PeeringDB runs") as told:
            run()
    assert told.value.returncode == 3


def test_being_stopped_is_told_without_a_traceback(village, monkeypatch):
    def stop(self, progress):
        raise KeyboardInterrupt

    monkeypatch.setattr(peeringdb_sync.Command, "_say", stop)
    with pytest.raises(CommandError, match="Stopped") as told:
        run()
    assert told.value.returncode == 130
    assert PeeringDBSync.objects.get().status == "failed"


# The service

SEED = """
from netbox_peering_manager.models import PeerASN
from netbox_peering_manager.services import PeeringDBSyncService
service = PeeringDBSyncService()
peer = PeerASN.objects.get(asn__asn=64500)
service.sync_peer_asn(peer)
peer.refresh_from_db()
print(peer.irr_as_set, peer.ipv4_max_prefixes, peer.ipv6_max_prefixes)
"""


def said_of(world, asn):
    (net,) = world.find("net", asn=asn)
    return net["irr_as_set"], net["info_prefixes4"], net["info_prefixes6"]


@pytest.mark.parametrize("in_mirror", [True, False], ids=["mirror", "peeringdb"])
def test_documented_lines_fill_a_peer(village, hamlet, capsys, in_mirror):
    factories.make_peer_asn(64500)
    if in_mirror:
        sync_with(village)
        PeerASN.objects.update(irr_as_set="", ipv4_max_prefixes=None, ipv6_max_prefixes=None)
        village.stop()
    exec(SEED)  # noqa: S102  (to the letter)
    assert capsys.readouterr().out == "{} {} {}\n".format(*said_of(hamlet, 64500))


def test_all_that_peeringdb_says_is_filled_in_whatever_the_peer_follows(village, hamlet):
    user = User.objects.create(username="operator")
    peer = factories.make_peer_asn(hamlet.our_asn, name="Ours", ipv4_max_prefixes=7, follow_peeringdb=[])
    with client_of(village) as client:
        returned = PeeringDBSyncService(client, user).sync_peer_asn(peer)
    assert returned is peer
    stored = PeerASN.objects.get()
    for each in (peer, stored):
        assert (each.irr_as_set, each.ipv4_max_prefixes, each.ipv6_max_prefixes) == said_of(
            hamlet, hamlet.our_asn
        )
        assert each.peeringdb_id == hamlet.our_net_id
        assert each.peeringdb_last_sync is not None
        assert each.follow_peeringdb == []
    (record,) = ObjectChange.objects.filter(changed_object_id=peer.pk)
    assert (record.user, record.prechange_data["name"]) == (user, "Ours")
    # Nothing new is no change.
    PeeringDBSyncService(user=user).sync_peer_asn(peer)
    assert ObjectChange.objects.filter(changed_object_id=peer.pk).count() == 1


def test_what_peeringdb_leaves_empty_stays(village, hamlet):
    hamlet.change("net", hamlet.our_net_id, irr_as_set="", info_prefixes4=0, info_prefixes6=None)
    peer = factories.make_peer_asn(
        hamlet.our_asn, irr_as_set="AS-OLD", ipv4_max_prefixes=1, ipv6_max_prefixes=2
    )
    PeeringDBSyncService().sync_peer_asn(peer)
    peer.refresh_from_db()
    assert (peer.irr_as_set, peer.ipv4_max_prefixes, peer.ipv6_max_prefixes) == ("AS-OLD", 1, 2)


def test_number_that_peeringdb_does_not_have_is_told(village):
    peer = factories.make_peer_asn(65551, name="Kept")
    with pytest.raises(PeeringDBUnknown, match="PeeringDB has no network with AS number 65551"):
        PeeringDBSyncService().sync_peer_asn(peer)
    assert PeerASN.objects.get().name == "Kept"


def test_entry_that_does_not_fit_is_told(village, hamlet):
    hamlet.change("net", hamlet.our_net_id, info_prefixes4="many")
    with pytest.raises(
        RefusedRow, match=rf"entry of AS{hamlet.our_asn} does not fit: info_prefixes4: 'many'"
    ):
        PeeringDBSyncService().sync_peer_asn(factories.make_peer_asn(hamlet.our_asn))


def test_peeringdb_that_is_down_is_told(village, settings):
    use(settings, village, peeringdb_retries=0)
    village.stop()
    with pytest.raises(PeeringDBUnreachable):
        PeeringDBSyncService().sync_peer_asn(factories.make_peer_asn(64500))
