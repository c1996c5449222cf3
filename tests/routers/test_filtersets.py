"""Filters of peering routers."""

from django.http import QueryDict
from django.test import TestCase

from dcim.models import Device, DeviceRole, Platform, Site
from extras.models import ConfigTemplate
from utilities.testing import ChangeLoggedFilterSetTestMixin, create_test_device

from netbox_peering_manager.filtersets import PeeringRouterFilterSet
from netbox_peering_manager.models import PeeringRouter
from tests.base import PluginFilterSetMixin


class PeeringRouterFilterSetTestCase(PluginFilterSetMixin, ChangeLoggedFilterSetTestMixin, TestCase):
    queryset = PeeringRouter.objects.all()
    filterset = PeeringRouterFilterSet
    # Drivers have arguments of their own: there is no sensible filter for them. What is observed and kept of a router
    # is private, or found from its own list.
    ignore_fields = (
        "napalm_args",
        "state",
        "deployments",
        "removed_sessions",
        "unknown_neighbors",
    )

    @classmethod
    def setUpTestData(cls):
        cls.site = Site.objects.create(name="Montreal", slug="mtl")
        cls.platform = Platform.objects.create(name="Junos", slug="junos")
        cls.child = Platform.objects.create(name="Junos EVO", slug="junos-evo", parent=cls.platform)
        cls.role = DeviceRole.objects.create(name="Edge", slug="edge")
        cls.template = ConfigTemplate.objects.create(name="Peering", template_code="x")
        device = create_test_device("rt1.mtl", site=cls.site, platform=cls.child)
        Device.objects.filter(pk=device.pk).update(role=cls.role)
        cls.one = PeeringRouter.objects.create(
            device=device,
            config_template=cls.template,
            napalm_driver="junos",
            credential_profile="core",
            poll_enabled=True,
            poll_interval=10,
            config_mode="replace",
            approval="other",
            health_timeout=60,
            description="First",
        )
        cls.two = PeeringRouter.objects.create(
            device=create_test_device("rt2.tor"), napalm_driver="eos", push_enabled=True, description="Second"
        )
        cls.three = PeeringRouter.objects.create(device=create_test_device("rt3.tor"), description="Third")

    def found(self, **params):
        data = QueryDict(mutable=True)
        for name, value in params.items():
            data.setlist(name, value if isinstance(value, list) else [value])
        return list(self.filterset(data, self.queryset).qs)

    def test_q_finds_by_device_driver_template_and_description(self):
        for text in ("RT1", "junos", "peering", "first"):
            with self.subTest(text=text):
                assert self.found(q=text) == [self.one]
        assert len(self.found(q=" ")) == 3

    def test_device(self):
        assert self.found(device=["rt1.mtl", "rt2.tor"]) == [self.one, self.two]
        assert self.found(device_id=self.three.device_id) == [self.three]

    def test_site_role_and_platform_are_those_of_the_device(self):
        for params in (
            {"site_id": self.site.pk},
            {"site": "mtl"},
            {"role_id": self.role.pk},
            {"role": "edge"},
            {"platform_id": self.child.pk},
            {"platform": "junos-evo"},
        ):
            with self.subTest(params=params):
                assert self.found(**params) == [self.one]

    def test_platform_holds_those_below_it(self):
        assert self.found(platform="junos") == [self.one]

    def test_template_driver_profile_and_switches(self):
        assert self.found(config_template_id=self.template.pk) == [self.one]
        assert self.found(napalm_driver="eos") == [self.two]
        assert self.found(credential_profile="core") == [self.one]
        assert self.found(poll_enabled="true") == [self.one]
        assert self.found(poll_interval="10") == [self.one]
        assert self.found(config_mode="replace") == [self.one]
        assert self.found(approval=["other"]) == [self.one]
        assert self.found(health_timeout__lt="100") == [self.one]
        assert self.found(push_enabled="true") == [self.two]
        assert self.found(push_enabled="false") == [self.one, self.three]
        assert self.found(description="Third") == [self.three]
