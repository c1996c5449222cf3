import pytest
from tests import factories as f
from extras.models import ConfigTemplate
from users.models import Token, User
from django.test import Client
pytestmark = pytest.mark.django_db
def test_rest(client, django_assert_max_num_queries):
    net = f.make_network()
    con = f.make_connection(network=net)
    for i in range(3):
        p = f.make_bgp_peer(f"198.51.100.{40+i}/24", 64496+i, source=con.ipv4_address, families=("ipv4-unicast",), password="secret" if i else None)
        f.make_session(p, network=net)
    dev = f.make_device()
    u = User.objects.create_superuser("root", "a@b.c", "x")
    tok = Token(user=u, write_enabled=True); tok.save()
    auth = {"HTTP_AUTHORIZATION": f"Bearer nbt_{tok.key}.{tok.token}"}
    t = ConfigTemplate.objects.create(name="t", template_code="{% for s in sessions %}{{ s.remote_ip }} {{ s.password }}\n{% endfor %}")
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    for root in ("peering-manager","bgp"):
      for body in ({"template": t.pk, "device": dev.pk}, {"sessions":[1]}, {"sessions": [999], "template": t.pk}, {"device": 10**30}, {"device": dev.pk}, [], {"template": True, "device": "a", "sessions": "a"}, {"sessions": []}, {"sessions": [1, None, 2.5, True, 10**40]}):
        for accept in ("application/json", "text/plain"):
            with CaptureQueriesContext(connection) as c:
                r = client.post(f"/api/plugins/{root}/render-config/?include_context=0", body, content_type="application/json", headers={"accept": accept}, **auth)
            print(root, body, r.status_code, len(c), r["Content-Type"], r["Cache-Control"], r.content.decode()[:700])
    r = client.post(f"/api/plugins/{root}/render-config/", {}, content_type="application/json")
    print(r.status_code, r.content)
    r = client.get(f"/api/plugins/{root}/render-config/", **auth)
    print(r.status_code, r.content)
    for q in c.captured_queries: print(q["sql"][:150])
