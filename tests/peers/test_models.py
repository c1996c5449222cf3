"""Rules of peer ASNs and their messages."""

import pytest
from django.core.exceptions import ValidationError

from netbox_routing.models import BGPPeerTemplate, BGPSessionTemplate
from users.models import User

from netbox_peering_manager.choices import PeeringDBFieldChoices
from netbox_peering_manager.models import PeerASN, PeeringSession
from tests import factories

pytestmark = pytest.mark.django_db


def errors_of(instance):
    with pytest.raises(ValidationError) as caught:
        instance.full_clean()
    return caught.value.message_dict


@pytest.mark.parametrize(
    "text",
    [
        "AS-EXAMPLE",
        "AS64500",
        "AS64500:AS-CONE",
        "AS64500:AS-CONE:AS4200000001",
        "RIPE::AS-EXAMPLE",
        "RADB::AS64500:AS-CONE",
        "ripe::as-example",
        "AS-ONE AS-TWO",
        "AS-ONE, RIPE::AS-TWO,AS64500",
        "AS-WITH_UNDERSCORE",
    ],
)
def test_as_sets_as_peeringdb_holds_them_are_accepted(text):
    PeerASN(asn=factories.make_asn(64496), irr_as_set=text).full_clean()


@pytest.mark.parametrize(
    "text",
    [
        "EXAMPLE",
        "RS-ROUTES",
        "AS-ONE;AS-TWO",
        "RIPE:AS-EXAMPLE",
        "::AS-X",
        "AS-ONE,",
        "AS-X\nno",
        "as set",
    ],
)
def test_what_is_no_as_set_is_refused_with_how_to_write_one(text):
    peer = PeerASN(asn=factories.make_asn(64496), irr_as_set=text)
    message = (
        "Write AS-SETs as AS-NAME, AS64500:AS-NAME or SOURCE::AS-NAME, several split by blanks or commas."
    )
    assert errors_of(peer) == {"irr_as_set": [message]}


def test_second_peer_asn_of_an_as_is_refused():
    first = factories.make_peer_asn(64496)
    message = "AS64496 has a peer ASN already: edit that one instead of creating another."
    assert errors_of(PeerASN(asn=first.asn)) == {"asn": [message]}


def test_second_peer_asn_of_a_net_in_peeringdb_is_refused():
    factories.make_peer_asn(64496, peeringdb_id=1)
    peer = PeerASN(asn=factories.make_asn(64497), peeringdb_id=1)
    assert errors_of(peer) == {"peeringdb_id": ["Peer ASN with this PeeringDB ID already exists."]}


def test_names_are_asplain_for_32_bit_numbers():
    assert str(factories.make_peer_asn(4200000001)) == "AS4200000001"
    assert str(factories.make_peer_asn(4200000002, name="Example")) == "AS4200000002 (Example)"


def test_new_peer_asn_follows_peeringdb_in_every_field():
    assert factories.make_peer_asn(64496).follow_peeringdb == PeeringDBFieldChoices.values()


def test_only_known_fields_follow_peeringdb():
    peer = PeerASN(asn=factories.make_asn(64496), follow_peeringdb=["name", "color"])
    assert "follow_peeringdb" in errors_of(peer)


def test_max_prefixes_are_by_family():
    peer = factories.make_peer_asn(64496, ipv4_max_prefixes=100, ipv6_max_prefixes=50)
    assert (peer.max_prefixes(4), peer.max_prefixes(6)) == (100, 50)


def test_as_stays_affiliated_while_sessions_have_it_as_their_local_as():
    ours = factories.make_peer_asn(64500, affiliated=True)
    session = factories.make_session()
    ours.affiliated = False
    message = (
        "Sessions have AS64500 as their local AS: it stays affiliated as long as they do. "
        "Change their local AS first."
    )
    assert errors_of(ours) == {"affiliated": [message]}
    session.delete()
    ours.full_clean()


def test_as_that_never_was_affiliated_can_be_entered_as_it_is():
    factories.make_session()
    factories.make_peer_asn(64500).full_clean()
    PeerASN(asn=factories.make_asn(64496)).full_clean()


def make_session_by(holder, asn, host):
    """
    A session whose remote AS comes from the BGPPeer ("peer"), its session template, the template above that ("parent")
    or its peer group.
    """
    peer = factories.make_bgp_peer(f"198.51.100.{host}/24", asn=asn)
    if holder != "peer":
        other = factories.make_asn(64510)
        template = BGPSessionTemplate.objects.create(
            name=f"t{host}", remote_as=peer.remote_as if holder == "template" else None
        )
        if holder == "parent":
            template.parent = BGPSessionTemplate.objects.create(name=f"p{host}", remote_as=peer.remote_as)
            template.save()
        # A group's AS only counts where the session template has none.
        group = BGPPeerTemplate.objects.create(
            name=f"g{host}", remote_as=peer.remote_as if holder == "group" else other
        )
        peer.peer_session, peer.peer_group, peer.remote_as = template, group, None
        peer.save()
    return factories.make_session(peer)


def test_sessions_are_counted_whoever_holds_their_remote_as():
    admin = User.objects.create_superuser("admin")
    peers = [factories.make_peer_asn(number) for number in (64496, 64497, 64510)]
    for host, (holder, asn) in enumerate(
        [("peer", 64496), ("template", 64496), ("parent", 64496), ("group", 64496), ("group", 64497)],
        start=10,
    ):
        make_session_by(holder, asn, host)
    counts = {peer.pk: peer.session_count for peer in PeerASN.objects.with_counts(admin)}
    assert [counts[peer.pk] for peer in peers] == [4, 1, 0]
    # The same sessions as the session table of the peer ASN's page shows.
    assert [PeeringSession.objects.for_remote_as(peer.asn_id).count() for peer in peers] == [4, 1, 0]


def test_peers_with_and_without_sessions_are_told_apart_whoever_holds_their_remote_as():
    holders = [("peer", 64496), ("template", 64497), ("group", 64498), ("parent", 64499)]
    for host, (holder, asn) in enumerate(holders, start=10):
        factories.make_peer_asn(asn)
        make_session_by(holder, asn, host)
    factories.make_peer_asn(64510)
    sessions = PeeringSession.objects.all()
    with_sessions = PeerASN.objects.having_sessions(sessions)
    assert [peer.asn.asn for peer in with_sessions] == [64496, 64497, 64498, 64499]
    assert [peer.asn.asn for peer in PeerASN.objects.having_sessions(sessions, False)] == [64510]
