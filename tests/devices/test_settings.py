"""Settings for routers: what is refused at start, by name and without a secret."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from netbox_peering_manager import PeeringManagerConfig
from netbox_peering_manager.settings import validate_settings

VALID = PeeringManagerConfig.default_settings


def refusal(**settings):
    with pytest.raises(ImproperlyConfigured) as caught:
        validate_settings(VALID | settings)
    return str(caught.value)


def test_what_is_documented_is_valid():
    validate_settings(
        VALID
        | {
            "napalm_drivers": {
                "frr": {"driver": "frr", "args": {"port": 2222}, "host_keys_strict": False},
                "sros": {"driver": "sros", "capabilities": {"revert_unit_s": 60, "pending": True}},
            },
            "credential_profiles": {
                "default": {"username": "netbox", "key_file": "/etc/netbox/key"},
                "edge": {"username": "x", "password": {"env": "A"}, "enable_secret": {"file": "/b"}},
                "core": {"username": "x", "key": {"env": "A"}, "passphrase": {"env": "B"}},
            },
            "known_hosts": "/etc/netbox/known_hosts",
        }
    )


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("frr", 'must name a "driver"'),
        ({}, 'must name a "driver"'),
        ({"driver": "os.system"}, 'must name a "driver"'),
        ({"driver": "../frr"}, 'must name a "driver"'),
        ({"driver": "frr", "port": 1}, "has no use for port"),
        ({"driver": "frr", "args": ["a"]}, "args must map"),
        ({"driver": "frr", "host_keys_strict": 1}, "host_keys_strict must be True or False"),
        (
            {"driver": "frr", "capabilities": {"magic": True}},
            "no driver has the capability magic. There are merge,",
        ),
        ({"driver": "frr", "capabilities": {"merge": "yes"}}, "the capability merge must be bool, not 'yes'"),
        ({"driver": "frr", "capabilities": {"revert_unit_s": True}}, "revert_unit_s must be int, not True"),
        ({"driver": "frr", "capabilities": {"revert_unit_s": -1}}, "revert_unit_s must be int, not -1"),
        (
            {"driver": "frr", "capabilities": {"host_keys": "some"}},
            "must be 'known_hosts' or 'tls' or 'none'",
        ),
        ({"driver": "frr", "capabilities": []}, "capabilities must map"),
        ({"driver": "sros", "capabilities": {"revert_unit_s": 60}}, 'it needs "pending": True'),
        (
            {"driver": "sros", "capabilities": {"revert_unit_s": 60, "pending": False}},
            "has to tell whether it has",
        ),
        ({"driver": "sros"}, "nobody knows what the driver sros can do"),
    ],
)
def test_drivers_are_refused_by_the_platform_and_what_is_wrong(entry, why):
    message = refusal(napalm_drivers={"edge-os": entry})
    assert "napalm_drivers['edge-os']" in message
    assert why in message


@pytest.mark.parametrize(
    ("profile", "why"),
    [
        ({}, 'must name a "username"'),
        ({"username": ""}, 'must name a "username"'),
        ({"username": "x", "password": "hunter2"}, "The secret itself does not belong into the settings"),
        ({"username": "x", "key": {"value": "hunter2"}}, "key of credential_profiles['edge'] must be"),
        ({"username": "x", "token": {"env": "A"}}, "has no use for token"),
    ],
)
def test_profiles_are_refused_without_the_secret(profile, why):
    message = refusal(credential_profiles={"edge": profile})
    assert why in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("napalm_drivers", []),
        ("credential_profiles", None),
        ("known_hosts", None),
        ("host_keys_strict", "yes"),
        ("device_timeout_s", 0),
        ("device_timeout_s", True),
        ("deployment_valid_h", 0),
        ("deployment_texts_days", 0),
        ("poll_interval", -1),
        ("drift_interval", 1.5),
        ("samples_all_h", None),
    ],
)
def test_other_settings_are_refused_by_name(name, value):
    assert name in refusal(**{name: value})
