"""Pages of peering routers, as NetBox's own cases try them and beyond."""

import json

import pytest
from django.urls import NoReverseMatch, reverse

from dcim.models import Device, Site
from extras.models import ConfigTemplate
from utilities.testing import TestCase, ViewTestCases, create_tags, create_test_device

from netbox_peering_manager.models import PeeringRouter
from netbox_peering_manager.tables import PeeringRouterTable
from tests import factories
from tests.base import PluginViewMixin
from tests.queries import page, queries_for_few_and_many
from tests.routers.known import KNOWN

APP = "plugins:netbox_peering_manager"
ADD, LIST, IMPORT = (f"{APP}:peeringrouter_{name}" for name in ("add", "list", "bulk_import"))
EDIT_MANY = f"{APP}:peeringrouter_bulk_edit"
SESSIONS = f"{APP}:peeringsession_list"


@KNOWN
class PeeringRouterViewTestCase(PluginViewMixin, ViewTestCases.PrimaryObjectViewTestCase):
    model = PeeringRouter

    @classmethod
    def setUpTestData(cls):
        template = ConfigTemplate.objects.create(name="Junos", template_code="{{ device.name }}")
        routers = [PeeringRouter.objects.create(device=create_test_device(f"rt{n}.mtl")) for n in (1, 2, 3)]
        device = create_test_device("rt4.mtl")
        for number in (5, 6, 7):
            create_test_device(f"rt{number}.mtl")
        tags = create_tags("Alpha", "Bravo")
        cls.form_data = {
            "device": device.pk,
            "config_template": template.pk,
            "napalm_driver": "junos",
            "napalm_args": json.dumps({"port": 830, "config_lock": True}),
            "credential_profile": "core",
            "poll_enabled": True,
            "poll_interval": 10,
            "push_enabled": True,
            "config_mode": "replace",
            "approval": "other",
            "health_timeout": 60,
            "description": "A router",
            "tags": [tag.pk for tag in tags],
        }
        cls.csv_data = (
            "device,config_template,napalm_driver,napalm_args,poll_enabled,approval,config_mode,health_timeout",
            'rt5.mtl,Junos,junos,"{""port"": 830}",true,one,replace,30',
            "rt6.mtl,,eos,,false,,,",
            "rt7.mtl,Junos,,,true,none,merge,",
        )
        cls.csv_update_data = (
            "id,napalm_driver,description",
            *(f"{router.pk},ios,New {router.pk}" for router in routers),
        )
        cls.bulk_edit_data = {
            "config_template": template.pk,
            "napalm_driver": "nxos_ssh",
            "credential_profile": "edge",
            "poll_enabled": True,
            "poll_interval": 15,
            "push_enabled": False,
            "config_mode": "replace",
            "approval": "one",
            "health_timeout": 90,
            "description": "Many",
        }


class PeeringRouterFormTest(TestCase):
    user_permissions = (
        "netbox_peering_manager.add_peeringrouter",
        "netbox_peering_manager.view_peeringrouter",
        "netbox_peering_manager.change_peeringrouter",
        "dcim.view_device",
        "dcim.view_site",
    )

    def test_second_router_of_a_device_is_refused_with_a_link_to_the_first(self):
        router = PeeringRouter.objects.create(device=factories.make_device())
        text = self.client.post(reverse(ADD), {"device": router.device.pk}).content.decode()
        assert "rt1.mtl is a peering router already" in text
        assert f'<a href="{router.get_absolute_url()}">edit that one</a> instead of creating another.' in text
        assert PeeringRouter.objects.count() == 1

    def test_device_name_cannot_bring_markup_into_the_message(self):
        router = PeeringRouter.objects.create(device=create_test_device("<b>rt</b>"))
        text = self.client.post(reverse(ADD), {"device": router.device.pk}).content.decode()
        assert "&lt;b&gt;rt&lt;/b&gt; is a peering router already" in text

    def test_secret_in_napalm_args_is_refused_with_where_it_belongs(self):
        device = factories.make_device()
        args = json.dumps({"optional_args": {"secret": "enable-me"}})
        text = self.client.post(reverse(ADD), {"device": device.pk, "napalm_args": args}).content.decode()
        assert "optional_args.secret: this looks like a secret" in text
        assert "keep it in a credential profile" in text
        assert not PeeringRouter.objects.exists()

    def test_bulk_edit_refuses_a_secret_too(self):
        router = PeeringRouter.objects.create(device=factories.make_device())
        data = {"pk": [router.pk], "napalm_args": '{"password": "x"}', "_apply": True}
        text = self.client.post(reverse(EDIT_MANY), data).content.decode()
        assert "password: this looks like a secret" in text
        router.refresh_from_db()
        assert router.napalm_args is None

    def test_napalm_args_that_are_no_json_are_refused(self):
        device = factories.make_device()
        for args in ("{timeout}", "[1]", '"text"'):
            with self.subTest(args=args):
                response = self.client.post(reverse(ADD), {"device": device.pk, "napalm_args": args})
                assert response.status_code == 200
                assert "napalm_args" in response.context["form"].errors

    def csv(self, *lines):
        data = {"data": "\n".join(lines), "format": "csv", "csv_delimiter": ","}
        return self.client.post(reverse(IMPORT), data)

    def test_import_finds_a_device_of_a_name_that_several_have_by_its_site(self):
        first = factories.make_device("edge")
        site = Site.objects.create(name="Toronto", slug="tor")
        second = Device.objects.create(name="edge", site=site, device_type=first.device_type, role=first.role)
        text = self.csv("device", "edge").content.decode()
        assert "is not a unique value for this field; multiple objects were found" in text
        assert self.csv("site,device", "Toronto,edge").status_code == 302
        assert PeeringRouter.objects.get().device == second

    def test_import_names_row_and_column_of_a_mistake_and_imports_nothing(self):
        for name in ("rt1.mtl", "rt2.mtl"):
            factories.make_device(name)
        cases = (
            ("nowhere,", "device", "Object not found: nowhere"),
            ('rt2.mtl,"{""token"": ""x""}"', "napalm_args", "token: this looks like a secret"),
            ("rt1.mtl,", "device", "rt1.mtl is a peering router already"),
        )
        for row, column, message in cases:
            with self.subTest(row=row):
                text = self.csv("device,napalm_args", "rt1.mtl,", row).content.decode()
                assert message in text
                assert f"Record 2 {column}" in text
                assert not PeeringRouter.objects.exists()


class PeeringRouterPageTest(TestCase):
    user_permissions = ("netbox_peering_manager.view_peeringrouter",)

    def test_page_shows_the_sessions_of_its_device(self):
        router = PeeringRouter.objects.create(device=factories.make_device(), napalm_args={"port": 830})
        text = self.client.get(router.get_absolute_url()).content.decode()
        assert "peeringsession" not in text
        assert "&quot;port&quot;: 830" in text
        self.add_permissions("netbox_peering_manager.view_peeringsession")
        text = self.client.get(router.get_absolute_url()).content.decode()
        assert f'hx-get="{reverse(SESSIONS)}?embedded=True&device_id={router.device_id}' in text

    def test_table_of_the_page_has_the_sessions_of_its_device_alone(self):
        self.add_permissions("netbox_peering_manager.view_peeringsession")
        device = factories.make_device()
        mine = factories.make_session(factories.make_bgp_peer(scope=factories.make_scope(device)))
        other = factories.make_scope(factories.make_device("rt2.mtl"))
        factories.make_session(factories.make_bgp_peer("198.51.100.43/24", scope=other))
        url = f"{reverse(SESSIONS)}?device_id={device.pk}"
        response = self.client.get(url, headers={"HX-Request": "true"})
        assert [row.record for row in response.context["table"].rows] == [mine]

    def test_list_counts_the_sessions_that_the_user_may_view(self):
        router = PeeringRouter.objects.create(device=factories.make_device())
        factories.make_session(factories.make_bgp_peer())
        link = f'<a href="{reverse(SESSIONS)}?device_id={router.device_id}">1</a>'
        assert link not in self.client.get(reverse(LIST)).content.decode()
        self.add_permissions("netbox_peering_manager.view_peeringsession")
        assert link in self.client.get(reverse(LIST)).content.decode()

    def test_routers_have_no_name_to_change(self):
        with pytest.raises(NoReverseMatch):
            reverse(f"{APP}:peeringrouter_bulk_rename")
        self.add_permissions("netbox_peering_manager.change_peeringrouter")
        PeeringRouter.objects.create(device=factories.make_device())
        assert "rename" not in self.client.get(reverse(LIST)).content.decode().lower()


def make_routers(numbers):
    template = ConfigTemplate.objects.get_or_create(name="FRR", defaults={"template_code": "x"})[0]
    for number in numbers:
        device = create_test_device(f"rt{number}.mtl")
        PeeringRouter.objects.create(device=device, config_template=template)
        peer = factories.make_bgp_peer(f"198.51.100.{number + 10}/24", scope=factories.make_scope(device))
        factories.make_session(peer)


@pytest.mark.parametrize("columns", ["default", "every"])
def test_list_costs_the_same_number_of_queries_for_3_and_for_20_rows(admin, columns):
    fields = ",".join(PeeringRouterTable.Meta.fields)
    url = reverse(LIST) + (f"?include_columns={fields}" if columns == "every" else "")
    assert queries_for_few_and_many(lambda: page(admin, url), make_routers) <= 30


def test_page_costs_the_same_number_of_queries_for_3_and_for_20_sessions(admin):
    router = PeeringRouter.objects.create(device=factories.make_device())

    def make_sessions(numbers):
        for number in numbers:
            factories.make_session(factories.make_bgp_peer(f"198.51.100.{number + 10}/24"))

    assert queries_for_few_and_many(lambda: page(admin, router.get_absolute_url()), make_sessions) <= 25


class PeeringRouterArgumentsPanelTest(TestCase):
    user_permissions = ("netbox_peering_manager.view_peeringrouter", "dcim.view_device")

    def test_arguments_are_shown_where_a_router_has_any(self):
        router = PeeringRouter.objects.create(device=factories.make_device())
        assert "NAPALM arguments" not in self.client.get(router.get_absolute_url()).content.decode()
        router.napalm_args = {"port": 830}
        router.save()
        page = self.client.get(router.get_absolute_url()).content.decode()
        assert "NAPALM arguments" in page
        assert "&quot;port&quot;: 830" in page
