import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests import factories as f
from netbox_peering_manager.services.rendering.peering import gather, render_peering
from extras.models import ConfigTemplate
import json
pytestmark = pytest.mark.django_db

def test_it():
    net = f.make_network()
    con = f.make_connection(network=net)
    for i in range(3):
        p = f.make_bgp_peer(f"198.51.100.{40+i}/24", 64496+i, source=con.ipv4_address, families=("ipv4-unicast",), password="x" if i else None)
        f.make_session(p, network=net)
    dev = f.make_device()
    gather(dev.pk)
    with CaptureQueriesContext(connection, ) as c:
        g = gather(dev.pk)
    print(len(c), json.dumps(g.context, indent=1))
    print(g)
    t = ConfigTemplate.objects.create(name="t", template_code="{% for s in sessions %}{{ s.remote_ip }} {{ s.password }}\n{% endfor %}")
    print(render_peering(t, dev.pk, reveal_secrets=True).content)
    from netbox_peering_manager.exceptions import TemplateFailed
    for bad in ("a\n{{ nope }}", "a\n\n{{ sessions[0].password|int(base='x') }}", "{% for %}", "a\n{{ 1/0 }}","{{ [].__class__ }}", "{% include 'x' %}", "\n{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "\n{{ {}[sessions[1].password] }}", "{{ 'x'|nofilter }}", "{{ 1 + 'x' }}","{{ range(10000000) }}"):
        t.template_code = bad
        try:
            print("NO ERROR", render_peering(t, dev.pk, reveal_secrets=True).content)
        except TemplateFailed as e:
            print(repr(bad), "->", e)
