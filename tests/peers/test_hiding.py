"""Hiding networks from the lists of possible peers: one, several, all that match; with the rights that it takes."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.models import ObjectChange, ObjectType
from extras.models import EventRule, Notification, NotificationGroup
from netbox.context_managers import event_tracking
from users.models import User
from utilities.request import NetBoxFakeRequest

from netbox_peering_manager.exceptions import ProvisioningError
from netbox_peering_manager.models import HiddenPeer, PeeringConnection, PeeringFabric
from netbox_peering_manager.services.provisioning.hiding import Hidden, hide
from tests import factories, shared
from tests.peers import worlds
from tests.peers.people import allowed

pytestmark = pytest.mark.django_db

HIDE = reverse("plugins:netbox_peering_manager:hiddenpeer_hide")
RANKING = reverse("plugins:netbox_peering_manager:peer_ranking")


@factories.look_ups_kept()
def build():
    worlds.make_ix()
    side = worlds.make_side()
    for asn in range(64496, 64500):
        net = worlds.make_net(asn, name=f"Network {asn}", policy_general="Open" if asn % 2 else "No")
        worlds.make_port(net, f"198.51.1.{asn - 64400}")
    return SimpleNamespace(fabric=side.peering_network.fabric, user=User.objects.create_superuser("admin"))


made = shared.once(build)
fabric = shared.copy("fabric")
user = shared.copy("user")


@pytest.fixture
def admin(client, user):
    client.force_login(user)
    return user


def hidden():
    return {(row.asn, row.fabric_id): (row.reason, row.until) for row in HiddenPeer.objects.all()}


def port_of(asn):
    return worlds.PeeringDBNetIXLan.objects.get(asn=asn).pk


# The service


def test_networks_are_hidden_on_a_fabric_or_everywhere(fabric):
    day = date(2030, 12, 31)
    assert hide([64496, 64497, 64496], fabric=fabric, reason="Small", until=day) == Hidden(2, 0)
    assert hide([64496]) == Hidden(1, 0)
    assert hidden() == {
        (64496, fabric.pk): ("Small", day),
        (64497, fabric.pk): ("Small", day),
        (64496, None): ("", None),
    }


def test_entry_that_is_there_gets_the_new_reason_and_day(fabric):
    HiddenPeer.objects.create(asn=64496, fabric=fabric, reason="Old", until=date(2020, 1, 1))
    HiddenPeer.objects.create(asn=64497, fabric=fabric, reason="New")
    assert hide([64496, 64497, 64498], fabric=fabric, reason="New") == Hidden(1, 1)
    assert set(hidden().values()) == {("New", None)}


def test_changes_are_recorded_as_single_edits_would_be(user):
    HiddenPeer.objects.create(asn=64496, reason="Old")
    request = NetBoxFakeRequest(
        {"META": {}, "POST": {}, "GET": {}, "FILES": {}, "user": user, "path": "", "id": "0" * 32}
    )
    with event_tracking(request):
        hide([64496, 64497], reason="New", user=user)
    changes = {change.action: change for change in ObjectChange.objects.all()}
    assert set(changes) == {"create", "update"}
    assert changes["update"].prechange_data["reason"] == "Old"
    assert changes["update"].postchange_data["reason"] == "New"
    assert changes["create"].user == user


def test_what_is_no_as_number_is_refused_and_nothing_hidden():
    with pytest.raises(ProvisioningError, match="AS0"):
        hide([64496, 0])
    assert not HiddenPeer.objects.exists()


def test_rights_are_held_against_each_entry(fabric):
    reader = User.objects.create_user("reader")
    adder = allowed(reader, HiddenPeer, actions=("add",), constraints={"asn__lt": 64498})
    with pytest.raises(ProvisioningError, match=r"You may not hide AS64498 there\. Nothing was changed\."):
        hide([64496, 64498], user=adder)
    assert not HiddenPeer.objects.exists()
    assert hide([64496], user=adder) == Hidden(1, 0)
    with pytest.raises(
        ProvisioningError, match="AS64496 are hidden there already, and you may not change that"
    ):
        hide([64496, 64497], reason="New", user=adder)
    assert hidden() == {(64496, None): ("", None)}
    # What is as it is to be needs no right to change.
    assert hide([64496, 64497], user=adder) == Hidden(1, 0)


def test_queries_do_not_grow_with_the_networks():
    def cost(asns):
        # As in a request.
        with factories.look_ups_kept(), CaptureQueriesContext(connection) as queries:
            hide(asns, reason="Many")
        return len(queries)

    few = cost(range(4200000000, 4200000003))
    assert cost(range(4200000100, 4200000200)) == few


# The page


def chosen(client, **data):
    return client.post(HIDE, data)


def test_selected_ports_are_hidden_on_their_fabric(client, admin, fabric):
    page = chosen(client, fabric=fabric.pk, pk=[port_of(64496), port_of(64497)]).content.decode()
    for text in ("Hide 2 networks", "Network 64496", "AS64497", "On every exchange", "on Example IX"):
        assert text in page
    assert not HiddenPeer.objects.exists()
    data = {
        "fabric": fabric.pk,
        "asns": "64496,64497",
        "reason": "Small",
        "until": "2030-12-31",
        "_confirm": "",
    }
    answer = client.post(HIDE, {**data, "return_url": "/plugins/peering-manager/hidden-peers/?x=1"})
    assert answer["Location"] == "/plugins/peering-manager/hidden-peers/?x=1"
    assert set(hidden()) == {(64496, fabric.pk), (64497, fabric.pk)}
    assert set(hidden().values()) == {("Small", date(2030, 12, 31))}


def test_selected_ports_can_be_hidden_everywhere(client, admin, fabric):
    client.post(HIDE, {"fabric": fabric.pk, "asns": "64496", "everywhere": "on", "_confirm": ""})
    assert set(hidden()) == {(64496, None)}


def test_all_that_match_are_hidden(client, admin, fabric):
    answer = client.post(f"{HIDE}?policy=Open&per_page=1", {"fabric": fabric.pk, "_all": "on"})
    assert answer.context["form"].chosen == [64497, 64499]


def test_networks_of_the_ranking_are_hidden_everywhere(client, admin):
    answer = chosen(client, asn=["64498", "64496"])
    assert answer.context["form"].chosen == [64496, 64498]
    assert "On every exchange" not in answer.content.decode()
    answer = client.post(f"{HIDE}?policy=No", {"_all": "on"})
    assert answer.context["form"].chosen == [64496, 64498]
    client.post(HIDE, {"asns": "64496,64498", "_confirm": ""})
    assert set(hidden()) == {(64496, None), (64498, None)}


def test_ports_of_a_peer_are_hidden_everywhere(client, admin):
    peer = factories.make_peer_asn(64496)
    answer = client.post(HIDE, {"peer_asn": peer.pk, "_all": "on"})
    assert answer.context["form"].chosen == [64496]


def test_wrong_form_is_shown_again_with_what_was_chosen(client, admin, fabric):
    yesterday = timezone.localdate() - timedelta(days=1)
    data = {"fabric": fabric.pk, "asns": "64496,64497", "until": yesterday, "_confirm": ""}
    answer = client.post(HIDE, data)
    assert "This day is over" in answer.content.decode()
    assert answer.context["form"].chosen == [64496, 64497]
    assert not HiddenPeer.objects.exists()
    answer = client.post(HIDE, {"asns": "0", "_confirm": ""})
    assert "AS0" in answer.content.decode()


def test_nothing_selected_is_said(client, admin, fabric):
    answer = client.post(HIDE, {"fabric": fabric.pk, "return_url": RANKING}, follow=True)
    assert answer.redirect_chain == [(RANKING, 302)]
    assert "No networks were selected." in answer.content.decode()


def test_who_may_not_hide_some_of_them_is_told_and_nothing_is_hidden(client, fabric):
    reader = allowed(User.objects.create_user("reader"), PeeringFabric, PeeringConnection)
    client.force_login(reader)
    assert chosen(client, asn="64496").status_code == 403
    reader = allowed(reader, HiddenPeer, actions=("add",), constraints={"asn": 64496})
    client.force_login(reader)
    answer = client.post(HIDE, {"asns": "64496,64497", "_confirm": ""})
    assert "You may not hide AS64497 there." in answer.content.decode()
    assert not HiddenPeer.objects.exists()
    client.post(HIDE, {"asns": "64496", "_confirm": ""})
    assert set(hidden()) == {(64496, None)}


def test_no_event_tells_of_what_was_refused(client):
    reader = allowed(
        User.objects.create_user("reader"), HiddenPeer, actions=("add",), constraints={"asn": 64496}
    )
    group = NotificationGroup.objects.create(name="NOC")
    group.users.add(reader)
    rule = EventRule.objects.create(
        name="Hidden", event_types=["object_created"], action_type="notification", action_object=group
    )
    rule.object_types.add(ObjectType.objects.get_for_model(HiddenPeer))
    client.force_login(reader)
    client.post(HIDE, {"asns": "64496,64497", "_confirm": ""})
    assert not Notification.objects.exists()
    client.post(HIDE, {"asns": "64496", "_confirm": ""})
    assert Notification.objects.get().object_repr == "AS64496"


def test_fabric_that_one_may_not_view_is_not_there(client, fabric):
    reader = allowed(User.objects.create_user("reader"), HiddenPeer, actions=("add",))
    client.force_login(reader)
    assert chosen(client, fabric=fabric.pk, pk=port_of(64496)).status_code == 404
    for value in ("x", "-1", "9" * 30):
        assert chosen(client, fabric=value).status_code == 404
        assert chosen(client, pk=value).status_code == 404


def test_page_is_reached_by_post_alone(client, admin):
    assert client.get(HIDE).status_code == 405


def test_rows_lead_to_the_form_of_one_entry(client, admin, fabric):
    url = reverse("plugins:netbox_peering_manager:peeringfabric_available_peers", args=[fabric.pk])
    page = client.get(url).content.decode()
    add = reverse("plugins:netbox_peering_manager:hiddenpeer_add")
    assert f'href="{add}?return_url={url.replace("/", "%2F")}&amp;asn=64496&amp;fabric={fabric.pk}"' in page
    form = client.get(f"{add}?asn=64496&fabric={fabric.pk}").context["form"]
    assert (form.initial["asn"], form.initial["fabric"]) == ("64496", str(fabric.pk))


def test_hidden_row_leads_to_why(client, admin, fabric):
    entry = HiddenPeer.objects.create(asn=64496)
    url = reverse("plugins:netbox_peering_manager:peeringfabric_available_peers", args=[fabric.pk])
    page = client.get(f"{url}?hidden=only").content.decode()
    assert f'href="{entry.get_absolute_url()}"' in page
