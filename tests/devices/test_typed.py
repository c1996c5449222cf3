"""Typed credentials are taken once, within ten minutes, and lie in Redis encrypted."""

import threading

import django_rq
import pytest
from django.test import override_settings

from netbox_peering_manager.exceptions import CredentialsMissing
from netbox_peering_manager.services.devices import typed
from netbox_peering_manager.services.devices.credentials import Credentials

MARKER = "Zx81Spectrum48k"
TYPED = Credentials(
    username="alice",
    password=MARKER,
    key=f"-----BEGIN\n{MARKER}\n",
    key_file="/keys/alice",
    passphrase=f"{MARKER}é",
    enable_secret=MARKER,
)
GONE = "rt1: the credentials that were typed for this are no longer there"


def kept_keys():
    return {key.decode() for key in django_rq.get_connection("default").keys(f"{typed.PREFIX}*")}


def test_what_was_kept_is_taken_once():
    token = typed.keep(TYPED)
    assert typed.take(token, "rt1") == TYPED
    with pytest.raises(CredentialsMissing, match=GONE):
        typed.take(token, "rt1")


def test_redis_holds_neither_a_secret_nor_the_token():
    before = kept_keys()
    token = typed.keep(TYPED)
    (key,) = kept_keys() - before
    value = django_rq.get_connection("default").get(key).decode()
    assert token not in key
    for secret in (MARKER, "alice", token):
        assert secret not in value
    typed.take(token, "rt1")


def test_they_are_gone_after_ten_minutes():
    before = kept_keys()
    token = typed.keep(TYPED)
    (key,) = kept_keys() - before
    connection = django_rq.get_connection("default")
    assert 590 < connection.ttl(key) <= 600
    connection.pexpire(key, 1)
    threading.Event().wait(0.05)
    with pytest.raises(CredentialsMissing, match=GONE):
        typed.take(token, "rt1")


def test_of_many_that_ask_at_once_one_gets_them():
    token, got, gate = typed.keep(TYPED), [], threading.Barrier(8)

    def ask():
        gate.wait()
        try:
            got.append(typed.take(token, "rt1"))
        except CredentialsMissing:
            got.append(None)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got, key=bool) == [None] * 7 + [TYPED]


def test_unknown_tokens_are_told_what_to_do():
    for each in ("", "x" * 100):
        with pytest.raises(CredentialsMissing, match=r"Type them again\.$"):
            typed.take(each, "rt1")


def test_worker_with_other_keys_says_so_and_shows_nothing():
    token = typed.keep(TYPED)
    other_keys = override_settings(
        SECRET_KEY="another one that is long enough to be a key of NetBox 0123456789"
    )
    with (
        other_keys,
        pytest.raises(CredentialsMissing, match="this worker has other encryption_keys") as caught,
    ):
        typed.take(token, "rt1")
    assert caught.value.__context__ is None
    assert MARKER not in str(caught.value)
