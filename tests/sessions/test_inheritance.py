"""What a session inherits by way of its session template's parents: objects, queries, pages and rendering agree."""

import pytest
from django.urls import reverse

from netbox_routing.models import BGPPeer, BGPSessionTemplate

from netbox_peering_manager.expressions import remote_asn_of
from netbox_peering_manager.models import PeeringSession
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.rendering.peering import gather
from tests import factories, shared
from tests.queries import page, queries_for_few_and_many
from tests.sessions.people import browser, make_root

GRANDPARENT = 64497


def inheriting(host, template):
    """A session that leaves to its session template what it can."""
    peer = factories.make_bgp_peer(
        f"198.51.100.{host}/24", local_as=None, enabled=None, peer_session=template
    )
    BGPPeer.objects.filter(pk=peer.pk).update(remote_as=None)
    return factories.make_session(peer)


def make_line():
    """A session whose template says nothing, nor does its parent; the parent's parent says everything."""
    grandparent = BGPSessionTemplate.objects.create(
        name="grandparent",
        remote_as=factories.make_asn(GRANDPARENT),
        local_as=factories.make_asn(64501),
        enabled=False,
        password="of-grandparent",
    )
    parent = BGPSessionTemplate.objects.create(name="parent", parent=grandparent)
    inheriting(42, BGPSessionTemplate.objects.create(name="child", parent=parent))


pytestmark = pytest.mark.django_db
made = shared.once(lambda: make_line() or True)


@pytest.fixture
def session(made, db):
    return PeeringSession.objects.with_bgp().get()


def as_each_sees_it(session):
    """(remote AS, local AS, enabled) as the rendering has it, and as queries have it."""
    context = gather(sessions=[session.pk]).context["sessions"][0]
    row = PeeringSession.objects.with_remote_as().with_local_as().with_enabled().get(pk=session.pk)
    return (
        (context["peer_asn"], context["local_asn"], context["enabled"]),
        (
            row.remote_as_id and row.remote_as.asn,
            row.local_as_id and row.local_as.asn,
            row.is_enabled,
        ),
    )


def test_the_nearest_template_that_says_something_counts_for_objects_queries_and_rendering(session):
    assert (session.remote_as.asn, session.local_as.asn) == (GRANDPARENT, 64501)
    numbers = PeeringSession.objects.order_by().values_list(remote_asn_of("bgp_peer"), flat=True)
    assert list(numbers) == [GRANDPARENT]
    assert list(BGPPeer.objects.order_by().values_list(remote_asn_of(), flat=True)) == [GRANDPARENT]
    assert as_each_sees_it(session) == ((GRANDPARENT, 64501, False),) * 2
    BGPSessionTemplate.objects.filter(name="parent").update(remote_as=factories.make_asn(64498), enabled=True)
    session = PeeringSession.objects.get()
    assert (session.remote_as.asn, session.local_as.asn) == (64498, 64501)
    assert as_each_sees_it(session) == ((64498, 64501, True),) * 2


def test_templates_in_a_circle_that_say_nothing_end_at_the_bgp_router(session):
    child = BGPSessionTemplate.objects.get(name="child")
    BGPSessionTemplate.objects.update(remote_as=None, local_as=None, enabled=None, password=None)
    BGPSessionTemplate.objects.filter(name="grandparent").update(parent=child)
    session = PeeringSession.objects.get()
    assert (session.remote_as, session.local_as.asn) == (None, factories.LOCAL_ASN)
    assert as_each_sees_it(session) == ((None, factories.LOCAL_ASN, True),) * 2
    assert secrets.reveal_password(session) == ""


def test_sessions_are_found_by_what_they_inherit(session):
    listed = reverse("plugins:netbox_peering_manager:peeringsession_list")
    client = browser(make_root())
    for query, count in (
        (f"remote_asn={GRANDPARENT}", 1),
        ("remote_asn=64496", 0),
        ("local_asn=64501", 1),
        ("enabled=false", 1),
        ("enabled=true", 0),
        (f"remote_asn={GRANDPARENT}&sort=remote_as", 1),
    ):
        text = client.get(f"{listed}?{query}").content.decode()
        assert text.count(session.get_absolute_url() + '"') >= count, query
        assert (session.get_absolute_url() + '"' in text) is bool(count), query


def test_password_of_the_nearest_template_that_has_one_is_revealed_and_its_template_named(session):
    assert secrets.reveal_password(session) == "of-grandparent"
    context = gather(sessions=[session.pk], reveal_secrets=True).context["sessions"][0]
    assert context["password"] == "of-grandparent"
    page = " ".join(browser(make_root()).get(session.get_absolute_url()).content.decode().split())
    assert "by session template grandparent" in page
    assert "of-grandparent" not in page


def test_queries_of_the_list_do_not_grow_with_sessions_that_inherit(session):
    client, listed = browser(make_root()), reverse("plugins:netbox_peering_manager:peeringsession_list")
    template = BGPSessionTemplate.objects.get(name="child")

    def make_sessions(numbers):
        for number in numbers:
            inheriting(50 + number, template)

    queries_for_few_and_many(lambda: page(client, listed), make_sessions)
