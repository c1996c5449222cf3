"""What is kept of what is sent: encrypted, and recognised by digests that nobody can guess."""

import hashlib

import pytest
from django.core.management import call_command

from netbox_peering_manager.exceptions import DeploymentError, SecretError
from netbox_peering_manager.services.deployment import pipeline, sealed
from netbox_peering_manager.services.deployment.sealed import Sealed
from tests.services.test_secrets import with_keys

from .scenery import make_deployment

TEXT = "neighbor 198.51.100.42 password Marker-5"


def test_digest_is_none_that_a_guess_can_be_held_against():
    digest = sealed.digest(TEXT)
    assert len(digest) == 64
    assert digest != hashlib.sha256(TEXT.encode()).hexdigest()
    assert sealed.fits(digest, TEXT)
    assert not sealed.fits(digest, f"{TEXT} ")
    assert not sealed.fits("", TEXT)


def test_digest_still_fits_when_another_key_is_in_use(monkeypatch):
    with with_keys(monkeypatch, "old"):
        digest = sealed.digest(TEXT)
    with with_keys(monkeypatch, "new", "old"):
        assert sealed.fits(digest, TEXT)
        assert sealed.digest(TEXT) != digest
    with with_keys(monkeypatch, "new"):
        assert not sealed.fits(digest, TEXT)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        # EOS names its session, IOS-XR the time.
        (
            "--- system:/running-config\n+++ session:/napalm_1-session\n+ a",
            "--- x\n+++ session:/napalm_2\n+ a",
            True,
        ),
        ("+ a  \n\n+ b", "+ a\n+ b\n", True),
        ("+ a", "- a", False),
        ("+ a\n+ b", "+ b\n+ a", False),
    ],
)
def test_differences_are_the_same_but_for_what_is_new_each_time(one, other, same):
    assert (sealed.canonical(one) == sealed.canonical(other)) is same


def test_secrets_are_in_no_repr():
    assert "Marker-5" not in repr(Sealed(TEXT, ("Marker-5",)))


@pytest.mark.django_db
def test_what_was_sealed_is_opened_again_and_is_not_in_the_row():
    deployment = make_deployment()
    contents = Sealed(TEXT, ("Marker-5",), frozenset({("", "198.51.100.42")}))
    deployment.encrypted_text = sealed.seal(contents)
    assert sealed.opened(deployment) == contents
    assert "Marker" not in deployment.encrypted_text
    deployment.encrypted_text = ""
    with pytest.raises(DeploymentError, match="has ended"):
        sealed.opened(deployment)


@pytest.mark.django_db
def test_keys_are_changed_for_what_waits_to_be_sent(monkeypatch, capsys):
    deployment = make_deployment()
    with with_keys(monkeypatch, "old"):
        deployment.encrypted_text = sealed.seal(Sealed(TEXT))
        deployment.save()
    with with_keys(monkeypatch, "new", "old"):
        call_command("peering_reencrypt")
    assert "1 deployment" in capsys.readouterr().out
    deployment.refresh_from_db()
    with with_keys(monkeypatch, "new"):
        assert sealed.opened(deployment).text == TEXT


@pytest.mark.django_db
def test_deployment_that_no_key_opens_ends_and_says_so(monkeypatch):
    deployment = make_deployment()
    with with_keys(monkeypatch, "lost"):
        deployment.encrypted_text = sealed.seal(Sealed(TEXT))
        deployment.save()
    with pytest.raises(SecretError, match="cannot be decrypted"):
        pipeline.run(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.status == "failed"
    assert "cannot be decrypted" in deployment.reason
