"""Adding sessions in a real browser: many from a list of possible peers, and one whose far end is looked up."""

import pytest

from netbox_peering_manager.models import (
    PeerASN,
    PeeringDBIX,
    PeeringDBIXLan,
    PeeringDBNet,
    PeeringDBNetIXLan,
    PeeringSession,
)
from tests import factories
from tests.browser.conftest import choose, look, settle, submit
from tests.peers import worlds

pytestmark = pytest.mark.browser

# Ids and AS numbers that no other test of this database has.
LAN = 77
FIRST_ID = 9_000_000
FIRST_ASN = 4_260_000_000
NAME = "Adding IX"


@pytest.fixture(scope="module")
def fabric(site):
    """An exchange with our port and four strangers; the mirror is left as it was found."""
    with site.data():
        if not PeerASN.objects.filter(asn__asn=factories.LOCAL_ASN).exists():
            factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
        factories.make_relationship("Added together")
        worlds.make_ix(LAN, NAME)
        side = worlds.make_side(LAN, NAME, device="rt77.mtl")
        for number in range(4):
            asn = FIRST_ASN + number
            factories.make_asn(asn)
            net = worlds.make_net(
                asn,
                id=FIRST_ID + number,
                name=f"Stranger {number}",
                irr_as_set=f"AS-S{number}",
                info_prefixes4=110,
            )
            host = 10 + number
            worlds.make_port(net, f"198.51.77.{host}", f"2001:db8:4d::{host:x}", LAN, id=FIRST_ID + number)
        found = side.peering_network.fabric
    yield found
    with site.data():
        PeeringDBNetIXLan.objects.filter(ixlan_id=LAN).delete()
        PeeringDBNet.objects.filter(pk__gte=FIRST_ID).delete()
        PeeringDBIXLan.objects.filter(pk=LAN).delete()
        PeeringDBIX.objects.filter(pk=LAN).delete()


def pick(page, field, value):
    """Choose an option of a select whose options are all there, as its list does when one is clicked."""
    page.evaluate(f"document.querySelector('#id_{field}').tomselect.setValue('{value}')")


def test_from_the_list_of_possible_peers_to_their_sessions(site, page, fabric):
    page.goto(f"/plugins/peering-manager/fabrics/{fabric.pk}/available-peers/")
    settle(page)
    for number in (0, 1):
        page.locator("input[name=pk]").nth(number).check()
    page.locator("button:has-text('Add Selected'):visible").first.click()
    settle(page)
    look(page, "add-choices")
    choose(page, "relationship", "Added together")
    pick(page, "max_prefixes", "peeringdb")
    page.fill("#id_margin_percent", "15")
    pick(page, "password", "generated")
    page.click("button[name=_preview]")
    settle(page)
    look(page, "add-preview")
    assert "4 sessions will be made with 2 networks" in page.inner_text("main, .page-wrapper")
    assert page.locator("td", has_text="127").count() == 2

    page.click("button[name=_edit]")
    settle(page)
    assert page.input_value("#id_margin_percent") == "15"
    page.click("button[name=_preview]")
    settle(page)
    page.click("button[name=_confirm_now]")
    settle(page)
    look(page, "add-result")
    assert "4 sessions were made" in page.inner_text("main, .page-wrapper")
    page.locator("a", has_text="198.51.77.10").first.click()
    settle(page)
    assert "Stranger 0" in page.content()
    with site.data():
        sessions = PeeringSession.objects.filter(peering_network__fabric=fabric)
        assert sessions.count() == 4
        assert len({session.encrypted_password for session in sessions} - {""}) == 4


def test_far_end_is_looked_up_as_one_types(site, page, fabric):
    with site.data():
        factories.make_peer_asn(FIRST_ASN + 3, name="Known stranger")
    page.goto("/plugins/peering-manager/sessions/create/")
    settle(page)
    look(page, "create-session")
    page.fill("#id_description", "typed before")
    page.fill("#id_password", "s3cret")
    choose(page, "netixlan", f"AS{FIRST_ASN + 2}")
    settle(page)
    filled = {
        name: page.input_value(f"#id_{name}") for name in ("remote_asn", "ipv4_remote_ip", "irr_as_set")
    }
    assert filled == {
        "remote_asn": str(FIRST_ASN + 2),
        "ipv4_remote_ip": "198.51.77.12",
        "irr_as_set": "AS-S2",
    }
    assert page.input_value("#id_description") == "typed before"
    assert page.get_attribute("#id_ipv4_max_prefixes", "placeholder") == "110"
    look(page, "create-session-filled")

    page.click("button[role=tab]:has-text('Local peer')")
    choose(page, "peer_asn", "Known stranger")
    settle(page)
    assert page.input_value("#id_remote_asn") == str(FIRST_ASN + 3)
    assert page.input_value("#id_ipv4_remote_ip") == ""
    choose(page, "peer_address", "198.51.77.13")
    settle(page)
    assert page.input_value("#id_ipv6_remote_ip") == "2001:db8:4d::d"
    choose(page, "relationship", "Added together")
    submit(page)
    assert "/plugins/peering-manager/sessions/" in page.url
    with site.data():
        assert PeeringSession.objects.filter(description="typed before").count() == 2
