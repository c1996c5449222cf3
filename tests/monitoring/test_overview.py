"""The overview, the lists above the sessions and the widget: the same counts, of what one may view."""

import re
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from netbox_peering_manager import models
from netbox_peering_manager.dashboard import SessionStatesWidget
from netbox_peering_manager.filtersets import PeeringSessionFilterSet
from netbox_peering_manager.services.monitoring.attention import LISTS, count_lists
from netbox_peering_manager.services.monitoring.overview import overview, state_counts
from netbox_peering_manager.ui.overview import list_tabs
from tests import factories, shared
from tests.monitoring.observed import changed, hours_ago, make_sessions, observe, unknown
from tests.queries import queries_for_few_and_many, queries_of
from tests.sessions.people import browser, grant, make_root, make_user, ours

pytestmark = pytest.mark.django_db
OVERVIEW = "plugins:netbox_peering_manager:overview"
LIST = "plugins:netbox_peering_manager:peeringsession_list"


def build():
    """Eight sessions, one in each plight; two of them on a fabric."""
    network = factories.make_network()
    transit = factories.make_relationship("Transit")
    up, idle, never, near = make_sessions("up", "idle", "never", "near")
    gone, old, _unpolled, off = make_sessions(
        "gone", "old", "unpolled", "off", host=120, relationship=transit
    )
    models.PeeringSession.objects.filter(pk__in=(up.pk, idle.pk)).update(peering_network=network)
    observe(up)
    observe(idle, "idle", since=0.2, last_established=hours_ago(5), reason="Hold timer expired")
    observe(never, "active", since=0.5)
    observe(near, ipv4_received=95, ipv4_limit=100)
    observe(gone, "missing", since=0.5, last_established=hours_ago(0.5))
    observe(old, stale_since=hours_ago(2), stale_because="No answer")
    observe(off, "idle", since=500)
    off.bgp_peer.enabled = False
    off.bgp_peer.save()
    changed(idle, "established", "idle", hours=10)
    router = models.PeeringRouter.objects.create(device=up.device)
    models.RouterState.objects.create(router=router, failing_since=hours_ago(2), failure="No route to host")
    unknown(router)
    models.PeeringDBDrift.objects.create(
        kind="port-not-operational",
        object_type=ContentType.objects.get_for_model(up),
        object_id=up.pk,
        details={},
    )
    models.Deployment.objects.create(router=router, mode="merge", status="awaiting-approval")
    models.Deployment.objects.create(router=router, mode="merge", status="done")
    return SimpleNamespace(
        up=up, idle=idle, never=never, old=old, router=router, network=network, transit=transit
    )


made = shared.once(build)
world = shared.copy()

COUNTS = {"all": 8, "down": 3, "down_long": 1, "never_up": 1, "stale": 1, "near_max_prefix": 1, "missing": 1}


def test_each_list_is_counted():
    assert count_lists(models.PeeringSession.objects.all()) == COUNTS


@pytest.mark.parametrize("named", LISTS, ids=lambda named: named.key)
def test_list_has_as_many_sessions_as_are_counted(named):
    asked = QueryDict(mutable=True)
    asked.update(named.query)
    found = PeeringSessionFilterSet(asked, models.PeeringSession.objects.all())
    assert found.is_valid(), found.errors
    assert found.qs.count() == COUNTS[named.key]


def test_sessions_are_counted_by_what_is_known_of_them():
    counts = {each.state: each.count for each in state_counts(models.PeeringSession.objects.all())}
    assert counts == {"established": 2, "active": 1, "idle": 2, "missing": 1, "stale": 1, "unknown": 1}


def test_overview_has_what_needs_attention(world):
    found = overview(make_root())
    assert found.total == 8
    assert {group.name: (group.total, group.troubled) for group in found.fabrics} == {
        "LINX LON1": (2, 1),
        "No fabric": (6, 5),
    }
    assert [group.name for group in found.relationships] == ["Transit", "Peer"]
    assert [session.bgp_peer.name for session in found.down] == ["idle"]
    assert [session.bgp_peer.name for session in found.near] == ["near"]
    assert found.routers == [world.router]
    assert (found.unknown, found.drift) == (1, 1)
    assert [deployment.status for deployment in found.deployments] == ["awaiting-approval"]
    assert [(change.former_state, change.bgp_state) for change in found.transitions] == [
        ("established", "idle")
    ]


def test_old_failures_of_deployments_are_history(world):
    deployment = models.Deployment.objects.create(router=world.router, mode="merge", status="failed")
    assert deployment in overview(make_root()).deployments
    models.Deployment.objects.filter(pk=deployment.pk).update(last_updated=hours_ago(8 * 24))
    assert deployment not in overview(make_root("other")).deployments


#
# Page
#


def open_overview(user=None):
    return browser(user or make_root()).get(reverse(OVERVIEW))


def test_page_draws_it():
    response = open_overview()
    assert response.status_code == 200
    text = " ".join(response.content.decode().split())
    for told in (
        "8 sessions",
        "No route to host",
        "Unknown neighbors",
        "Disagree with PeeringDB",
        "Longest down",
    ):
        assert told in text
    assert "95 / 100" in text
    assert re.search(r"down_longer_than_h=1&amp;enabled=true", text)


def test_page_without_sessions_says_so(world):
    user = make_user(*ours("view_peeringsession"), constraints={"pk": 0})
    text = open_overview(user).content.decode()
    assert "There are no peering sessions here, or none that you may view." in text
    assert "Nothing." in text


@pytest.mark.parametrize(
    ("rights", "status"), [([], 403), (["view_peeringrouter"], 403), (["view_peeringsession"], 200)]
)
def test_page_is_for_those_who_may_view_sessions(rights, status):
    assert open_overview(make_user(*ours(*rights))).status_code == status
    assert browser().get(reverse(OVERVIEW)).status_code == 302


def test_page_counts_and_names_only_what_one_may_view(world):
    user = make_user(*ours("view_peeringsession"), constraints={"pk": world.up.pk})
    found = overview(user)
    assert found.total == 1
    assert (found.routers, found.unknown, found.deployments) == (None, None, None)
    assert found.transitions == []
    text = open_overview(user).content.decode()
    assert "1 session" in text
    for hidden in ("idle (", "No route to host", "Unknown neighbors", "Transit"):
        assert hidden not in text.split("<main")[-1].split("</nav>")[-1], hidden


def test_routers_and_deployments_are_those_that_one_may_view(world):
    user = make_user(*ours("view_peeringsession"))
    grant(user, *ours("view_peeringrouter", "view_deployment"), constraints={"pk": 0})
    found = overview(user)
    assert (found.routers, found.unknown, found.deployments) == ([], 0, [])


def more(numbers):
    names = [f"more {number}" for number in numbers]
    for number, session in zip(numbers, make_sessions(*names, host=150 + numbers.start), strict=True):
        fabric = factories.make_fabric(f"Fabric {number}")
        lan = f"203.0.{number}.0/24"
        session.peering_network = factories.make_network(f"LAN {number}", fabric, ipv4=lan, ipv6=None)
        models.PeeringSession.objects.filter(pk=session.pk).update(peering_network=session.peering_network)
        observe(session, "idle", since=9, last_established=hours_ago(9))
        changed(session, "established", "idle")
        router = models.PeeringRouter.objects.create(device=factories.make_device(f"rt{number}.lon"))
        models.RouterState.objects.create(router=router, failing_since=timezone.now(), failure="Down")
        unknown(router)
        models.Deployment.objects.create(router=router, mode="merge", status="awaiting-approval")


@factories.look_ups_kept()
def more_of_everything(numbers):
    more(numbers)


def test_page_asks_for_no_more_with_more_of_everything():
    client = browser(make_root())
    found = queries_for_few_and_many(lambda: client.get(reverse(OVERVIEW)), more_of_everything)
    assert found <= 25


#
# Lists above the sessions
#


def test_list_of_sessions_has_a_tab_for_each_list():
    text = " ".join(browser(make_root()).get(reverse(LIST)).content.decode().split())
    for label, count in (
        ("All", 8),
        ("Down", 3),
        ("Never up", 1),
        ("Stale", 1),
        ("Near max-prefix", 1),
        ("Missing", 1),
    ):
        assert re.search(rf'{label} <span class="badge text-bg-secondary ms-1">{count}</span>', text), label


@pytest.mark.parametrize(
    ("asked", "active"),
    [
        ("", "All"),
        ("down=true&enabled=true", "Down"),
        ("down=true&enabled=true&family=6", "Down"),
        ("stale=true", "Stale"),
        ("down=true", None),
        ("q=x", None),
    ],
)
def test_tab_of_what_is_shown_is_marked(asked, active):
    tabs = [tab.label for tab in list_tabs(COUNTS, QueryDict(asked)) if tab.is_active]
    assert tabs == ([active] if active else [])


def test_tabs_count_what_one_may_view(world):
    user = make_user(*ours("view_peeringsession"), constraints={"pk": world.up.pk})
    text = " ".join(browser(user).get(reverse(LIST)).content.decode().split())
    assert 'All <span class="badge text-bg-secondary ms-1">1</span>' in text
    assert 'Down <span class="badge text-bg-secondary ms-1">0</span>' in text


def test_table_alone_does_not_count_the_lists():
    client = browser(make_root())
    client.get(reverse(LIST))
    whole = queries_of(lambda: client.get(reverse(LIST)))
    part = queries_of(lambda: client.get(reverse(LIST), headers={"HX-Request": "true"}))
    assert part < whole


#
# Widget
#


def render(user, **config):
    return " ".join(SessionStatesWidget(config=config).render(SimpleNamespace(user=user)).split())


def test_widget_counts_all_sessions():
    text = render(make_root())
    assert "8 sessions" in text
    assert re.search(r'Down <span class="badge text-bg-red">3</span>', text)


def test_widget_counts_those_of_chosen_fabrics_and_relationships(world):
    root = make_root()
    text = render(root, fabrics=[world.network.fabric_id])
    assert "2 sessions" in text
    assert f"fabric_id={world.network.fabric_id}&amp;down=true" in text
    assert "4 sessions" in render(root, relationships=[world.transit.pk])
    assert "There are no peering sessions" in render(
        root, fabrics=[world.network.fabric_id], relationships=[world.transit.pk]
    )


def test_widget_counts_what_one_may_view(world):
    user = make_user(*ours("view_peeringsession"), constraints={"pk": world.up.pk})
    assert "1 session" in render(user)
    assert "No permission" in render(make_user(name="nobody"))


def test_widget_takes_two_queries():
    root = get_user_model().objects.get(pk=make_root().pk)
    render(root)
    assert queries_of(lambda: render(root)) == 2


def test_widget_is_added_to_a_dashboard_and_configured(world):
    client = browser(make_root())
    client.get("/")
    name = "netbox_peering_manager.SessionStatesWidget"
    form = client.get(f"/extras/dashboard/widgets/add/?widget_class={name}", headers={"HX-Request": "true"})
    assert "config-fabrics" in form.content.decode()
    answer = client.post(
        "/extras/dashboard/widgets/add/",
        {
            "widget_class": name,
            "title": "Down there",
            "color": "",
            "config-fabrics": [world.network.fabric_id],
        },
        headers={"HX-Request": "true"},
    )
    assert answer.headers.get("HX-Redirect") == "/", answer.content.decode()
    page = client.get("/").content.decode()
    assert "Down there" in page
    assert "2 sessions" in " ".join(page.split())
    (identity,) = [
        key
        for key, config in get_user_model().objects.get(username="root").dashboard.config.items()
        if config["class"] == name
    ]
    form = client.get(f"/extras/dashboard/widgets/{identity}/configure/", headers={"HX-Request": "true"})
    assert f'<option value="{world.network.fabric_id}" selected' in " ".join(form.content.decode().split())
