"""The first peering session, as the walkthrough in the docs tells it, clicked through by a person who follows it."""

import pytest

from extras.models import ConfigTemplate
from ipam.models import ASN, IPAddress
from netbox_routing.models import BGPPeer, BGPRouter, BGPScope

from netbox_peering_manager.models import PeerASN
from tests import factories
from tests.browser.conftest import choose, look, press_create, running_site, settle, submit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(django_db_blocker):
    """One of its own: the walkthrough's objects are to be the only ones of their name."""
    with running_site("walkthrough", django_db_blocker) as running:
        yield running


@pytest.fixture(scope="module")
def ids(site):
    """What the walkthrough takes for granted: a router with BGP, its port's address, the LAN's prefixes, templates."""
    with site.data():
        factories.make_scope()
        factories.make_asn(64512)
        device = factories.make_device()
        factories.make_address("198.51.100.1/24", factories.make_interface(device))
        factories.make_prefix("198.51.100.0/24")
        factories.make_prefix("2001:db8:100::/64")
        template = ConfigTemplate.objects.create(
            name="Neighbours",
            template_code="router bgp {{ device.local_asn }}\n"
            "{% for s in sessions %} neighbor {{ s.remote_ip }} remote-as {{ s.peer_asn }}\n{% endfor %}",
        )
        broken = ConfigTemplate.objects.create(
            name="Broken", template_code="router bgp 1\n{{ nothing.like.this }}"
        )
        return {
            "device": device.pk,
            "template": template.pk,
            "broken": broken.pk,
            "bgp_peer": bgp_peer_as_the_walkthrough_makes_it().pk,
        }


def bgp_peer_as_the_walkthrough_makes_it():
    """Step 3 of the walkthrough, as its shell code writes it."""
    IPAddress.objects.create(address="198.51.100.42/24")
    router = BGPRouter.objects.get(name="rt1.mtl")
    scope = BGPScope.objects.get(router=router, vrf=None)
    return BGPPeer.objects.create(
        scope=scope,
        peer=IPAddress.objects.get(address="198.51.100.42/24"),
        source=IPAddress.objects.get(address="198.51.100.1/24"),
        local_as=ASN.objects.get(asn=64500),
        remote_as=ASN.objects.get(asn=64512),
        name="AS64512 - Example Peer (LINX)",
        enabled=True,
    )


@pytest.fixture
def second_exchange(site, ids):
    """A port of the router on another LAN, with what a session there takes."""
    with site.data():
        factories.make_relationship("One form")
        if not PeerASN.objects.filter(asn__asn=64500).exists():
            factories.make_peer_asn(64500, name="Example Networks", affiliated=True)
        network = factories.make_network(
            "Second LAN", factories.make_fabric("Second IX"), "203.0.113.0/24", None
        )
        port = factories.make_interface(factories.make_device(), "Ethernet9")
        factories.make_connection(network, port, "203.0.113.1/24", None)
        factories.make_asn(65550)


def add_by_the_menu(page, entry):
    """Press Add beside an entry of the menu Peering, which is opened for it where it is not open."""
    item = page.locator(".dropdown-item", has=page.get_by_role("link", name=entry, exact=True))
    if not item.is_visible():
        page.get_by_role("button", name="Peering", exact=True).click()
    # Its buttons show while the mouse is over it.
    item.hover()
    item.get_by_role("link", name="Add", exact=True).click()
    settle(page)


def test_first_peering_session_from_login_to_configuration(page, ids):
    page.click("text=Peering >> visible=true")
    look(page, "menu")

    add_by_the_menu(page, "Relationship Types")
    page.fill("#id_name", "Peer")
    page.press("#id_name", "Tab")
    assert page.input_value("#id_slug") == "peer"
    submit(page)
    relationship = page.url
    look(page, "relationship")

    add_by_the_menu(page, "Peer ASNs")
    choose(page, "asn", "64512")
    page.fill("#id_name", "Example Peer")
    page.fill("#id_irr_as_set", "RIPE::AS-EXAMPLE")
    page.fill("#id_ipv4_max_prefixes", "100")
    submit(page)
    peer_asn = page.url
    look(page, "peer-asn")

    page.goto("/plugins/peering-manager/fabrics/add/")
    page.fill("#id_name", "LINX LON1")
    page.press("#id_name", "Tab")
    assert page.input_value("#id_slug") == "linx-lon1"
    submit(page)
    look(page, "fabric")

    page.goto("/plugins/peering-manager/networks/add/")
    choose(page, "fabric", "LINX LON1")
    page.fill("#id_name", "LINX LON1 Main")
    choose(page, "ipv4_prefix", "198.51.100.0/24")
    choose(page, "ipv6_prefix", "2001:db8:100::/64")
    submit(page)
    network = page.url
    look(page, "network")

    page.goto(f"/plugins/peering-manager/connections/add/?device={ids['device']}")
    choose(page, "peering_network", "LINX LON1 Main")
    choose(page, "interface", "Ethernet1")
    submit(page)
    look(page, "connection")
    assert "198.51.100.1/24" in page.inner_text("main, .page-wrapper")

    add_by_the_menu(page, "Peering Sessions")
    choose(page, "bgp_peer", "198.51.100.42")
    choose(page, "relationship", "Peer")
    choose(page, "peering_network", "LINX LON1 Main")
    page.fill("#id_service_reference", "NOC-12345")
    submit(page)
    look(page, "session")
    assert "NOC-12345" in page.inner_text("body")

    page.goto("/plugins/peering-manager/sessions/add/")
    choose(page, "bgp_peer", "198.51.100.42")
    choose(page, "relationship", "Peer")
    press_create(page)
    # NetBox opens the drop-down of the first refused field, over what is said below it.
    page.keyboard.press("Escape")
    page.locator("form").get_by_role("link", name="AS64512 - Example Peer (LINX)").wait_for()
    look(page, "session-twice")

    for address, name in (
        ("/plugins/peering-manager/sessions/", "session-list"),
        (relationship, "relationship-with-session"),
        (peer_asn, "peer-asn-with-session"),
        (network, "network-with-session"),
        (f"/dcim/devices/{ids['device']}/peering/", "device-peering"),
        (f"/plugins/routing/bgp/peer/{ids['bgp_peer']}/", "bgp-peer"),
        (f"/dcim/devices/{ids['device']}/", "device"),
    ):
        page.goto(address)
        look(page, name)
        if name not in ("bgp-peer", "device"):
            page.get_by_text("NOC-12345").first.wait_for()

    page.get_by_role("link", name="Peering configuration").click()
    choose(page, "template", "Neighbours")
    page.get_by_role("button", name="Render").click()
    page.get_by_text("neighbor 198.51.100.42 remote-as 64512").first.wait_for()
    look(page, "device-configuration")
    page.locator("[data-clipboard-target='#peering_config']").click()
    assert "neighbor 198.51.100.42" in page.evaluate("navigator.clipboard.readText()")


def test_create_session_in_one_form_and_reveal_its_password(page, second_exchange):
    page.goto("/plugins/peering-manager/sessions/create/")
    page.fill("#id_remote_asn", "65550")
    choose(page, "relationship", "One form")
    choose(page, "connection", "Ethernet9")
    page.fill("#id_ipv4_remote_ip", "203.0.113.9")
    page.fill("#id_password", "s3cret-of-65550")
    look(page, "session-create")
    press_create(page)
    page.wait_for_url("**/sessions/**")
    assert "s3cret-of-65550" not in page.content()
    page.goto("/plugins/peering-manager/sessions/?remote_asn=65550")
    page.get_by_role("link", name="AS65550 Second IX (203.0.113.9)").click()
    assert "s3cret-of-65550" not in page.content()
    page.get_by_role("button", name="Reveal").click()
    page.get_by_text("s3cret-of-65550").wait_for()
    look(page, "session-created")


def test_template_error_is_told_beside_the_template(page, ids):
    page.goto(f"/dcim/devices/{ids['device']}/peering-config/?template={ids['broken']}")
    page.get_by_text("is undefined").first.wait_for()
    look(page, "template-error")
