"""What pages about sessions show of their last known states, and to whom."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from netbox_peering_manager.models import PeeringRouter, RouterState, SessionStateChange
from netbox_peering_manager.tables.states import state_badge, state_of
from tests import factories, shared
from tests.monitoring.observed import everything, hours_ago, make_sessions, observe, unknown
from tests.queries import queries_for_few_and_many
from tests.sessions.people import browser, make_full_session, make_root

pytestmark = pytest.mark.django_db
UI = "plugins:netbox_peering_manager:"
HTMX = {"HTTP_HX_REQUEST": "true"}


def the_root():
    return get_user_model().objects.filter(username="root").first() or make_root()


made = shared.once(make_full_session)
session = shared.copy()


def show(shown, user=None):
    response = browser(user or the_root()).get(shown.get_absolute_url())
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


#
# Badge
#


def badge(session):
    return str(state_badge(state_of(everything().get(pk=session.pk))))


def test_badge_says_state_and_for_how_long(session):
    observe(session, since=50)
    said = badge(session)
    assert ">Established</span>" in said
    assert "text-bg-green" in said
    assert "2\xa0days" in said
    assert "Polled" in said


def test_badge_of_a_stale_state_is_grey_and_says_since_when_and_why(session):
    observe(session, stale_since=hours_ago(1), stale_because="rt1.mtl: no answer in 30 s")
    said = badge(session)
    assert "text-bg-gray" in said
    assert "Stale since 20" in said
    assert "rt1.mtl: no answer in 30 s" in said
    assert 'visually-hidden">stale' in said


def test_badge_of_a_session_that_is_down_says_why_and_when_it_was_up(session):
    observe(session, "idle", reason="Administratively down", last_established=hours_ago(5))
    assert "Administratively down" in badge(session)
    assert "Last seen Established: 20" in badge(session)
    observe(session, "idle", last_established=None)
    assert "Never seen Established." in badge(session)


def test_badge_of_a_missing_session_says_what_that_means(session):
    observe(session, "missing")
    assert "Missing" in badge(session)
    assert "The router does not list this session." in badge(session)


def test_badge_of_a_session_that_was_never_polled_says_so(session):
    assert "Never polled" in badge(session)


def test_what_a_router_says_is_text_in_the_badge(session):
    observe(session, "idle", reason='"><script>')
    assert "<script>" not in badge(session)


#
# Where sessions are listed
#


def lists(session):
    """Every list of sessions, with what it asks the list for."""
    sessions = reverse(f"{UI}peeringsession_list")
    return [
        sessions,
        f"{sessions}?relationship_id={session.relationship_id}&embedded=True",
        f"{sessions}?remote_as_id={session.remote_as.pk}&embedded=True",
        f"{sessions}?peering_network_id={session.peering_network_id}&embedded=True",
        reverse("dcim:device_peering_sessions", args=[session.device.pk]),
        reverse(f"{UI}peerasn_configure_sessions", args=[factories.make_peer_asn(session.remote_as.asn).pk]),
    ]


def test_every_list_of_sessions_has_the_state(session):
    observe(session, "opensent")
    client = browser(make_root())
    for address in lists(session):
        assert "OpenSent" in client.get(address, **HTMX).content.decode(), address


def test_panels_of_other_pages_show_the_list_of_sessions(session):
    """They load the list, with its columns, by HTMX."""
    router = PeeringRouter.objects.create(device=session.device)
    peer = factories.make_peer_asn(64496)
    for shown in (session.relationship, session.peering_network, router, peer):
        assert re.search(r"/sessions/\?[^\"]*_id=\d+", show(shown)), shown


def test_page_of_the_bgp_peer_has_the_state(session):
    observe(session, "active")
    assert "Active" in show(session.bgp_peer)


def test_export_has_the_state(session):
    observe(session, "idle")
    text = browser(make_root()).get(reverse(f"{UI}peeringsession_list"), {"export": "table"}).content.decode()
    assert "Idle" in text
    assert "<span" not in text


def test_list_asks_for_no_more_with_more_sessions(session):
    client = browser(make_root())
    address = reverse(f"{UI}peeringsession_list")

    def make(numbers):
        names = [f"more {number}" for number in numbers]
        for each in make_sessions(*names, host=150 + numbers.start):
            observe(each)

    queries_for_few_and_many(lambda: client.get(address), make)


#
# Page of a session
#


def test_page_shows_the_state_with_all_that_is_known(session):
    observe(
        session,
        since=30,
        reason="Up for a reason",
        flaps=1234,
        ipv4_received=950,
        ipv4_accepted=940,
        ipv4_advertised=12,
        ipv4_limit=1000,
        ipv6_received=7,
    )
    text = show(session)
    assert "Up for a reason" in text
    assert "1,234" in text
    assert re.search(r"IPv4</th> <td class=\"text-end\">950</td> <td class=\"text-end\">940</td>", text)
    assert "bg-warning" in text.split("Received, of what the limit allows")[1][:600]
    assert "95.0%" in text
    assert re.search(
        r"IPv6</th> <td class=\"text-end\">7</td> <td class=\"text-end\">—</td>", text.replace("&mdash;", "—")
    )
    assert "Up since" in text


def test_bar_is_red_from_the_limit_on_and_green_far_from_it(session):
    for received, color in ((1000, "bg-danger"), (100, "bg-success")):
        observe(session, ipv4_received=received, ipv4_limit=1000)
        assert color in show(session).split("Received, of what the limit allows")[1][:600]


def test_page_warns_of_a_stale_state(session):
    observe(session, stale_since=hours_ago(3), stale_because="Connection refused")
    text = show(session)
    assert "The router has not answered since" in text
    assert "Connection refused" in text


def test_page_of_a_session_that_was_never_polled_says_so(session):
    assert "No poll has read the state of this session." in show(session)


#
# Page of a router
#


@pytest.fixture
def router(session):
    return PeeringRouter.objects.create(device=session.device, poll_enabled=True, poll_interval=7)


def test_router_page_shows_when_it_was_polled(router):
    RouterState.objects.create(router=router, polled=hours_ago(2))
    text = show(router)
    assert "Last answer" in text
    assert "every 7 minutes" in text


def test_router_page_says_since_when_and_why_polls_fail(router):
    RouterState.objects.create(router=router, failing_since=hours_ago(2), failure="<i>No route to host</i>")
    text = show(router)
    assert "has not answered since" in text
    assert "&lt;i&gt;No route to host" in text


def test_router_page_counts_unknown_neighbors_and_leads_to_them(router):
    unknown(router)
    unknown(router, "198.51.100.201")
    assert re.search(rf'unknown-neighbors/\?router_id={router.pk}">\s*2\s*</a>', show(router))
    assert "exclude_columns=router" in show(router)


def test_router_without_unknown_neighbors_has_no_empty_table_of_them(router):
    assert "exclude_columns=router" not in show(router)


#
# The session's own page
#


def history_of(session):
    return reverse(f"{UI}peeringsession_history", args=[session.pk]) + "?range=24h"


def test_page_of_a_session_draws_its_last_day_and_leads_to_the_history(session):
    state = observe(session, "idle", since=2)
    SessionStateChange.objects.create(session=session, at=hours_ago(30), bgp_state="established")
    SessionStateChange.objects.create(session=session, at=state.since, bgp_state="idle")
    page = show(session)
    assert history_of(session) in page
    [drawing] = re.findall(r'<svg viewBox="0 0 1000 24".*?</svg>', page)
    assert len(re.findall("<rect ", drawing)) == 2
    assert "Established 91.7 %" in drawing
    assert "Idle 8.3 %" in drawing


def test_page_of_a_session_that_was_never_polled_draws_nothing(session):
    page = show(session)
    assert history_of(session) not in page
    assert 'viewBox="0 0 1000 24"' not in page


def test_page_of_a_session_asks_for_no_more_with_a_longer_history(session):
    observe(session, since=1)
    client = browser(make_root())

    def make(numbers):
        SessionStateChange.objects.bulk_create(
            SessionStateChange(
                session=session, at=hours_ago(number / 4), bgp_state=("idle", "established")[number % 2]
            )
            for number in numbers
        )

    # One of them is for the drawing, one for the link to the peering router.
    assert queries_for_few_and_many(lambda: client.get(session.get_absolute_url()), make) <= 32
