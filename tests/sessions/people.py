"""Users with rights, and a session with everything around it, for the tests of this area."""

from django.contrib.auth import get_user_model
from django.test import Client
from rest_framework.test import APIClient

from core.models import ObjectType
from ipam.models import ASN
from users.models import ObjectPermission

from netbox_peering_manager.models import PeeringConnection
from netbox_peering_manager.services import secrets
from tests import factories

PLAIN = "s3cret-of-the-session"


def grant(user, *names, constraints=None):
    """Give the rights named "<app>.<action>_<model>", on the objects that fit the constraints."""
    for name in names:
        app, _, rest = name.partition(".")
        action, _, model = rest.rpartition("_")
        permission = ObjectPermission.objects.create(name=name, actions=[action], constraints=constraints)
        permission.users.add(user)
        permission.object_types.add(ObjectType.objects.get_by_natural_key(app, model))
    return user


def ours(*rights):
    return [f"netbox_peering_manager.{right}" for right in rights]


def make_user(*rights, constraints=None, name="noc"):
    return grant(get_user_model().objects.create_user(name), *rights, constraints=constraints)


def make_root(name="root"):
    return get_user_model().objects.create_superuser(name)


def browser(user=None):
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def rest(user=None):
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def make_full_session(host=42, password=PLAIN, **fields):
    """A session on a LAN with a connection, a local AS that is ours, families and a password."""
    if not ASN.objects.filter(asn=factories.LOCAL_ASN, peer_asn__isnull=False).exists():
        factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
    connection = PeeringConnection.objects.first() or factories.make_connection(
        bgp_scope=factories.make_scope()
    )
    bgp_peer = factories.make_bgp_peer(
        f"198.51.100.{host}/24",
        scope=connection.bgp_scope,
        source=connection.ipv4_address,
        families=("ipv4-unicast",),
        **fields,
    )
    session = factories.make_session(bgp_peer, network=connection.peering_network)
    if password:
        secrets.set_password(session, password)
        session.save()
    session.refresh_from_db()
    return session


def is_selected(page, chosen):
    """Whether a form offers this object as its choice, whatever the white space of the markup."""
    return f'<option value="{chosen.pk}" selected' in " ".join(page.split())
