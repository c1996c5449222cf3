"""The plugin's settings: what is refused at start, and how secrets are read."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from netbox_peering_manager import PeeringManagerConfig
from netbox_peering_manager.settings import get_setting, read_secret, validate_settings

VALID = PeeringManagerConfig.default_settings
KEYS_MESSAGE = (
    'netbox_peering_manager: encryption_keys must be a list of {"env": "NAME"} or {"file": "/path"}, the key in use '
    "first."
)


def refusal(**settings):
    with pytest.raises(ImproperlyConfigured) as caught:
        validate_settings(VALID | settings)
    return str(caught.value)


def test_defaults_are_valid():
    validate_settings(PeeringManagerConfig.default_settings)


@pytest.mark.parametrize(
    "keys",
    [
        [{"env": "PEERING_KEY"}],
        [{"file": "/run/secrets/peering"}, {"env": "OLD_KEY"}],
        ({"env": "PEERING_KEY"},),
    ],
)
def test_lists_of_secret_sources_are_valid(keys):
    validate_settings(VALID | {"encryption_keys": keys})


@pytest.mark.parametrize(
    "keys",
    [
        None,
        "secret",
        {"env": "PEERING_KEY"},
        ["secret"],
        [{}],
        [{"env": ""}],
        [{"env": None}],
        [{"file": 1}],
        [{"value": "secret"}],
        [{"env": "A", "file": "/b"}],
        [{"env": "A"}, "secret"],
    ],
)
def test_anything_else_is_refused_by_name_and_without_the_value(keys):
    assert refusal(encryption_keys=keys) == KEYS_MESSAGE


@pytest.mark.parametrize("value", [None, 1, ["ripe"]])
def test_default_rir_must_be_a_slug(value):
    message = "netbox_peering_manager: default_rir must be the slug of an RIR, or an empty string."
    assert refusal(default_rir=value) == message


def test_plugin_refuses_a_wrong_setting_when_netbox_starts():
    with pytest.raises(ImproperlyConfigured, match="default_rir must be the slug"):
        PeeringManagerConfig.validate({"default_rir": 1}, "4.7.3")


def test_plugin_fills_in_defaults_when_netbox_starts():
    config = {}
    PeeringManagerConfig.validate(config, "4.7.3")
    assert config == PeeringManagerConfig.default_settings


def test_settings_are_read_when_they_are_needed():
    with override_settings(PLUGINS_CONFIG={"netbox_peering_manager": {"default_rir": "ripe"}}):
        assert get_setting("default_rir") == "ripe"


def test_unknown_setting_is_an_error():
    with pytest.raises(KeyError):
        get_setting("no_such_setting")


def test_secret_comes_from_the_environment_without_white_space(monkeypatch):
    monkeypatch.setenv("PEERING_KEY", " hidden\n")
    assert read_secret({"env": "PEERING_KEY"}) == "hidden"


def test_secret_comes_from_a_file_without_white_space(tmp_path):
    path = tmp_path / "key"
    path.write_text("hidden\n")
    assert read_secret({"file": str(path)}) == "hidden"


def test_absent_variable_is_named(monkeypatch):
    monkeypatch.delenv("PEERING_KEY", raising=False)
    with pytest.raises(ImproperlyConfigured) as caught:
        read_secret({"env": "PEERING_KEY"})
    assert str(caught.value) == (
        "netbox_peering_manager: the secret's source env PEERING_KEY is empty. Fill it, then restart."
    )


def test_empty_file_is_named(tmp_path):
    path = tmp_path / "key"
    path.write_text(" \n")
    with pytest.raises(ImproperlyConfigured, match=r"source file .*/key is empty\. Fill it, then restart\."):
        read_secret({"file": str(path)})


def test_unreadable_file_is_named_with_the_reason(tmp_path):
    with pytest.raises(ImproperlyConfigured) as caught:
        read_secret({"file": str(tmp_path / "absent")})
    assert str(caught.value) == (
        f"netbox_peering_manager: the secret's file {tmp_path}/absent cannot be read: No such file or directory."
    )
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize("name", ["peeringdb_url", "peeringdb_dumps_url"])
@pytest.mark.parametrize(
    "value", [None, "", "www.peeringdb.com", "ftp://www.peeringdb.com/api", "file:///etc/passwd"]
)
def test_peeringdb_is_only_reached_over_http(name, value):
    expected = f"netbox_peering_manager: {name} must be a URL that starts with http:// or https://."
    assert refusal(**{name: value}) == expected


@pytest.mark.parametrize("value", ["sup3rs3cret", {"value": "sup3rs3cret"}, [{"env": "KEY"}]])
def test_the_api_key_is_named_and_never_written_into_the_settings(value):
    message = refusal(peeringdb_api_key=value)
    assert "peeringdb_api_key must be" in message
    assert "sup3rs3cret" not in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("peeringdb_timeout_s", 0),
        ("peeringdb_timeout_s", None),
        ("peeringdb_min_interval_s", -1),
        ("peeringdb_requests_per_minute", 0),
        ("peeringdb_retries", "5"),
        ("peeringdb_max_wait_s", True),
        ("peeringdb_sync_interval", -5),
        ("peeringdb_sync_interval", 1.5),
    ],
)
def test_numbers_of_peeringdb_settings_are_checked(name, value):
    assert name in refusal(**{name: value})


def test_requests_per_minute_may_be_left_to_peeringdb_s_own_limits():
    validate_settings(VALID | {"peeringdb_requests_per_minute": None})
