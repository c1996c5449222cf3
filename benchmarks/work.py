"""The pieces of work."""

import ipaddress
import json
import re
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags
from jinja2 import Environment

from core.models import ObjectType
from dcim.models import Device
from extras.models import ConfigTemplate
from ipam.models import ASN, IPAddress
from netbox_routing.models import BGPAddressFamily, BGPPeer, BGPPeerAddressFamily
from users.models import ObjectPermission

from benchmarks import adding, candidates, generate, peeringdb, polling, states, takeover, watching
from benchmarks.exchanges import make_our_side
from benchmarks.measure import Result, compare, queries_to_commit
from netbox_peering_manager.models import PeerASN, PeeringConnection, PeeringSession, Relationship
from netbox_peering_manager.services.rendering.peering import render_peering
from netbox_peering_manager.services.rendering.render import render_text
from netbox_peering_manager.tables import PeeringSessionTable

HERE = Path(__file__).parent


def run(sizes: Sequence[int], progress: Callable[[str], None]) -> list[Result]:
    """Make the data and run everything on them."""
    with peeringdb.sample(progress) as sample:
        # First, as the memory of the process counts for it.
        results = peeringdb.run_first(sample, progress)
        results += _with_devices(sizes, progress)
        client = _client()
        progress("Making our side of the exchanges")
        with transaction.atomic():
            side = make_our_side()
        peeringdb.check_full_size(side)
        results += candidates.run(client, side, progress)
        results += peeringdb.run_later(sample, progress)
    return [*results, *adding.run(client, progress), *takeover.run(client, progress)]


def _with_devices(sizes: Sequence[int], progress: Callable[[str], None]) -> list[Result]:
    progress("Making policies")
    policies = generate.make_policies()
    devices = {}
    for size in sizes:
        progress(f"Making a device with {size} sessions")
        with transaction.atomic():
            devices[size] = generate.make_device(size, policies)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    results = []
    for size, device in devices.items():
        progress(f"Rendering {size} sessions")
        results.append(rendering(size, device))
    progress("REST list, table and form")
    client = _client()
    results += [rest_list(client), session_table(client), create_form(client)]
    results += states.run(client, progress)
    return [*results, *watching.run(policies, progress), *polling.run(progress)]


def rendering(size: int, device: Device) -> Result:
    """A configuration from the database, for a user whose permissions are looked at."""
    user = _engineer()
    template = _template()
    floor_sql = (HERE / "floor.sql").read_text()

    def whole() -> str:
        return render_peering(template, device=device.pk, user=user).content

    def floor() -> str:
        with connection.cursor() as cursor:
            cursor.execute(floor_sql, {"device": device.pk})
            return render_text(template, {"sessions": [row[0] for row in cursor.fetchall()]})

    _check_same_work(whole(), floor())
    return compare("render", size, whole, floor)


def rest_list(client: Client) -> Result:
    """The REST API's list of 1,000 sessions, every field."""
    size = min(1000, PeeringSession.objects.count())
    address = f"{reverse('plugins-api:netbox_peering_manager-api:peeringsession-list')}?limit={size}"

    def whole() -> None:
        response = client.get(address)
        _expect(len(response.json()["results"]) == size, f"{address} gave {response.status_code}")

    return compare("rest-list", size, whole, lambda: json.dumps(_least_of(size)))


def session_table(client: Client) -> Result:
    """The page of the list of sessions, 100 rows with every column."""
    size = min(100, PeeringSession.objects.count())
    columns = [name for name in PeeringSessionTable.base_columns if name not in ("pk", "actions")]
    _admin().config.set("tables.PeeringSessionTable.columns", columns, commit=True)
    address = f"{reverse('plugins:netbox_peering_manager:peeringsession_list')}?per_page={size}"
    least = Environment(autoescape=True).from_string(
        "{% for row in rows %}<tr>{% for cell in row.values() %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}"
    )

    def whole() -> None:
        page = client.get(address).content.decode()
        _expect(page.count('<td class="w-1">') >= size or page.count("<tr") > size, f"{address} lacks rows")

    return compare("session-table", size, whole, lambda: least.render(rows=_least_of(size)))


def create_form(client: Client) -> Result:
    """
    The form that makes a session with all that it takes: a peer, its AS, address, BGPPeer and address family.

    The time is that of the whole request, with the search index that NetBox brings up to date after the commit;
    the queries are those up to the commit.
    """
    connection_used = PeeringConnection.objects.order_by("pk").first()
    relationship = Relationship.objects.first()
    # Private AS numbers belong to no RIR; the form is to make the AS.
    settings.PLUGINS_CONFIG["netbox_peering_manager"]["default_rir"] = generate.RIR_SLUG
    lan = ipaddress.ip_network(str(connection_used.peering_network.ipv4_prefix.prefix))
    # From the top of the LAN, where the generator has put nobody.
    hosts = (lan[-number] for number in count(2))
    asns = count(generate.FIRST_ASN + 10**6)
    address = reverse("plugins:netbox_peering_manager:peeringsession_create")

    def whole() -> None:
        response = client.post(
            address,
            {
                "remote_asn": next(asns),
                "relationship": relationship.pk,
                "connection": connection_used.pk,
                "ipv4_remote_ip": str(next(hosts)),
                "status": "active",
                "enabled": "on",
                "password": "a password",
            },
        )
        _expect(response.status_code == 302, f"{address} refused: {_form_errors(response)}")

    def least() -> None:
        with transaction.atomic():
            _insert_least(connection_used, relationship, next(asns), str(next(hosts)))

    return compare("create-form", 1, whole, least, count=queries_to_commit)


def _insert_least(port: PeeringConnection, relationship: Relationship, number: int, host: str) -> None:
    """The bare rows of a session: no checks, no permissions, no change log, no search index, no events."""
    local = port.bgp_scope.router.asn
    asn = ASN.objects.bulk_create([ASN(asn=number, rir=local.rir)])[0]
    PeerASN.objects.bulk_create([PeerASN(asn=asn)])
    remote = IPAddress.objects.bulk_create([IPAddress(address=f"{host}/20")])[0]
    peer = BGPPeer.objects.bulk_create(
        [BGPPeer(scope=port.bgp_scope, peer=remote, source=port.ipv4_address, local_as=local, remote_as=asn)]
    )[0]
    family = BGPAddressFamily.objects.get(scope=port.bgp_scope, address_family="ipv4-unicast")
    BGPPeerAddressFamily.objects.bulk_create(
        [BGPPeerAddressFamily(assigned_object=peer, address_family=family)]
    )
    PeeringSession.objects.bulk_create(
        [PeeringSession(bgp_peer=peer, relationship=relationship, peering_network=port.peering_network)]
    )


def _form_errors(response) -> str:
    """What the page of a form says against what was posted."""
    found = re.findall(r'text-danger[^>]*role="alert">(.*?)</div>', response.content.decode(), re.DOTALL)
    return f"{response.status_code} {' '.join(strip_tags(each).strip() for each in found)}"


def _least_of(size: int) -> list[dict]:
    """As many sessions as one statement can give, of whichever device has them."""
    found = []
    for device in Device.objects.filter(name__startswith="bench-").order_by("-pk"):
        with connection.cursor() as cursor:
            cursor.execute(
                f"{(HERE / 'floor.sql').read_text()} LIMIT %(size)s", {"device": device.pk, "size": size}
            )
            found += [row[0] for row in cursor.fetchall()]
        if len(found) >= size:
            break
    return found[:size]


def _expect(holds: bool, message: str) -> None:
    """What was timed must have done its work."""
    if not holds:
        raise AssertionError(message)


def _admin():
    users = get_user_model().objects
    return users.filter(username="admin").first() or users.create_superuser("admin", password="admin")


def _client() -> Client:
    """A browser with the session of a superuser, which REST accepts for reading."""
    client = Client()
    client.force_login(_admin())
    return client


def _check_same_work(whole: str, floor: str) -> None:
    """The floor must be the floor of this work: the same lines, but for passwords, which it leaves encrypted."""
    ours, theirs = (
        [line for line in text.splitlines() if " password " not in line] for text in (whole, floor)
    )
    if ours != theirs:
        differing = next(pair for pair in zip(ours, theirs, strict=False) if pair[0] != pair[1])
        raise AssertionError(f"The floor renders another text: {differing}")


def _engineer():
    user, made = get_user_model().objects.get_or_create(username="engineer")
    if made:
        for model, actions in ((PeeringSession, ["view", "view_session_secrets"]), (Device, ["view"])):
            permission = ObjectPermission.objects.create(name=model.__name__, actions=actions)
            permission.object_types.add(ObjectType.objects.get_for_model(model))
            permission.users.add(user)
    return user


def _template() -> ConfigTemplate:
    return ConfigTemplate.objects.get_or_create(
        name="neighbors",
        defaults={
            "template_code": (HERE / "neighbors.j2").read_text(),
            "environment_params": {"trim_blocks": True, "lstrip_blocks": True},
        },
    )[0]
