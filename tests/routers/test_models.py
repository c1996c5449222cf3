"""Rules of peering routers and their messages."""

import pytest
from django.core.exceptions import ValidationError

from netbox_peering_manager.models import PeeringRouter
from netbox_peering_manager.models.routers import secrets_in
from tests import factories

WHY = (
    "this looks like a secret, and everybody who may view the router would see it, also in the change log. Take it "
    "out, keep it in a credential profile and name that profile here."
)


def errors_of(**fields):
    with pytest.raises(ValidationError) as caught:
        PeeringRouter(device=factories.make_device(), **fields).full_clean()
    return caught.value.message_dict


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "Password",
        "enable_password",
        "enable-password",
        "enablePassword",
        "passwd",
        "passphrase",
        "passcode",
        "secret",
        "enable_secret",
        "auth_token",
        "api_key",
        "apiKey",
        "private_key",
        "pkey",
        "key",
        "pwd",
        "pass",
        "credentials",
        "snmp_community",
    ],
)
def test_keys_that_name_a_secret_are_found(key):
    assert list(secrets_in({key: "x"})) == [key]


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"keepalive": 30, "port": 830, "config_lock": True},
        {
            "key_file": "/etc/netbox/id",
            "ssh_config_file": "~/.ssh/config",
            "private_key_path": "/etc/netbox/id",
        },
        {"use_keys": True, "allow_agent": False, "use_token": True, "password": None},
        {"keepalive": 30, "key_policy": "reject", "bypass": 1, "compassion": "x"},
        {"url": "https://router.example:8443/path?a=b@c"},
        {"optional_args": {"hostkey_verify": False}, "list": [1, {"a": "b"}]},
    ],
)
def test_what_is_no_secret_is_left_alone(args):
    assert list(secrets_in(args)) == []


def test_secrets_are_found_at_any_depth_and_all_at_once():
    args = {
        "optional_args": {"secret": "a", "lists": [{"token": "b"}, 1]},
        "password": {"nested": "c"},
        "proxy": "socks5://me:hidden@192.0.2.1",
    }
    assert list(secrets_in(args)) == [
        "optional_args.secret",
        "optional_args.lists[0].token",
        "password",
        "proxy",
    ]


@pytest.mark.django_db
class TestRules:
    def test_secret_is_refused_with_its_place_and_without_its_value(self):
        message = errors_of(napalm_args={"optional_args": {"secret": "hunter2"}, "password": "hunter3"})
        assert message == {"napalm_args": [f"optional_args.secret, password: {WHY}"]}
        assert "hunter" not in str(message)

    @pytest.mark.parametrize("args", [[], "text", 1, ["a"]])
    def test_arguments_that_are_no_object_are_refused(self, args):
        assert errors_of(napalm_args=args) == {"napalm_args": ['Write a JSON object, such as {"port": 830}.']}

    def test_second_router_of_a_device_is_refused(self):
        PeeringRouter.objects.create(device=factories.make_device())
        message = "rt1.mtl is a peering router already: edit that one instead of creating another."
        assert errors_of() == {"device": [message]}

    def test_router_is_called_as_its_device_is(self):
        assert str(PeeringRouter(device=factories.make_device("rt9.mtl"))) == "rt9.mtl"

    def test_router_goes_with_its_device(self):
        router = PeeringRouter.objects.create(device=factories.make_device())
        router.device.delete()
        assert not PeeringRouter.objects.exists()

    def test_nothing_is_sent_or_read_unless_switched_on(self):
        router = PeeringRouter(device=factories.make_device())
        assert (router.poll_enabled, router.push_enabled) == (False, False)
