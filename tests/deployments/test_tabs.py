"""The tabs of routers and sessions with their deployments: what they list and count, for whom."""

import pytest

from tests.queries import page

from .faces import keep_deployment
from .scenery import make_router, make_sessions
from .test_pages import at, client_of, person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("which", ["router", "session"])
def test_tab_lists_and_counts_what_the_user_may_view(which):
    router = make_router()
    [session] = make_sessions(router, "198.51.100.42")
    mine = keep_deployment(router, [session])
    keep_deployment(make_router("rt2.mtl"))
    hidden = keep_deployment(router, [session], kind="remove")
    instance = router if which == "router" else session
    user = person("noc", "view", constraints={"kind": "configure"})
    response = page(client_of(user), at(instance, "deployments"))
    assert [row.record for row in response.context["table"].rows] == [mine]
    text = " ".join(page(client_of(user), at(instance)).content.decode().split())
    assert 'Deployments <span class="badge text-bg-secondary">1</span>' in text
    assert str(hidden) not in text


def test_tab_is_not_there_for_who_may_view_no_deployments():
    router = make_router()
    client = client_of(person())
    assert client.get(at(router, "deployments")).status_code == 403
    assert at(router, "deployments") not in page(client, at(router)).content.decode()
