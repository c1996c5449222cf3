"""A password goes in, and comes out only for those who may see it: by the reveal button and its REST twin."""

import json

import pytest
from django.urls import reverse

from core.models import ObjectChange
from extras.models import ExportTemplate

from netbox_peering_manager.exceptions import SecretError
from netbox_peering_manager.models import PeeringSession
from netbox_peering_manager.search import PeeringSessionIndex
from netbox_peering_manager.services import secrets
from tests import shared
from tests.sessions.people import PLAIN, browser, grant, make_full_session, make_root, make_user, ours, rest

pytestmark = pytest.mark.django_db
UI = "plugins:netbox_peering_manager:peeringsession"
REST = "plugins-api:netbox_peering_manager-api:peeringsession"


made = shared.once(make_full_session)
session = shared.copy()


def reveal(user, session):
    return browser(user).post(reverse(f"{UI}_reveal_password", args=[session.pk]))


def reveal_by_rest(user, session):
    return rest(user).get(reverse(f"{REST}-password", args=[session.pk]))


def test_those_who_may_see_it_are_shown_the_password_and_no_cache_keeps_it(session):
    user = make_user(*ours("view_peeringsession", "view_session_secrets_peeringsession"))
    for response in (reveal(user, session), reveal_by_rest(user, session)):
        assert response.status_code == 200
        assert PLAIN in response.content.decode()
        assert response["Cache-Control"] == "no-store"


def test_browser_history_is_told_not_to_keep_the_password(session):
    assert 'hx-history="false"' in reveal(make_root(), session).content.decode()


def test_password_cannot_be_got_by_a_link(session):
    response = browser(make_root()).get(reverse(f"{UI}_reveal_password", args=[session.pk]))
    assert response.status_code == 405


def test_anonymous_users_are_sent_away(session):
    assert reveal(None, session).status_code == 302
    assert reveal_by_rest(None, session).status_code in (401, 403)


@pytest.mark.parametrize(
    ("rights", "page", "api"),
    [
        ([], 403, 403),
        (["view_peeringsession", "change_peeringsession"], 403, 404),
        (["view_session_secrets_peeringsession"], 404, 403),
    ],
)
def test_users_who_lack_a_right_learn_nothing(session, rights, page, api):
    user = make_user(*ours(*rights))
    for response, expected in ((reveal(user, session), page), (reveal_by_rest(user, session), api)):
        assert response.status_code == expected
        assert PLAIN not in response.content.decode()


def test_right_for_another_session_shows_nothing_of_this_one(session):
    user = make_user(*ours("view_peeringsession"))
    grant(user, *ours("view_session_secrets_peeringsession"), constraints={"pk": 0})
    assert reveal(user, session).status_code == 404
    assert reveal_by_rest(user, session).status_code == 404


def test_password_that_no_key_fits_is_told_and_not_crashed_on(session):
    PeeringSession.objects.update(encrypted_password="gAAAAA-broken")
    root = make_root()
    assert "encryption_keys" in reveal(root, session).content.decode()
    response = reveal_by_rest(root, session)
    assert response.status_code == 409
    assert "encryption_keys" in response.json()["detail"]


def test_page_holds_no_password_and_offers_the_button_only_to_those_who_may(session):
    user = make_user(*ours("view_peeringsession"))
    page = browser(user).get(session.get_absolute_url()).content.decode()
    assert "Reveal" not in page
    assert PLAIN not in page
    assert session.encrypted_password not in page
    page = browser(make_root()).get(session.get_absolute_url()).content.decode()
    assert "Reveal" in page
    assert PLAIN not in page
    assert session.encrypted_password not in page


def move(user, session):
    return browser(user).post(reverse(f"{UI}_move_password", args=[session.pk]))


@pytest.fixture
def in_clear():
    return make_full_session(44, password="", name="clear")


@pytest.fixture
def clear_session(in_clear):
    in_clear.bgp_peer.password = PLAIN
    in_clear.bgp_peer.save()
    return in_clear


def test_password_in_clear_is_warned_of_without_being_shown(clear_session):
    page = (
        browser(make_user(*ours("view_peeringsession")))
        .get(clear_session.get_absolute_url())
        .content.decode()
    )
    assert "lies in clear" in page
    assert "Move it" not in page
    assert PLAIN not in page


def test_moving_takes_it_out_of_the_bgp_peer_with_a_change_record_of_both(clear_session):
    root = make_root()
    assert "Move it" in browser(root).get(clear_session.get_absolute_url()).content.decode()
    response = move(root, clear_session)
    assert response.url == clear_session.get_absolute_url()
    session = PeeringSession.objects.get(pk=clear_session.pk)
    assert session.bgp_peer.password == ""
    assert secrets.reveal_password(session) == PLAIN
    assert set(ObjectChange.objects.values_list("changed_object_type__model", flat=True)) == {
        "peeringsession",
        "bgppeer",
    }
    assert ObjectChange.objects.values("request_id").distinct().count() == 1


@pytest.mark.parametrize(
    ("rights", "status"),
    [
        ([], 403),
        (["netbox_peering_manager.view_peeringsession"], 403),
        (["netbox_peering_manager.change_peeringsession"], 403),
        (["netbox_routing.change_bgppeer"], 403),
    ],
)
def test_moving_needs_the_right_to_change_both(clear_session, rights, status):
    assert move(make_user(*rights), clear_session).status_code == status
    clear_session.bgp_peer.refresh_from_db()
    assert clear_session.bgp_peer.password == PLAIN


def test_moving_is_for_those_whose_rights_fit_this_session(clear_session):
    user = make_user("netbox_routing.change_bgppeer")
    grant(user, *ours("change_peeringsession"), constraints={"pk": 0})
    assert move(user, clear_session).status_code == 404


def test_moving_needs_a_post_and_a_login(clear_session):
    address = reverse(f"{UI}_move_password", args=[clear_session.pk])
    assert browser(make_root()).get(address).status_code == 405
    assert move(None, clear_session).status_code == 302
    clear_session.bgp_peer.refresh_from_db()
    assert clear_session.bgp_peer.password == PLAIN


def test_failed_move_is_told(clear_session, monkeypatch):
    def fail(session):
        raise SecretError("no key fits")

    monkeypatch.setattr(secrets, "move_clear_password", fail)
    client = browser(make_root())
    page = client.post(reverse(f"{UI}_move_password", args=[clear_session.pk]), follow=True).content.decode()
    assert "no key fits" in page


# Where a password must not come out.


def every_face(session):
    """Everything that a superuser can read of sessions, but for the two ways that reveal."""
    root = make_root()
    page, api = browser(root), rest(root)
    detail = reverse(f"{REST}-detail", args=[session.pk])
    listed = reverse(f"{REST}-list")
    query = "{peering_session_list{id has_password password_changed bgp_peer{id}}}"
    yield "detail", api.get(detail)
    yield "list", api.get(listed)
    yield "fields", api.get(detail + "?fields=password,encrypted_password,has_password")
    yield "options", api.options(listed)
    yield "graphql", page.post(reverse("graphql"), {"query": query}, content_type="application/json")
    yield "table", page.get(reverse(f"{UI}_list"))
    yield "export", page.get(reverse(f"{UI}_list") + "?export")
    yield "export table", page.get(reverse(f"{UI}_list") + "?export=table")
    yield "edit form", page.get(reverse(f"{UI}_edit", args=[session.pk]))
    yield "change log", page.get(reverse(f"{UI}_changelog", args=[session.pk]))
    yield "search", page.get(reverse("search") + f"?q={PLAIN}")


def test_no_face_lets_the_password_out(session):
    for face, response in every_face(session):
        text = response.getvalue().decode() if response.streaming else response.content.decode()
        assert response.status_code == 200, f"{face}: {text[:300]}"
        # The search page repeats what was searched for.
        assert face == "search" or PLAIN not in text, face
        assert session.encrypted_password not in text, face


def test_rest_tells_only_that_there_is_a_password(session):
    data = rest(make_root()).get(reverse(f"{REST}-detail", args=[session.pk])).json()
    assert data["has_password"] is True
    assert {name for name in data if "password" in name} == {
        "has_password",
        "has_clear_password",
        "password_changed",
    }


def test_rest_cannot_be_ordered_or_filtered_by_the_kept_password(session):
    api = rest(make_root())
    listed = reverse(f"{REST}-list")
    plain = api.get(listed + "?ordering=encrypted_password").json()
    assert plain["results"][0]["id"] == session.pk
    assert api.get(listed + "?encrypted_password=x").json()["count"] == 1
    assert api.get(listed + "?encrypted_password__isw=gAAAA").json()["count"] == 1


def test_graphql_knows_no_kept_password():
    from netbox.graphql.schema import schema

    text = schema.as_str()
    assert "encrypted_password" not in text
    assert "has_password: Boolean!" in text


def test_search_index_holds_no_password():
    assert not [name for name, _ in PeeringSessionIndex.fields if "password" in name]


def test_clone_takes_no_password(session):
    assert not [name for name in session.clone() if "password" in name]


def test_export_templates_can_only_reach_the_encrypted_text(session):
    code = "{% for s in queryset %}{{ s.encrypted_password }} {{ s.password }}{% endfor %}"
    template = ExportTemplate(name="All", template_code=code)
    text = template.render(queryset=PeeringSession.objects.all())
    assert PLAIN not in text


# Where one goes in.


def test_rest_keeps_a_password_encrypted_and_an_empty_one_removes_it(session):
    api = rest(make_root())
    detail = reverse(f"{REST}-detail", args=[session.pk])
    response = api.patch(detail, {"password": "  new one "}, format="json")
    assert response.status_code == 200
    assert "new one" not in response.content.decode()
    session.refresh_from_db()
    assert secrets.reveal_password(session) == "  new one "
    api.patch(detail, {"description": "untouched"}, format="json")
    session.refresh_from_db()
    assert secrets.reveal_password(session) == "  new one "
    assert api.patch(detail, {"password": ""}, format="json").json()["has_password"] is False
    session.refresh_from_db()
    assert not session.has_password


def test_rest_creates_with_a_password_in_one_change_record(session):
    from tests import factories

    peer = factories.make_bgp_peer("198.51.100.77/24", scope=session.bgp_peer.scope)
    response = rest(make_root()).post(
        reverse(f"{REST}-list"),
        {"bgp_peer": peer.pk, "relationship": session.relationship_id, "password": "of-new"},
        format="json",
    )
    assert response.status_code == 201
    made = PeeringSession.objects.get(pk=response.json()["id"])
    assert secrets.reveal_password(made) == "of-new"
    [change] = ObjectChange.objects.filter(changed_object_type__model="peeringsession")
    assert "of-new" not in json.dumps(change.postchange_data)
    assert "encrypted_password" not in change.postchange_data


def test_passwords_are_not_put_into_the_job_queue(session):
    entries = [{"id": session.pk, "password": "queued"}]
    response = rest(make_root()).patch(reverse(f"{REST}-list") + "?background=true", entries, format="json")
    assert response.status_code == 400
    assert "job queue" in response.json()["password"][0]


def test_event_payload_holds_no_password(session):
    from extras.events import serialize_for_event

    text = json.dumps(serialize_for_event(session), default=str)
    assert PLAIN not in text
    assert session.encrypted_password not in text


def edit(session, **data):
    return browser(make_root()).post(
        reverse(f"{UI}_edit", args=[session.pk]),
        {"bgp_peer": session.bgp_peer_id, "relationship": session.relationship_id, **data},
    )


def test_form_left_empty_keeps_the_password(session):
    assert edit(session, service_reference="NOC-9").status_code == 302
    session.refresh_from_db()
    assert secrets.reveal_password(session) == PLAIN


def test_form_replaces_the_password(session):
    edit(session, password="another")
    session.refresh_from_db()
    assert secrets.reveal_password(session) == "another"


def test_form_removes_the_password_when_asked_to(session):
    edit(session, remove_password="on")
    session.refresh_from_db()
    assert not session.has_password


def test_form_refuses_to_replace_and_remove_at_once(session):
    response = edit(session, password="another", remove_password="on")
    assert response.status_code == 200
    assert "not both" in response.content.decode()
    assert "another" not in response.content.decode().replace("another BGP peer", "")


def test_form_offers_to_remove_only_what_there_is():
    session = make_full_session(44, password="")
    page = browser(make_root()).get(reverse(f"{UI}_edit", args=[session.pk])).content.decode()
    assert "remove_password" not in page
    assert 'autocomplete="new-password"' in page
