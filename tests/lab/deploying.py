"""
The lab's network in NetBox, as the demo has it: a router of ours that may be sent something, its port on the LAN, and a
session with each of some members in both families.
"""

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from napalm import get_network_driver

from dcim.models import Device
from extras.models import ConfigTemplate
from ipam.models import IPAddress, Prefix
from users.models import User

from dev import demo_network as demo
from dev.lab import looking
from dev.lab.plan import SESSION_PASSWORD
from dev.lab.texts import configuration
from netbox_peering_manager.models import PeeringFabric, PeeringNetwork, PeeringRouter, PeeringSession
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.deployment import asking, pipeline
from netbox_peering_manager.settings import PLUGIN

EDGE = "edge1.lon1"
# FRR, BIRD; their addresses end in 11 and 12.
MEMBERS = (64496, 64497)
PATIENCE_S = 25
# A machine that is busy needs that long for one step; and how long the router waits beyond the health check.
TIMEOUT_S = 8
MARGIN_S = 2
WHOLE = "frr defaults traditional\nhostname edge1.lon1\nservice integrated-vtysh-config\n"


class Epoch(int):
    """Seconds, as FRR tells them: rounded anew each time that it is asked."""

    def __eq__(self, other):
        return abs(self - other) <= 3

    __hash__ = None


@dataclass
class World:
    """One of our routers, in the lab and in NetBox."""

    lab: object
    router: PeeringRouter
    user: User

    @property
    def node(self):
        return self.lab.nodes[self.router.device.name]

    @property
    def folder(self):
        return Path(self.lab.routers[self.router.device.name].folder)

    def session(self, asn, family=4):
        peer = self.lab.nodes[f"as{asn}"]
        return PeeringSession.objects.get(bgp_peer__peer__address__net_host=peer.addresses[family == 6])

    def address(self, asn, family=4):
        return self.lab.nodes[f"as{asn}"].addresses[family == 6]

    def addresses(self, *asns):
        return {address for asn in asns for address in self.lab.nodes[f"as{asn}"].addresses}

    def established(self):
        """The neighbours with which the router's sessions are Established, as both ends say themselves."""
        return self.lab.established_on_both_ends(self.router.device.name)

    def epochs(self):
        """By neighbour, how often its session came up, and since when it is up."""
        return {
            address: (record["connectionsEstablished"], Epoch(record["bgpTimerUpEstablishedEpoch"]))
            for address, record in looking.neighbors(self.folder).items()
            if record["bgpState"] == "Established"
        }

    def running(self):
        return looking.running(self.folder)

    def ask(self, **asked):
        """Ask for a deployment that is committed as soon as it may be, and let it go as far as it may."""
        deployment = asking.request(self.router, self.user, **{"automatic": True} | asked)
        return pipeline.run(deployment.pk)

    def enable(self, asn, enabled, family=4):
        session = self.session(asn, family)
        session.bgp_peer.enabled = enabled
        session.bgp_peer.save()
        return session


def eventually(condition, seconds=PATIENCE_S, *, pause_s=0.2):
    """Wait until it holds. Returns its last value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(pause_s)
    return value


def plugin_settings(lab):
    """The plugin's settings with which the lab's routers are reached."""
    first = next(iter(lab.routers.values()))
    return {
        "credential_profiles": {"default": {"username": first.user, "key_file": first.key_file}},
        "known_hosts": first.known_hosts,
        "device_timeout_s": TIMEOUT_S,
    }


def reach(lab, settings, **changes):
    """Let the plugin's settings reach the lab's routers. `settings` is pytest-django's."""
    plugins = settings.PLUGINS_CONFIG
    settings.PLUGINS_CONFIG = {**plugins, PLUGIN: {**plugins[PLUGIN], **plugin_settings(lab), **changes}}


def build(lab, members=MEMBERS, **fields):
    """Write the router and its sessions into NetBox. `fields` are of the PeeringRouter."""
    user = User.objects.create_user("operator", is_superuser=True)
    device = demo._router(EDGE, "frr")
    policies = demo._policies(device)
    kinds = demo._relationships(policies)
    _reach(device, lab.routers[EDGE].host)
    fabric = PeeringFabric.objects.create(name=demo.EXCHANGE, slug="example-ix")
    lan = PeeringNetwork.objects.create(
        fabric=fabric,
        name="LAN",
        ipv4_prefix=Prefix.objects.create(prefix=demo.LAN4),
        ipv6_prefix=Prefix.objects.create(prefix=demo.LAN6),
    )
    port = demo._port(device, "eth1", lan, *demo.PORTS[EDGE]["eth1"])
    by_asn = {member.asn: member for member in demo.MEMBERS}
    for asn in members:
        demo._peer_asn(asn, name=by_asn[asn].name)
        for address in lab.nodes[f"as{asn}"].addresses:
            demo._session(port, address, by_asn[asn], relationship=kinds["peer"])
            if lab.nodes[f"as{asn}"].password:
                session = PeeringSession.objects.get(bgp_peer__peer__address__net_host=address)
                secrets.set_password(session, SESSION_PASSWORD)
                session.save()
    router = device.peering_router
    for name, value in ({"push_enabled": True, "health_timeout": 6} | fields).items():
        setattr(router, name, value)
    router.save()
    return World(lab, router, user)


def whole_template(router):
    """Let the router's template render all of its configuration, to replace what it has."""
    code = router.config_template.template_code.replace("replaces_all = false", "replaces_all = true")
    router.config_template = ConfigTemplate.objects.create(
        name="All of FRRouting",
        template_code=WHOLE + code,
        environment_params=router.config_template.environment_params,
    )
    router.config_mode = "replace"
    router.save()


def empty(lab, name=EDGE):
    """Bring the router back to what it began with: a name, and no session."""
    folder = Path(lab.routers[name].folder)
    if "router bgp" in looking.running(folder) or has_pending(lab, name):
        replace(lab, configuration(lab.nodes[name], list(lab.nodes.values())), name)


@contextmanager
def somebody_else(lab, name=EDGE):
    """A driver that speaks to the router past NetBox."""
    router = lab.routers[name]
    driver = get_network_driver("frr")(
        router.host, router.user, "", timeout=20, optional_args=router.optional_args
    )
    driver.open()
    try:
        yield driver
    finally:
        driver.close()


def replace(lab, text, name=EDGE):
    """Give the router this configuration, past NetBox."""
    with somebody_else(lab, name) as driver:
        if driver.has_pending_commit():
            driver.rollback()
        driver.load_replace_candidate(config=text)
        driver.commit_config()


def _reach(device: Device, host: str):
    """By the address at which the lab's router is reached from here."""
    management = demo._interface(device, "mgmt0", f"{host}/32")
    device.primary_ip4 = IPAddress.objects.get(address=f"{host}/32", interface=management)
    device.save()


def has_pending(lab, name=EDGE):
    """Whether a commit waits on the router to be confirmed."""
    return Path(lab.routers[name].folder, "var-lib", "napalm-frr", "pending").exists()
