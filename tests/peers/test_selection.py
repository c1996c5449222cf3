"""What a list of possible peers posts stands for: ports, of what the user may see."""

from types import SimpleNamespace

import pytest
from django.http import Http404
from django.test import RequestFactory

from users.models import User

from netbox_peering_manager.models import HiddenPeer, PeeringConnection, PeeringDBNetIXLan, PeeringFabric
from netbox_peering_manager.views.peers_selection import selected_asns, selected_ports
from tests import factories, shared
from tests.peers import worlds
from tests.peers.people import allowed

pytestmark = pytest.mark.django_db


@factories.look_ups_kept()
def build():
    """AS64496 on two exchanges, AS64497 on one, each open or not; a port of AS64496 that is down, and one of ours."""
    for lan, name in ((1, "Example IX"), (2, "Other IX")):
        worlds.make_ix(lan, name)
        worlds.make_side(lan, name)
        worlds.make_port(64496, f"198.51.{lan}.96", lan=lan)
    worlds.make_port(worlds.make_net(64497, policy_general="Open"), "198.51.1.97")
    worlds.make_port(64496, "198.51.1.98", operational=False)
    factories.make_peer_asn(64500, affiliated=True)
    worlds.make_port(64500, "198.51.1.1")
    return SimpleNamespace(
        fabric=PeeringFabric.objects.get(name="Example IX"), user=User.objects.create_superuser("admin")
    )


made = shared.once(build)
fabric = shared.copy("fabric")
user = shared.copy("user")


def posted(user, query="", **data):
    request = RequestFactory().post(f"/?{query}", data)
    request.user = user
    return request


def addresses(request):
    ports = PeeringDBNetIXLan.objects.filter(pk__in=selected_ports(request))
    return sorted(ports.values_list("ipaddr4", flat=True))


def port_at(address):
    return PeeringDBNetIXLan.objects.get(ipaddr4=address)


def test_ticked_ports_are_themselves(user, fabric):
    chosen = [port_at("198.51.1.98").pk, port_at("198.51.1.96").pk]
    assert selected_ports(posted(user, fabric=fabric.pk, pk=chosen)) == sorted(chosen)
    assert selected_asns(posted(user, fabric=fabric.pk, pk=chosen)) == [64496]
    assert selected_ports(posted(user)) == []


def test_all_that_match_are_those_that_the_list_shows(user, fabric):
    assert addresses(posted(user, _all=1, fabric=fabric.pk)) == ["198.51.1.96", "198.51.1.97"]
    assert addresses(posted(user, "policy=Open&page=2", _all=1, fabric=fabric.pk)) == ["198.51.1.97"]
    query = "not_operational=only"
    assert addresses(posted(user, query, _all=1, fabric=fabric.pk)) == ["198.51.1.98"]
    peer = factories.make_peer_asn(64496)
    assert addresses(posted(user, _all=1, peer_asn=peer.pk)) == ["198.51.1.96", "198.51.2.96"]
    # Ticked rows are of no matter then.
    chosen = posted(user, "policy=Open", _all=1, fabric=fabric.pk, pk=port_at("198.51.1.96").pk)
    assert addresses(chosen) == ["198.51.1.97"]


def test_networks_of_the_ranking_stand_for_their_ports_everywhere(user):
    assert addresses(posted(user, asn=[64496])) == ["198.51.1.96", "198.51.2.96"]
    assert addresses(posted(user, _all=1)) == ["198.51.1.96", "198.51.1.97", "198.51.2.96"]
    assert addresses(posted(user, "policy=Open", _all=1)) == ["198.51.1.97"]
    assert selected_asns(posted(user, "policy=Open", _all=1)) == [64497]


def test_hidden_networks_are_taken_where_they_were_chosen(user, fabric):
    HiddenPeer.objects.create(asn=64496)
    HiddenPeer.objects.create(asn=64496, fabric=fabric)
    assert addresses(posted(user, _all=1)) == ["198.51.1.97"]
    # Shown on purpose and ticked; but not where it is hidden by itself.
    assert addresses(posted(user, asn=[64496])) == ["198.51.2.96"]
    assert addresses(posted(user, "hidden=only", _all=1)) == ["198.51.2.96"]
    reader = allowed(User.objects.create_user("reader"), PeeringFabric, PeeringConnection)
    assert addresses(posted(reader, asn=[64496])) == []


def test_only_what_the_user_may_see_is_taken(user, fabric):
    reader = User.objects.create_user("reader")
    with pytest.raises(Http404):
        selected_ports(posted(reader, _all=1, fabric=fabric.pk))
    assert addresses(posted(reader, _all=1)) == addresses(posted(reader, asn=[64496])) == []
    reader = allowed(reader, PeeringFabric)
    reader = allowed(reader, PeeringConnection, constraints={"peering_network__fabric__name": "Other IX"})
    assert addresses(posted(reader, _all=1, fabric=fabric.pk)) == []
    assert addresses(posted(reader, asn=[64496])) == ["198.51.2.96"]


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "9" * 40, "٣x"])
def test_what_is_no_id_is_not_found(user, value):
    for field in ("pk", "asn", "fabric", "peer_asn"):
        data = {field: value, "_all": 1} if field in ("fabric", "peer_asn") else {field: value}
        with pytest.raises(Http404):
            selected_ports(posted(user, **data))
