"""The panel "In effect" on a session's page: what counts, who says so, and that nobody sees more than their own."""

import re

import pytest

from netbox_routing.models import BGPSessionTemplate

from tests import shared
from tests.rendering import scenario
from tests.sessions.people import browser, grant, make_root, make_user, ours

pytestmark = pytest.mark.django_db
made = shared.once(scenario.build)
net = shared.copy()


def panel(user, session):
    """The lines of the panel: the text of each, by the family that it stands under ("" above all families)."""
    page = browser(user).get(session.get_absolute_url()).content.decode()
    card = page[page.index("In Effect") :]
    lines, family = {}, ""
    for row in re.findall(r"<tr>(.*?)</tr>", card[: card.index("</table>")], re.DOTALL):
        cells = [
            " ".join(re.sub(r"<[^>]+>", " ", cell).split())
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
        ]
        if len(cells) == 1:
            family = cells[0]
        else:
            lines[family, cells[0]] = cells[1]
    return lines


def test_values_are_told_with_their_origin(net):
    lines = panel(make_root(), net.full)
    expected = {
        ("", "Local AS"): "AS64500 from the BGP peer",
        ("", "Source address"): "198.51.100.1/24 from the BGP peer",
        ("", "Peer group"): "PEERS from the BGP peer",
        ("", "TTL"): "255 from the BGP peer",
        ("", "BFD profile"): "fast from the BGP peer",
        ("IPv4 Unicast", "Max prefixes"): "7 from this session",
        ("IPv4 Unicast", "Route map in"): "OWN from the BGP peer",
        ("IPv4 Unicast", "Route map out"): "POLICY from a policy template",
        ("IPv4 Unicast", "Prefix list out"): "OURS-V4 from a policy template",
        ("IPv6 Unicast disabled", "Max prefixes"): "50 from the peer ASN",
    }
    assert {key: lines.get(key) for key in expected} == expected
    assert ("IPv4 Unicast", "Prefix list in") not in lines


def test_inherited_values_name_their_template_or_group(net):
    lines = panel(make_root(), net.bare)
    expected = {
        ("", "Enabled"): "by default",
        ("", "Local AS"): "AS64501 from session template child",
        ("", "Source address"): "&mdash;",
        ("", "TTL"): "2 from session template parent",
        ("", "BFD profile"): "fast from session template parent",
        ("IPv4 Unicast", "Max prefixes"): "&mdash;",
        ("IPv4 Unicast", "Route map in"): "GROUP from peer group PEERS",
        ("IPv4 Unicast", "Route map out"): "REL-OUT from the relationship type",
    }
    assert {key: lines.get(key) for key in expected} == expected


def test_what_one_may_not_view_is_hidden_and_not_named(net):
    user = make_user(*ours("view_peeringsession"))
    lines = panel(user, net.bare)
    assert lines["", "BFD profile"] == "hidden from a session template"
    assert lines["", "TTL"] == "2 from a session template"
    assert lines["IPv4 Unicast", "Route map in"] == "hidden from the peer group"
    grant(user, "netbox_routing.view_routemap", constraints={"name": "REL-OUT"})
    grant(user, "netbox_routing.view_bgpsessiontemplate")
    lines = panel(type(user).objects.get(pk=user.pk), net.bare)
    assert lines["", "TTL"] == "2 from session template parent"
    assert lines["IPv4 Unicast", "Route map in"] == "hidden from the peer group"
    assert lines["IPv4 Unicast", "Route map out"] == "REL-OUT from the relationship type"


def test_hostile_names_are_escaped(net):
    BGPSessionTemplate.objects.filter(pk=net.parent.pk).update(name="<script>alert(1)</script>")
    page = browser(make_root()).get(net.bare.get_absolute_url()).content.decode()
    assert "from session template &lt;script&gt;" in page
    assert "<script>alert(1)" not in page
