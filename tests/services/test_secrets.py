"""Session passwords: kept encrypted, readable after a rotation of keys, never in a message."""

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from core.models import ObjectChange
from netbox_routing.models import BGPSessionTemplate

from netbox_peering_manager.exceptions import SecretError
from netbox_peering_manager.models import PeeringSession
from netbox_peering_manager.services import secrets
from tests import factories, shared

pytestmark = pytest.mark.django_db
PLAIN = 's3cret "quoted" pässwörd'


made = shared.once(factories.make_session)
session = shared.copy()


def with_keys(monkeypatch, *values):
    """Settings whose encryption_keys name environment variables that hold `values`, the key in use first."""
    sources = []
    for number, value in enumerate(values):
        monkeypatch.setenv(f"TEST_KEY_{number}", value)
        sources.append({"env": f"TEST_KEY_{number}"})
    return override_settings(
        PLUGINS_CONFIG={"netbox_peering_manager": {"encryption_keys": sources, "default_rir": ""}}
    )


def keep(session, plaintext=PLAIN):
    secrets.set_password(session, plaintext)
    session.save()


def test_password_comes_back_as_it_went_in_and_is_not_stored_in_clear(session):
    keep(session)
    session.refresh_from_db()
    assert PLAIN not in session.encrypted_password
    assert session.has_password
    assert session.password_changed is not None
    assert secrets.reveal_password(session) == PLAIN


def test_same_password_is_stored_differently_each_time():
    assert secrets.encrypt(PLAIN) != secrets.encrypt(PLAIN)


def test_empty_password_removes_the_one_there_is(session):
    keep(session)
    keep(session, "")
    session.refresh_from_db()
    assert session.encrypted_password == ""
    assert not session.has_password
    assert secrets.reveal_password(session) == ""


def test_own_password_wins_over_the_peers_which_wins_over_the_templates(session):
    peer = session.bgp_peer
    peer.peer_session = BGPSessionTemplate.objects.create(name="T", password="of-template")
    assert secrets.reveal_password(session) == "of-template"
    peer.password = "of-peer"
    assert secrets.reveal_password(session) == "of-peer"
    keep(session, "own")
    assert secrets.reveal_password(session) == "own"


def test_new_first_key_still_reads_what_the_old_one_wrote(session, monkeypatch):
    with with_keys(monkeypatch, "old key"):
        keep(session)
    with with_keys(monkeypatch, "new key", "old key"):
        assert secrets.reveal_password(session) == PLAIN


def test_secret_key_reads_what_it_wrote_before_keys_were_set(session, monkeypatch):
    keep(session)
    with with_keys(monkeypatch, "first key of the settings"):
        assert secrets.reveal_password(session) == PLAIN


def test_missing_key_is_told_with_the_session_and_the_setting_and_no_secret(session, monkeypatch):
    with with_keys(monkeypatch, "lost key"):
        keep(session)
    with pytest.raises(SecretError) as caught:
        secrets.reveal_password(session)
    message = str(caught.value)
    assert str(session) in message
    assert "encryption_keys" in message
    assert PLAIN not in message
    assert session.encrypted_password not in message


def test_unreadable_key_is_told_with_its_source(session, monkeypatch):
    sources = [{"file": "/nonexistent/key"}]
    with (
        override_settings(PLUGINS_CONFIG={"netbox_peering_manager": {"encryption_keys": sources}}),
        pytest.raises(SecretError, match="/nonexistent/key"),
    ):
        secrets.encrypt(PLAIN)


def test_decrypt_all_keeps_order_and_gives_empty_texts_for_none(session):
    tokens = [secrets.encrypt("one"), "", secrets.encrypt("three")]
    assert secrets.decrypt_all((token, session) for token in tokens) == ["one", "", "three"]


def test_moving_empties_the_plain_column_and_keeps_the_password(session):
    session.bgp_peer.password = PLAIN
    session.bgp_peer.save()
    secrets.move_clear_password(session)
    session = PeeringSession.objects.get(pk=session.pk)
    assert session.bgp_peer.password == ""
    assert secrets.reveal_password(session) == PLAIN


def test_moving_does_not_replace_the_sessions_own_password(session):
    keep(session, "own")
    session.bgp_peer.password = "stale"
    session.bgp_peer.save()
    secrets.move_clear_password(session)
    session = PeeringSession.objects.get(pk=session.pk)
    assert session.bgp_peer.password == ""
    assert secrets.reveal_password(session) == "own"


def test_moving_without_a_clear_password_changes_nothing(session):
    before = session.last_updated
    secrets.move_clear_password(session)
    session.refresh_from_db()
    assert session.last_updated == before


def test_change_records_hold_no_password_not_even_encrypted(session):
    keep(session)
    for data in (session.serialize_object(), session.to_objectchange("update").postchange_data):
        assert "encrypted_password" not in data
        assert PLAIN not in str(data)
    session.snapshot()
    assert "encrypted_password" not in session._prechange_snapshot


def test_reencrypt_lets_the_old_key_be_dropped_and_writes_no_change_records(session, monkeypatch, capsys):
    other = factories.make_session(factories.make_bgp_peer("198.51.100.43/24"))
    with with_keys(monkeypatch, "old key"):
        keep(session)
    before = ObjectChange.objects.count()
    with with_keys(monkeypatch, "new key", "old key"):
        call_command("peering_reencrypt")
    assert "1 session password" in capsys.readouterr().out
    session.refresh_from_db()
    other.refresh_from_db()
    with with_keys(monkeypatch, "new key"):
        assert secrets.reveal_password(session) == PLAIN
    assert other.encrypted_password == ""
    assert ObjectChange.objects.count() == before


def test_reencrypt_changes_nothing_when_one_password_cannot_be_read(session, monkeypatch):
    other = factories.make_session(factories.make_bgp_peer("198.51.100.43/24"))
    keep(session, "readable")
    with with_keys(monkeypatch, "lost key"):
        keep(other)
    before = session.encrypted_password
    with (
        with_keys(monkeypatch, "new key"),
        pytest.raises(CommandError, match=rf"session {other.pk} .*Nothing was changed"),
    ):
        call_command("peering_reencrypt")
    session.refresh_from_db()
    assert session.encrypted_password == before
