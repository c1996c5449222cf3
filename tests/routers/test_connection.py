"""How a router is reached: names of the settings, the page that tells and tries it, the job behind the button."""

import pytest
from django.test import override_settings
from django.urls import reverse

from core.choices import JobStatusChoices
from core.models import Job
from dcim.models import Device, Platform
from users.models import ObjectPermission
from utilities.testing import APITestCase, TestCase, create_test_device

from netbox_peering_manager import PeeringManagerConfig
from netbox_peering_manager.jobs.devices import ConnectionTestJob
from netbox_peering_manager.models import PeeringRouter
from tests import factories
from tests.routers.known import KNOWN

APP = "netbox_peering_manager"
DRIVERS = "eos, frr, ios, iosxr_netconf, junos, nxos_ssh"
NO_DRIVER = f"acme is not in napalm_drivers of the plugin's settings. There is: {DRIVERS}."
NO_PROFILE = "acme is not in credential_profiles of the plugin's settings. There is: core, edge."


def make_router(platform="frr", **fields):
    device = create_test_device("rt1.mtl")
    found, _created = Platform.objects.get_or_create(name=platform, slug=platform)
    Device.objects.filter(pk=device.pk).update(platform=found)
    return PeeringRouter.objects.create(device=device, **fields)


@KNOWN
class NamesOfTheSettingsTest(TestCase):
    user_permissions = (
        f"{APP}.add_peeringrouter",
        f"{APP}.view_peeringrouter",
        f"{APP}.change_peeringrouter",
        "dcim.view_device",
    )

    def edit(self, router, **data):
        url = reverse(f"plugins:{APP}:peeringrouter_edit", args=[router.pk])
        given = {
            "device": router.device_id,
            "config_mode": "merge",
            "approval": "none",
            "health_timeout": 120,
            **data,
        }
        return self.client.post(url, given)

    def test_unknown_driver_and_profile_are_refused_with_those_that_there_are(self):
        response = self.edit(make_router(), napalm_driver="acme", credential_profile="acme")
        assert response.status_code == 200
        assert response.context["form"].errors == {
            "napalm_driver": [NO_DRIVER],
            "credential_profile": [NO_PROFILE],
        }

    def test_known_ones_are_offered_and_taken(self):
        router = make_router()
        page = self.client.get(
            reverse(f"plugins:{APP}:peeringrouter_edit", args=[router.pk])
        ).content.decode()
        for each in ("nxos_ssh", "junos", "core", "edge"):
            assert f'<option value="{each}"' in page
        assert self.edit(router, napalm_driver="frr", credential_profile="edge").status_code == 302
        router.refresh_from_db()
        assert (router.napalm_driver, router.credential_profile) == ("frr", "edge")

    def test_one_that_the_settings_no_longer_have_stays_until_it_is_changed(self):
        router = make_router(napalm_driver="old", credential_profile="gone")
        assert self.edit(router, napalm_driver="old", credential_profile="gone").status_code == 302

    def test_bulk_edit_and_import_refuse_them_too(self):
        router = make_router()
        response = self.client.post(
            reverse(f"plugins:{APP}:peeringrouter_bulk_edit"),
            {"pk": [router.pk], "napalm_driver": "acme", "_apply": True},
        )
        assert NO_DRIVER.replace("'", "&#x27;") in response.content.decode()
        create_test_device("rt2.mtl")
        text = self.client.post(
            reverse(f"plugins:{APP}:peeringrouter_bulk_import"),
            {
                "data": "device,credential_profile\nrt2.mtl,acme",
                "format": "csv",
                "import_method": "direct",
                "csv_delimiter": ",",
            },
        ).content.decode()
        assert NO_PROFILE.replace("'", "&#x27;") in text
        assert PeeringRouter.objects.count() == 1

    def test_import_without_the_new_columns_takes_the_defaults(self):
        create_test_device("rt2.mtl")
        self.client.post(
            reverse(f"plugins:{APP}:peeringrouter_bulk_import"),
            {"data": "device\nrt2.mtl", "format": "csv", "import_method": "direct", "csv_delimiter": ","},
        )
        router = PeeringRouter.objects.get()
        assert (router.config_mode, router.approval, router.health_timeout) == ("merge", "none", 120)


@KNOWN
class NamesOfTheSettingsRestTest(APITestCase):
    user_permissions = tuple(f"{APP}.{action}_peeringrouter" for action in ("add", "view", "change"))

    def patch(self, router, **data):
        url = reverse(f"plugins-api:{APP}-api:peeringrouter-detail", args=[router.pk])
        return self.client.patch(url, data, format="json", **self.header)

    def test_rest_refuses_unknown_names_and_arguments_that_are_for_the_settings(self):
        router = make_router()
        response = self.patch(router, napalm_driver="acme", credential_profile="acme")
        assert response.json() == {"napalm_driver": [NO_DRIVER], "credential_profile": [NO_PROFILE]}
        response = self.patch(router, napalm_args={"ssh_strict": False, "known_hosts": "/tmp/x"})
        assert response.status_code == 400
        assert response.json()["napalm_args"][0].startswith(
            "known_hosts, ssh_strict: only the plugin's settings"
        )

    def test_rest_reads_and_writes_what_decides_about_deployments_and_polls(self):
        router = make_router()
        response = self.patch(
            router, approval="other", config_mode="replace", health_timeout=30, poll_interval=7
        )
        assert response.status_code == 200, response.json()
        said = response.json()
        assert said["approval"] == {"value": "other", "label": "Somebody else than the author"}
        assert said["config_mode"] == {"value": "replace", "label": "Replace"}
        assert (said["health_timeout"], said["poll_interval"]) == (30, 7)
        assert self.patch(router, health_timeout=4).status_code == 400
        assert self.patch(router, poll_interval=0).status_code == 400


class ConnectionPageTest(TestCase):
    user_permissions = (f"{APP}.view_peeringrouter", f"{APP}.poll_peeringrouter")

    def url(self, router):
        return reverse(f"plugins:{APP}:peeringrouter_connection", args=[router.pk])

    def test_page_tells_how_the_router_would_be_reached(self):
        text = self.client.get(self.url(make_router())).content.decode()
        for shown in ("frr", "rt1.mtl, port 22", "SSH host key in", "known_hosts", "Test connection"):
            assert shown in text, shown
        assert "NAPALM is not installed" not in text

    def test_page_tells_why_it_cannot_be_reached(self):
        text = self.client.get(self.url(make_router("acme"))).content.decode()
        assert "napalm_drivers in the plugin&#x27;s settings has no driver for its platform acme" in text

    def test_page_says_what_to_install_without_napalm(self):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(f"{APP}.ui.napalm.is_napalm_installed", lambda: False)
            text = self.client.get(self.url(make_router())).content.decode()
        assert "NAPALM is not installed here" in text
        assert "the plugin&#x27;s wheel with the extra &quot;napalm&quot;" in text

    def test_button_queues_one_test(self):
        router = make_router()
        for _ in range(2):
            assert self.client.post(self.url(router)).status_code == 302
        job = Job.objects.get(name=ConnectionTestJob.name)
        assert (job.user, job.object_id) == (self.user, router.pk)
        assert "Test Connection" in self.client.get(self.url(router)).content.decode()

    def test_only_who_may_poll_the_router_tests_it(self):
        router = make_router()
        self.remove_permissions(f"{APP}.poll_peeringrouter")
        assert self.client.get(self.url(router)).status_code == 403
        assert self.client.post(self.url(router)).status_code == 403
        assert not Job.objects.filter(name=ConnectionTestJob.name).exists()

    def test_who_may_poll_other_routers_is_told_that_it_is_not_for_this_one(self):
        router = make_router()
        ObjectPermission.objects.filter(actions=["poll"]).update(constraints={"pk": 0})
        response = self.client.post(self.url(router), follow=True)
        assert [str(each) for each in response.context["messages"]] == ["You may not poll rt1.mtl."]
        assert not Job.objects.filter(name=ConnectionTestJob.name).exists()

    def test_job_tells_what_is_wrong_and_whose_right_is_gone(self):
        router = make_router("acme")
        job = run(router, self.user)
        assert job.status == JobStatusChoices.STATUS_FAILED
        assert job.error.startswith("rt1.mtl: napalm_drivers in the plugin's settings has no driver")
        self.remove_permissions(f"{APP}.poll_peeringrouter")
        assert run(router, self.user).error.endswith("its user may no longer poll it.")

    def test_number_of_queries_does_not_grow_with_tests(self):
        router = make_router()
        run(router, self.user)
        self.client.get(self.url(router))
        with self.assertNumQueries(FuzzyQueries()) as few:
            self.client.get(self.url(router))
        for _ in range(5):
            run(router, self.user)
        with self.assertNumQueries(FuzzyQueries()) as many:
            self.client.get(self.url(router))
        assert len(few) == len(many)


class FuzzyQueries(int):
    """Any number: two counts are compared with each other."""

    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


def run(router, user):
    """Run the job as a worker would."""
    job = ConnectionTestJob.start(router, user)
    ConnectionTestJob.handle(job)
    job.refresh_from_db()
    return job


@pytest.mark.django_db
def test_settings_of_a_router_can_never_be_overruled_by_its_arguments():
    from netbox_peering_manager.exceptions import DriverRefused
    from netbox_peering_manager.services.devices.access import access_to

    router = PeeringRouter(
        device=factories.make_device(), napalm_driver="frr", napalm_args={"ssh_strict": False}
    )
    with pytest.raises(
        DriverRefused, match="ssh_strict in its NAPALM arguments may only be set in napalm_drivers"
    ):
        access_to(router)


@pytest.mark.django_db
def test_driver_that_cannot_check_is_refused_unless_the_settings_say_otherwise():
    from netbox_peering_manager.exceptions import DriverRefused
    from netbox_peering_manager.services.devices.access import access_to

    router = PeeringRouter(device=factories.make_device(), napalm_driver="acme")
    entry = {"driver": "acme", "capabilities": {"host_keys": "none"}}
    with settings(acme=entry), pytest.raises(DriverRefused, match="cannot check whom it speaks to"):
        access_to(router)
    with settings(acme=entry | {"host_keys_strict": False}):
        assert access_to(router).strict is False
    router.napalm_driver = "eos"
    with settings(eos={"driver": "eos", "args": {"transport": "http"}}), pytest.raises(DriverRefused):
        access_to(router)


def settings(**drivers):
    return override_settings(
        PLUGINS_CONFIG={APP: PeeringManagerConfig.default_settings | {"napalm_drivers": drivers}}
    )
