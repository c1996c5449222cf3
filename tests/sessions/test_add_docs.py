"""Adding many sessions as the documentation tells it."""

import re

import pytest

from core.models import ObjectChange

from netbox_peering_manager.api.serializers.sessions_add import AddSessionsSerializer
from netbox_peering_manager.choices import SkipReasonChoices
from netbox_peering_manager.models import PeeringSession
from tests import factories
from tests.docs.markdown import fences, sections, tables
from tests.peers import worlds
from tests.sessions.people import make_user, ours
from tests.sessions.test_plan import ROWS, SEEN

pytestmark = pytest.mark.django_db

HOW_TO = "how-to/add-sessions.md"


def test_shell_code_of_the_how_to_makes_the_sessions_of_open_networks(capsys):
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
    worlds.make_ix(name="LINX LON1")
    worlds.make_side(name="LINX LON1")
    factories.make_relationship("Peer")
    make_user(*SEEN, *ROWS, *ours("view_peeringnetwork"), name="engineer")
    for number, policy in ((3000, "Open"), (3001, "Selective")):
        net = worlds.make_net(number, policy_general=policy, info_prefixes4=110)
        worlds.make_port(net, f"198.51.1.{number - 2990}")
    code = "\n".join(fence.text for fence in fences(HOW_TO) if fence.runs)
    exec(compile(code, HOW_TO, "exec"), {})  # noqa: S102
    assert capsys.readouterr().out.splitlines() == [
        "3000 Network 3000 198.51.1.10 127",
        "left out: 3000 AS3000 has no IPv6 address at this port.",
        "1 made, 0 left out",
    ]
    assert PeeringSession.objects.get().remote_as.asn == 3000
    assert ObjectChange.objects.filter(user__username="engineer").exists()


def test_fields_of_the_rest_request_are_documented_and_no_other():
    request = tables(sections("reference/rest.md")["Add sessions"])[0]
    told = {name for row in request for name in re.findall(r"`(\w+)`", row[0])}
    assert told == set(AddSessionsSerializer().fields)


def test_every_reason_is_documented():
    text = sections("reference/rest.md")["Add sessions"]
    text = text if isinstance(text, str) else "\n".join(text)
    assert set(SkipReasonChoices.values()) <= set(re.findall(r"`([a-z-]+)`", text))
