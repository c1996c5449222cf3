"""Real routers are reached, or refused with the right error, in bounded time, and without a secret in what is said."""

import dataclasses
import os
import signal
import subprocess
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.choices import JobStatusChoices
from dcim.models import Platform
from ipam.models import IPAddress
from users.models import User

from netbox_peering_manager.exceptions import (
    ConfigurationRefused,
    CredentialsMissing,
    DeviceError,
    DeviceTimeout,
    DeviceUnreachable,
    DriverRefused,
    HostKeyRefused,
    LoginRefused,
)
from netbox_peering_manager.jobs.devices import ConnectionTestJob
from netbox_peering_manager.models import PeeringRouter
from netbox_peering_manager.services.devices.capabilities import TABLE
from netbox_peering_manager.services.devices.credentials import Credentials
from netbox_peering_manager.services.devices.device import connect
from netbox_peering_manager.services.devices.masking import MASK
from netbox_peering_manager.services.devices.session import session_with
from tests import factories
from tests.lab.reached import access_of, plugin_settings

pytestmark = pytest.mark.lab
MARKER = "Zx81Spectrum48k"
BY_SSH = sorted(name for name, can in TABLE.items() if can.host_keys == "known_hosts")


@pytest.fixture
def router(lab):
    return lab.routers["edge1.lon1"]


def credentials(router, **changes):
    found = {"username": router.user, "password": MARKER, "key_file": router.key_file}
    return Credentials(**(found | changes))


def failure(access, credentials, work=lambda device: None, secrets=()):
    """What goes wrong. Nothing of it may hold a secret, neither what it says nor what it came of."""
    with pytest.raises(DeviceError) as caught, connect(access, credentials, secrets) as device:
        work(device)
    printed = "".join(traceback.format_exception(caught.value))
    for secret in (MARKER, *credentials.values):
        assert secret not in str(caught.value)
        assert secret not in printed
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert access.name in str(caught.value)
    return caught.value


def tried(access, credentials):
    """The error, None when a session could be opened."""
    try:
        with connect(access, credentials):
            return None
    except DeviceError as error:
        return error


@contextmanager
def within(seconds):
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def other_key(folder, kind="ed25519"):
    path = Path(folder, f"other_{kind}")
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)
    return path


def log_of(router):
    return Path(router.folder, "run", "lab", "sshd.log").read_text(errors="replace")


def says_who_logged_in(text):
    return "Accepted" in text or "Failed" in text


@pytest.fixture
def wrong_hosts(router, tmp_path):
    """A file that has another key for the router."""
    key = Path(f"{other_key(tmp_path)}.pub").read_text().split()[:2]
    path = tmp_path / "known_hosts"
    path.write_text(f"{router.host} {' '.join(key)}\n")
    return path


def fingerprint(router):
    done = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(Path(router.folder, "run", "lab", "host_key.pub"))],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()[1]


# --- Who gets in ---


def test_each_kind_of_credential_logs_in(lab, router, tmp_path):
    encrypted = tmp_path / "encrypted"
    encrypted.write_text(Path(router.key_file).read_text())
    encrypted.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", MARKER, "-f", str(encrypted)], check=True)
    key = Path(router.key_file).read_text()
    for one in (
        credentials(router),
        credentials(router, key_file="", key=key.strip()),
        credentials(router, key_file="", password=router.password),
        credentials(router, key_file=str(encrypted), passphrase=MARKER),
    ):
        with connect(access_of(router), one) as device:
            assert device.facts()["vendor"] == "FRRouting"


@pytest.mark.django_db
def test_profiles_of_the_settings_log_in(lab, router):
    peering_router = make_router(router)
    for profile in ("", "default", "key", f"password of {router.name}"):
        peering_router.credential_profile = profile
        with plugin_settings(lab), session_with(peering_router) as device:
            assert device.facts()["hostname"] == "edge1.lon1"
    peering_router.credential_profile = "nobody"
    with (
        plugin_settings(lab),
        pytest.raises(CredentialsMissing, match=r"rt1.mtl: .* no credential profile nobody"),
    ):
        session_with(peering_router).__enter__()


@pytest.mark.django_db
def test_typed_credentials_go_before_the_profile(lab, router):
    peering_router = make_router(router)
    peering_router.credential_profile = "nobody"
    with plugin_settings(lab), session_with(peering_router, credentials(router)) as device:
        assert device.interfaces_ip()


def make_router(router):
    device = factories.make_device()
    device.platform = Platform.objects.create(name="FRR", slug="frr")
    address = factories.make_address(f"{router.host}/32", factories.make_interface(device))
    device.primary_ip4 = IPAddress.objects.get(pk=address.pk)
    device.save()
    made = PeeringRouter.objects.create(device=device)
    return PeeringRouter.objects.with_access().get(pk=made.pk)


# --- Who does not ---


def test_wrong_password_and_unknown_key_are_refused_logins(router, tmp_path):
    for one in (
        credentials(router, key_file=""),
        credentials(router, key_file=str(other_key(tmp_path)), password=""),
        credentials(router, key_file="", key=other_key(tmp_path, "rsa").read_text().strip(), password=""),
    ):
        with within(10):
            error = failure(access_of(router), one)
        assert type(error) is LoginRefused
        assert "root" in str(error)


@pytest.mark.parametrize("driver", BY_SSH)
def test_wrong_host_key_is_refused_by_every_driver_before_a_password_is_sent(router, wrong_hosts, driver):
    before = len(log_of(router))
    access = access_of(router, driver, known_hosts=str(wrong_hosts))
    with within(25):
        error = failure(access, credentials(router, password=router.password))
    assert type(error) is HostKeyRefused
    assert "ssh-ed25519" in str(error)
    assert fingerprint(router) in str(error)
    assert str(wrong_hosts) in str(error)
    assert not says_who_logged_in(log_of(router)[before:])


@pytest.mark.parametrize("driver", BY_SSH)
def test_unknown_host_key_is_refused_by_every_driver_and_nothing_is_written(router, tmp_path, driver):
    before = len(log_of(router))
    for path in (tmp_path / "missing", tmp_path / "empty"):
        if path.name == "empty":
            path.touch()
        with within(25):
            error = failure(access_of(router, driver, known_hosts=str(path)), credentials(router))
        assert type(error) is HostKeyRefused
        assert fingerprint(router) in str(error)
        assert str(path) in str(error)
        assert not path.exists() or path.read_text() == ""
    assert not says_who_logged_in(log_of(router)[before:])


@pytest.mark.parametrize("driver", BY_SSH)
def test_known_host_key_is_accepted_by_every_driver_and_the_router_asked_to_let_one_in(router, driver):
    """The other platforms' drivers get as far as a shell that they do not know."""
    before, text = len(log_of(router)), Path(router.known_hosts).read_text()
    came_of_it = tried(access_of(router, driver, timeout_s=5), credentials(router))
    assert not isinstance(came_of_it, HostKeyRefused | LoginRefused), came_of_it
    assert MARKER not in str(came_of_it)
    assert "Accepted publickey" in log_of(router)[before:]
    assert Path(router.known_hosts).read_text() == text


@pytest.mark.parametrize("driver", BY_SSH)
def test_any_host_key_is_taken_only_when_the_settings_say_so(router, wrong_hosts, driver):
    before, text = len(log_of(router)), wrong_hosts.read_text()
    access = access_of(router, driver, known_hosts=str(wrong_hosts), strict=False, timeout_s=5)
    came_of_it = tried(access, credentials(router))
    assert not isinstance(came_of_it, HostKeyRefused | LoginRefused), came_of_it
    assert "Accepted publickey" in log_of(router)[before:]
    assert wrong_hosts.read_text() == text


@pytest.mark.parametrize("driver", BY_SSH)
def test_wrong_password_is_told_by_every_driver(router, driver):
    with within(30):
        error = failure(access_of(router, driver, timeout_s=8), credentials(router, key_file=""))
    assert type(error) is LoginRefused, error


# --- What is not there, or does not answer ---


@pytest.mark.parametrize("driver", BY_SSH)
def test_router_without_sshd_is_unreachable(router, driver):
    access = access_of(router, driver, arguments={"port": 2}, timeout_s=5)
    with within(20):
        error = failure(access, credentials(router))
    assert type(error) is DeviceUnreachable, error


@pytest.mark.parametrize("driver", BY_SSH)
def test_sshd_that_does_not_answer_is_a_timeout(router, driver):
    with stopped(router.pid("sshd")), within(30):
        error = failure(access_of(router, driver, timeout_s=2), credentials(router))
    assert type(error) is DeviceTimeout, error


def test_address_that_nobody_has_is_a_timeout_or_unreachable(router):
    with within(10):
        error = failure(access_of(router, host="198.51.100.254", timeout_s=2), credentials(router))
    assert isinstance(error, DeviceTimeout | DeviceUnreachable)


def test_router_that_hangs_in_the_middle_is_a_timeout(router):
    """Its bgpd is stopped: vtysh waits for it."""
    with within(30), stopped(router.pid("bgpd")):
        error = failure(
            access_of(router, timeout_s=2), credentials(router), lambda device: device.bgp_neighbors()
        )
    assert type(error) is DeviceTimeout, error
    with connect(access_of(router), credentials(router)) as device:
        assert isinstance(device.bgp_neighbors(), dict)


def test_connection_that_is_cut_in_the_middle_is_unreachable(router):
    def cut(device):
        for pid in sessions_of(router):
            os.kill(pid, signal.SIGKILL)
        device.facts()

    error = failure(access_of(router, timeout_s=5), credentials(router), cut)
    assert type(error) is DeviceUnreachable, error


def sessions_of(router):
    """The processes that sshd has started for those who are logged in."""
    found = subprocess.run(
        ["pgrep", "-P", str(router.pid("sshd"))], capture_output=True, text=True, check=True
    )
    return [int(pid) for pid in found.stdout.split()]


# --- What is said ---


def test_refused_configuration_quotes_the_line_without_its_secret(router):
    text = f"router bgp 64500\n neighbor 192.0.2.99 nonsense\n neighbor 192.0.2.99 passwort {MARKER}\n"
    text += f" neighbor 192.0.2.99 password {MARKER}\n"
    error = failure(
        access_of(router),
        credentials(router),
        lambda device: device.load(text, replace=False),
        secrets=[MARKER],
    )
    assert type(error) is ConfigurationRefused
    assert "nonsense" in str(error)
    assert MASK in str(error)


def test_secrets_of_the_candidate_are_known_without_being_told(router):
    # FRR quotes the line that it does not understand; the password stands elsewhere in the candidate as one.
    text = f"router bgp 64500\n neighbor 192.0.2.99 password {MARKER}\n neighbor 192.0.2.99 word {MARKER}\n"
    error = failure(access_of(router), credentials(router), lambda device: device.load(text, replace=False))
    assert type(error) is ConfigurationRefused
    assert f"word {MASK}" in str(error)


def test_driver_that_is_not_installed_is_refused_by_name(router):
    access = dataclasses.replace(access_of(router), driver="nowhere")
    with pytest.raises(DriverRefused, match=r"NAPALM has no driver nowhere here\. Install it"):
        connect(access, credentials(router)).__enter__()


@pytest.mark.django_db
def test_router_says_who_it_is_when_its_connection_is_tested(lab, router):
    user = User.objects.create_user("operator", is_superuser=True)
    peering_router = make_router(router)
    with plugin_settings(lab):
        job = ConnectionTestJob.start(peering_router, user)
        ConnectionTestJob.handle(job)
        job.refresh_from_db()
        assert job.status == JobStatusChoices.STATUS_COMPLETED, job.error
        answer = job.data["connection"]
        assert (answer["driver"], answer["host"]) == ("frr", router.host)
        assert (answer["vendor"], answer["hostname"]) == ("FRRouting", "edge1.lon1")
        assert answer["checked_by"] == "known_hosts"


@pytest.mark.django_db
def test_job_that_is_refused_tells_which_key_was_shown_and_no_secret(lab, router, wrong_hosts):
    user = User.objects.create_user("operator", is_superuser=True)
    peering_router = make_router(router)
    with plugin_settings(lab, known_hosts=str(wrong_hosts)):
        job = ConnectionTestJob.start(peering_router, user)
        ConnectionTestJob.handle(job)
        job.refresh_from_db()
    assert job.status == JobStatusChoices.STATUS_FAILED
    assert fingerprint(router) in job.error
    for secret in (each.password for each in lab.routers.values()):
        assert secret not in f"{job.error}{job.data}{job.log_entries}"
