"""Making planned sessions: what single creation would have made and recorded, in batches that stand by themselves."""

import inspect
import threading
import time
import uuid
from dataclasses import replace
from hashlib import sha256

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connections, transaction
from django.db import connection as database
from django.db.models.signals import post_save
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from netaddr import IPNetwork

from core.models import ObjectChange, ObjectType
from extras.models import CachedValue, CustomField, Tag
from extras.validators import CustomValidator
from ipam.models import ASN, RIR, IPAddress
from netbox.context import events_queue
from netbox.context_managers import event_tracking
from netbox.models import BaseModel
from netbox.models.features import CustomValidationMixin
from netbox_routing.models import BFDProfile, BGPAddressFamily, BGPPeer, BGPPeerAddressFamily, BGPPeerTemplate
from utilities.exceptions import AbortRequest
from utilities.request import NetBoxFakeRequest

from netbox_peering_manager.exceptions import ProvisioningError, SecretError
from netbox_peering_manager.models import PeerASN, PeeringConnection, PeeringDBNet, PeeringSession
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.provisioning import create_bulk, inserting
from netbox_peering_manager.services.provisioning.create import (
    NewSession,
    create_sessions,
    usable_connections,
)
from netbox_peering_manager.services.provisioning.create_bulk import create_planned
from netbox_peering_manager.services.provisioning.plan import plan_sessions
from netbox_peering_manager.services.provisioning.planned import Choices, MaxPrefixes, Password
from tests import factories
from tests.peers import worlds
from tests.sessions.people import grant, make_user
from tests.sessions.test_plan import ROWS, SEEN

pytestmark = pytest.mark.django_db

MODELS = (RIR, ASN, PeerASN, IPAddress, BGPPeer, BGPAddressFamily, BGPPeerAddressFamily, PeeringSession)


def set_up_lan():
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
    worlds.make_ix()
    return worlds.make_side()


@pytest.fixture
def side():
    return set_up_lan()


@pytest.fixture
def peer():
    return factories.make_relationship("Peer")


def make_ports(count, first=3000):
    """Ports with both families, of AS numbers that NetBox does not have."""
    return [
        worlds.make_port(
            worlds.make_net(first + n, irr_as_set=f"AS-N{n}", info_prefixes4=100, info_prefixes6=50),
            f"198.51.1.{10 + n}",
            f"2001:db8:1::{10 + n:x}",
        )
        for n in range(count)
    ]


def planned(peer, ports, user=None, **choices):
    return plan_sessions([port.pk for port in ports], Choices(relationship=peer.pk, **choices), user)


def request_of(user):
    return NetBoxFakeRequest(
        {"META": {}, "POST": {}, "GET": {}, "FILES": {}, "user": user, "path": "", "id": uuid.uuid4()}
    )


def counts():
    return {model.__name__: model.objects.count() for model in MODELS}


def reasons(result):
    return [(item.asn, item.family, item.reason) for item in result.skipped]


def test_sessions_get_all_that_they_take(side, peer):
    group = BGPPeerTemplate.objects.create(name="IX-PEERS")
    bfd = BFDProfile.objects.create(name="fast", min_tx_int=300, min_rx_int=300, multiplier=3)
    tag = Tag.objects.create(name="Gold", slug="gold")
    plan = planned(
        peer,
        make_ports(1),
        peer_group=group.pk,
        bfd=bfd.pk,
        ttl=2,
        status="planned",
        enabled=False,
        max_prefixes=MaxPrefixes.PEERINGDB,
        margin_percent=10,
        description="Added together",
        service_reference="NOC-1",
        tags=(tag.pk,),
    )
    result = create_planned(plan)
    four, six = PeeringSession.objects.order_by("pk")
    assert [made.session_id for made in result.made] == [four.pk, six.pk]
    assert result.skipped == ()
    assert result.objects == {"rir": 1, "asn": 1, "peer_asn": 1, "address": 2, "family": 2}
    known = four.bgp_peer
    assert (known.scope, known.source, known.local_as.asn) == (side.bgp_scope, side.ipv4_address, 64500)
    assert (known.peer_group, known.bfd, known.ttl, known.status, known.enabled) == (
        group,
        bfd,
        2,
        "planned",
        False,
    )
    assert (str(known.peer.address), str(six.bgp_peer.peer.address)) == ("198.51.1.10/24", "2001:db8:1::a/64")
    assert known.name == "AS3000 Example IX"
    assert (four.ipv4_max_prefixes, four.ipv6_max_prefixes, six.ipv6_max_prefixes) == (110, None, 55)
    assert (four.peering_network, four.relationship) == (side.peering_network, peer)
    assert (four.service_reference, four.description, known.description) == ("NOC-1", *["Added together"] * 2)
    assert list(four.tags.all()) == [tag]
    assert [row.address_family.address_family for row in known.address_families.all()] == ["ipv4-unicast"]
    network = PeerASN.objects.get(asn__asn=3000)
    assert (network.name, network.irr_as_set, network.ipv4_max_prefixes) == ("Network 3000", "AS-N0", 100)
    assert network.peeringdb_id == PeeringDBNet.objects.get().pk
    assert network.asn.rir.name == "ARIN"


def test_what_is_there_is_used(side, peer):
    network = factories.make_peer_asn(3000, name="Ours to name")
    address = factories.make_address("198.51.1.10/24")
    BGPAddressFamily.objects.create(scope=side.bgp_scope, address_family="ipv4-unicast")
    result = create_planned(planned(peer, make_ports(1), families=(4,)))
    assert result.objects == {}
    session = PeeringSession.objects.get()
    assert (session.bgp_peer.peer, session.remote_as.peer_asn.name) == (address, "Ours to name")
    assert PeerASN.objects.filter(pk=network.pk, peeringdb_id=None).exists()


def test_second_run_makes_nothing_and_says_so(side, peer):
    ports = make_ports(2)
    plan = planned(peer, ports)
    create_planned(plan)
    before = counts()
    again = create_planned(plan)
    assert again.made == ()
    assert {item.reason for item in again.skipped} == {"exists"}
    assert len(again.skipped) == 4
    assert planned(peer, ports).sessions == ()
    assert counts() == before


@pytest.mark.usefixtures("side")
def test_given_password_is_kept_encrypted_and_generated_ones_differ(peer):
    token = secrets.encrypt("s3cret")
    create_planned(planned(peer, make_ports(1), password=Password.GIVEN, password_token=token))
    create_planned(planned(peer, make_ports(2, first=3356), password=Password.GENERATED, families=(6,)))
    by_asn = {}
    for session in PeeringSession.objects.with_bgp():
        by_asn.setdefault(session.remote_as.asn, []).append(secrets.reveal_password(session))
    assert by_asn[3000] == ["s3cret", "s3cret"]
    generated = by_asn[3357]
    assert all(len(password) == 24 and password.isalnum() for password in generated)
    assert len(set(generated)) == len(generated)
    assert not BGPPeer.objects.exclude(password=None).exists()


def test_password_that_cannot_be_read_makes_nothing(side, peer):
    plan = planned(peer, make_ports(1), password=Password.GIVEN, password_token="nonsense")
    before = counts()
    with pytest.raises(SecretError):
        create_planned(plan)
    assert counts() == before


def test_connection_that_is_gone_by_then_is_told(side, peer):
    plan = planned(peer, make_ports(1))
    PeeringConnection.objects.all().delete()
    with pytest.raises(ProvisioningError) as caught:
        create_planned(plan)
    assert "connections" in caught.value.errors


# Equal to single creation


class Undo(Exception):
    pass


def left_by(make, user):
    """
    All that `make` leaves behind in the name of `user`, which is then undone: for each model the change records, the
    events and the search index's entries, every field of them. Only the times of the day and the ids of what was made
    are left out.
    """
    before = {model: set(model.objects.values_list("pk", flat=True)) for model in MODELS}
    last = ObjectChange.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    left = {}
    try:
        with transaction.atomic():
            request = request_of(user)
            with event_tracking(request):
                make()
                queued = list(events_queue.get().values())
                events_queue.set({})
            for change in ObjectChange.objects.filter(pk__gt=last):
                assert change.request_id == request.id
                model = change.changed_object_type.model_class()
                assert change.changed_object_id not in before[model]
                record = {
                    field.name: getattr(change, field.attname) for field in change._meta.concrete_fields
                }
                for name in ("id", "time", "request_id", "changed_object_id"):
                    del record[name]
                record["postchange_data"] = settled(model, record["postchange_data"], before)
                left.setdefault(("change", model.__name__), []).append(record)
            for event in queued:
                model = type(event["object"])
                data = settled(model, event["snapshots"]["postchange"], before)
                known = (event["event_type"], event["user"], event["request"] is request, data)
                left.setdefault(("event", model.__name__), []).append(known)
            raise Undo
    except Undo:
        return left


def settled(model, data, before):
    """`data` of a row, with what was made for it instead of its ids."""
    data = dict(data)
    for name in ("created", "last_updated", "password_changed"):
        data[name] = data.get(name) is not None
    for field in model._meta.concrete_fields:
        known = before.get(field.related_model) if field.is_relation else None
        if known is not None and data.get(field.name) not in (None, *known):
            data[field.name] = "made"
    if "assigned_object_id" in data and data["assigned_object_id"] is not None:
        data["assigned_object_id"] = "made"
    return data


def test_what_is_left_behind_is_what_single_creation_leaves_field_by_field(side, peer):
    user = make_user(name="engineer")
    tag = Tag.objects.create(name="Gold", slug="gold")
    field = CustomField.objects.create(name="circuit", type="text", default="none")
    field.object_types.set([ObjectType.objects.get_for_model(model) for model in MODELS])
    choices = {"description": "A peer", "service_reference": "NOC-1", "ttl": 2}
    [port] = make_ports(1)
    plan = planned(
        peer,
        [port],
        tags=(tag.pk,),
        max_prefixes=MaxPrefixes.PEERINGDB,
        password=Password.GIVEN,
        password_token=secrets.encrypt("s3cret"),
        **choices,
    )

    def singly():
        new = {
            "relationship": peer,
            "remote_asn": 3000,
            "connection": usable_connections().get(),
            "tags": [tag],
            "password": "s3cret",
            **choices,
        }
        create_sessions(
            [
                NewSession(remote_ip="198.51.1.10", ipv4_max_prefixes=100, **new),
                NewSession(remote_ip="2001:db8:1::a", ipv6_max_prefixes=50, **new),
            ]
        )

    together, single = left_by(lambda: create_planned(plan), user), left_by(singly, user)
    assert set(together) == {(kind, model.__name__) for kind in ("change", "event") for model in MODELS}
    for what, rows in single.items():
        assert together[what] == rows, what
    [record, _six] = together["change", "PeeringSession"]
    assert record["postchange_data"]["tags"] == ["Gold"]
    assert record["postchange_data"]["custom_fields"] == {"circuit": "none"}
    assert "encrypted_password" not in record["postchange_data"]
    assert (record["user"], record["user_name"]) == (user.pk, "engineer")


@pytest.mark.usefixtures("side")
def test_search_finds_what_was_made(peer, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), event_tracking(request_of(make_user())):
        create_planned(planned(peer, make_ports(1), families=(4,), description="A peer"))
    indexed = CachedValue.objects.values_list("object_type__model", flat=True)
    assert {"asn", "peerasn", "ipaddress", "bgppeer", "peeringsession"} <= set(indexed)


@pytest.mark.django_db(transaction=True)
def test_events_are_sent_when_a_batch_is_committed(side, peer, monkeypatch):
    sent = []
    monkeypatch.setattr(inserting, "flush_events", lambda events: sent.append(len(events)))
    monkeypatch.setattr(create_bulk, "BATCH", 1)
    plan = planned(peer, make_ports(2), families=(4,))
    with event_tracking(request_of(make_user())):
        create_planned(plan)
        assert events_queue.get() == {}
    # The first batch makes the RIR and the address family as well.
    assert sent == [8, 6]


def test_without_a_request_nothing_is_recorded_as_with_single_creation(side, peer):
    create_planned(planned(peer, make_ports(1)))
    assert not ObjectChange.objects.exists()


# Each by itself


class Complain(CustomValidator):
    def __init__(self, refuses):
        super().__init__()
        self.refuses = refuses

    def validate(self, instance, request):
        if self.refuses(instance):
            self.fail("Not on a Friday")


@pytest.mark.parametrize(
    ("model", "refuses"),
    [
        ("ipam.asn", lambda row: row.asn == 3001),
        ("netbox_peering_manager.peerasn", lambda row: row.asn.asn == 3001),
        ("ipam.ipaddress", lambda row: str(row.address.ip) == "198.51.1.11"),
        ("netbox_routing.bgppeer", lambda row: str(row.peer.address.ip) == "198.51.1.11"),
        (
            "netbox_routing.bgppeeraddressfamily",
            lambda row: str(row.assigned_object.peer.address.ip) == "198.51.1.11",
        ),
        ("netbox_peering_manager.peeringsession", lambda row: row.bgp_peer.remote_as.asn == 3001),
    ],
)
@pytest.mark.usefixtures("side")
def test_refused_session_leaves_nothing_and_stops_no_other(peer, model, refuses):
    plan = planned(peer, make_ports(3), families=(4,))
    with (
        override_settings(CUSTOM_VALIDATORS={model: [Complain(refuses)]}),
        event_tracking(request_of(make_user())),
    ):
        result = create_planned(plan)
        told = {event["object"].pk for event in events_queue.get().values()}
        events_queue.set({})
    assert [made.asn for made in result.made] == [3000, 3002]
    assert [(item.asn, item.reason, item.text) for item in result.skipped] == [
        (3001, "invalid", "Not on a Friday")
    ]
    made = counts()
    assert (made["ASN"], made["PeerASN"], made["BGPPeer"], made["PeeringSession"]) == (3, 3, 2, 2)
    assert ObjectChange.objects.count() == 14
    assert len(told) > 0
    assert not IPAddress.objects.filter(address__net_host="198.51.1.11").exists()


@pytest.mark.usefixtures("side")
def test_what_a_refused_session_shares_with_another_is_made_for_that(peer):
    plan = planned(peer, make_ports(1))
    rules = {"netbox_peering_manager.peeringsession": [Complain(lambda row: row.bgp_peer.peer.family == 4)]}
    with override_settings(CUSTOM_VALIDATORS=rules):
        result = create_planned(plan)
    assert [made.family for made in result.made] == [6]
    assert PeerASN.objects.filter(asn__asn=3000).exists()
    assert result.objects == {"rir": 1, "asn": 1, "peer_asn": 1, "address": 1, "family": 1}


@pytest.mark.usefixtures("side")
def test_when_every_session_is_refused_nothing_is_made(peer):
    plan = planned(peer, make_ports(2))
    before = counts()
    with override_settings(CUSTOM_VALIDATORS={"netbox_routing.bgppeer": [Complain(lambda row: True)]}):
        result = create_planned(plan)
    assert (result.made, len(result.skipped)) == ((), 4)
    assert counts() == before


@pytest.mark.usefixtures("side")
def test_session_whose_row_another_plugin_refuses_is_found_among_the_others(peer):
    def refuse(sender, instance, **kwargs):
        if instance.address.ip == IPNetwork("198.51.1.11").ip:
            raise AbortRequest("Another plugin says no")

    plan = planned(peer, make_ports(5), families=(4,))
    post_save.connect(refuse, sender=IPAddress)
    try:
        with event_tracking(request_of(make_user())):
            result = create_planned(plan)
            told = [event["object"] for event in events_queue.get().values()]
            events_queue.set({})
    finally:
        post_save.disconnect(refuse, sender=IPAddress)
    assert [made.asn for made in result.made] == [3000, 3002, 3003, 3004]
    assert [(item.asn, item.text) for item in result.skipped] == [(3001, "Another plugin says no")]
    assert all(type(row).objects.filter(pk=row.pk).exists() for row in told)
    assert ObjectChange.objects.count() == len(told)


@pytest.mark.usefixtures("side")
def test_session_that_someone_made_meanwhile_is_skipped(peer):
    ports = make_ports(2)
    plan = planned(peer, ports, families=(4,))
    create_sessions(
        [
            NewSession(
                relationship=peer,
                remote_asn=3001,
                remote_ip="198.51.1.11",
                connection=usable_connections().get(),
            )
        ]
    )
    result = create_planned(plan)
    assert [made.asn for made in result.made] == [3000]
    assert reasons(result) == [(3001, 4, "exists")]


@pytest.mark.usefixtures("side")
def test_what_the_database_refuses_is_told_of_its_session_alone(peer, monkeypatch):
    plan = planned(peer, make_ports(4), families=(4,))
    insert = type(BGPPeer.objects.all()).bulk_create

    def lose_the_race(queryset, rows, *args, **kwargs):
        if queryset.model is BGPPeer and any(row.remote_as.asn == 3002 for row in rows):
            raise IntegrityError("duplicate key")
        return insert(queryset, rows, *args, **kwargs)

    monkeypatch.setattr(type(BGPPeer.objects.all()), "bulk_create", lose_the_race)
    result = create_planned(plan)
    assert [made.asn for made in result.made] == [3000, 3001, 3003]
    assert "Someone else" in result.skipped[0].text


# Batches


@pytest.mark.usefixtures("side")
def test_killed_between_batches_the_next_run_completes(peer, monkeypatch):
    monkeypatch.setattr(create_bulk, "BATCH", 2)
    ports = make_ports(3)
    plan = planned(peer, ports)

    def die(done, total, text, batch):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create_planned(plan, progress=die)
    assert PeeringSession.objects.count() == 4
    result = create_planned(planned(peer, ports))
    assert len(result.made) == 2
    assert PeeringSession.objects.count() == 6


@pytest.mark.usefixtures("side")
def test_killed_within_a_batch_nothing_of_it_stays(peer, monkeypatch):
    plan = planned(peer, make_ports(2))
    before = counts()
    monkeypatch.setattr(inserting, "record_created", die_at_once)
    with pytest.raises(KeyboardInterrupt):
        create_planned(plan)
    assert counts() == before


def die_at_once(rows):
    raise KeyboardInterrupt


@pytest.mark.usefixtures("side")
def test_progress_and_what_was_made_are_told_after_each_batch(peer, monkeypatch):
    monkeypatch.setattr(create_bulk, "BATCH", 2)
    told = []
    create_planned(planned(peer, make_ports(3), families=(4,)), progress=lambda *said: told.append(said))
    assert [said[:3] for said in told] == [(2, 3, "AS3001 at 198.51.1.11"), (3, 3, "AS3002 at 198.51.1.12")]
    assert [[made.asn for made in said[3].made] for said in told] == [[3000, 3001], [3002]]


@pytest.mark.parametrize("count", [2, 60])
@pytest.mark.usefixtures("side")
def test_queries_of_a_batch_do_not_grow_with_its_sessions(peer, count):
    """With rights that have to be held against every row, tags and a password."""
    user = make_user(*SEEN, "extras.view_tag")
    grant(user, *ROWS, constraints={"pk__gt": 0})
    tag = Tag.objects.create(name="Gold", slug="gold")
    plan = planned(peer, make_ports(count), user, tags=(tag.pk,), password=Password.GENERATED)
    ContentType.objects.get_for_models(*MODELS)
    with event_tracking(request_of(user)), CaptureQueriesContext(database) as queries:
        result = create_planned(plan, user)
        events_queue.set({})
    assert len(result.made) == 2 * count
    assert len(queries) <= 78, "\n".join(query["sql"][:120] for query in queries)


# Rights


def test_user_with_all_rights_may(side, peer):
    user = make_user(*SEEN, *ROWS)
    assert len(create_planned(planned(peer, make_ports(1), user), user).made) == 2


def test_right_that_is_missing_by_then_refuses_all(side, peer):
    user = make_user(*SEEN)
    plan = planned(peer, make_ports(1))
    before = counts()
    result = create_planned(plan, user)
    assert reasons(result) == [(3000, 4, "not-allowed"), (3000, 6, "not-allowed")]
    assert "You may not add the RIR ARIN" in result.skipped[0].text
    assert counts() == before


@pytest.mark.parametrize(
    ("right", "constraints"),
    [
        ("ipam.add_asn", {"asn__lt": 3001}),
        ("netbox_peering_manager.add_peerasn", {"asn__asn__lt": 3001}),
        ("ipam.add_ipaddress", {"address__net_host": "198.51.1.10"}),
        ("netbox_routing.add_bgppeer", {"remote_as__asn": 3000}),
        ("netbox_routing.add_bgppeeraddressfamily", {"peer__remote_as__asn": 3000}),
        ("netbox_peering_manager.add_peeringsession", {"bgp_peer__remote_as__asn": 3000}),
    ],
)
@pytest.mark.usefixtures("side")
def test_constraints_of_rights_hold_for_every_row(peer, right, constraints):
    user = make_user(*SEEN, *[name for name in ROWS if name != right])
    grant(user, right, constraints=constraints)
    plan = planned(peer, make_ports(2), user, families=(4,))
    assert len(plan.sessions) == 2
    result = create_planned(plan, user)
    assert [made.asn for made in result.made] == [3000]
    assert reasons(result) == [(3001, 4, "not-allowed")]
    assert "3001" in result.skipped[0].text or "198.51.1.11" in result.skipped[0].text
    assert not ASN.objects.filter(asn=3001).exists()


# Two at once


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turned", [False, True])
def test_two_who_add_the_same_peers_at_once_make_each_once(monkeypatch, turned):
    """Two connections to the database, two of our routers on one LAN: other scopes, the same addresses and AS."""
    monkeypatch.setattr(create_bulk, "BATCH", 3)
    load = create_bulk.load_ground

    def load_and_dawdle(*args):
        # Whoever does not wait for the other has read by now what the other is about to make.
        ground = load(*args)
        time.sleep(0.1)
        return ground

    monkeypatch.setattr(create_bulk, "load_ground", load_and_dawdle)
    peer = factories.make_relationship("Peer")
    here = set_up_lan()
    there = worlds.make_side(device="rt2.mtl", number=2)
    ports = make_ports(6)
    both = planned(peer, ports)
    mine = planned(peer, ports, connections=(here.pk,))
    assert len(both.sessions) == 24
    start = threading.Barrier(2, timeout=30)
    results = {}

    def work(name, plan):
        try:
            start.wait()
            results[name] = create_planned(plan)
        except BaseException as error:
            results[name] = error
        finally:
            connections.close_all()

    if turned:
        # Whoever locks as it goes would wait for the other, which waits for it.
        mine = replace(mine, sessions=tuple(reversed(mine.sessions)))
    threads = [threading.Thread(target=work, args=args) for args in (("both", both), ("mine", mine))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results["both"].made) + len(results["mine"].made) == 24, results
    assert {item.reason for result in results.values() for item in result.skipped} == {"exists"}
    assert PeeringSession.objects.count() == BGPPeer.objects.count() == 24
    # Ours are two in each family.
    assert IPAddress.objects.count() == 12 + 4
    assert ASN.objects.count() == PeerASN.objects.count() == 7
    assert PeeringSession.objects.filter(bgp_peer__scope=there.bgp_scope).count() == 12


@pytest.mark.django_db(transaction=True)
def test_one_session_and_many_wait_for_each_other(monkeypatch):
    peer = factories.make_relationship("Peer")
    set_up_lan()
    ports = make_ports(4)
    plan = planned(peer, ports)
    results = {}

    def add_one():
        try:
            new = NewSession(
                relationship=peer,
                remote_asn=3002,
                remote_ip="198.51.1.12",
                connection=usable_connections().get(),
            )
            results["one"] = create_sessions([new])
        except ProvisioningError as error:
            results["one"] = error
        finally:
            connections.close_all()

    thread = threading.Thread(target=add_one)
    record = inserting.record_created

    def start_the_other_then_record(rows):
        if not thread.ident:
            thread.start()
            # Its transaction has begun, and waits for ours.
            thread.join(0.5)
            assert thread.is_alive()
        record(rows)

    monkeypatch.setattr(inserting, "record_created", start_the_other_then_record)
    assert len(create_planned(plan).made) == 8
    thread.join(30)
    assert isinstance(results["one"], ProvisioningError)
    assert "has a session with 198.51.1.12 already" in str(results["one"])
    assert IPAddress.objects.filter(address__net_host="198.51.1.12").count() == 1


# What is mirrored


@pytest.mark.parametrize(
    ("method", "digest"),
    [
        (IPAddress.clean, "6f92c2e776e6592b"),
        (BaseModel.clean, "72c1b11b0a243d0d"),
        (CustomValidationMixin.clean, "3d0f401d5de2d0ee"),
    ],
)
def test_methods_that_are_mirrored_are_those_of_this_netbox(method, digest):
    """Look at what has changed, bring services.provisioning.validation in line with it, then enter the new digest."""
    assert sha256(inspect.getsource(method).encode()).hexdigest()[:16] == digest
