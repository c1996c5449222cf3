"""A router that may be sent something, with two sessions, for tests that reach no router."""

from dcim.models import Platform
from extras.models import ConfigTemplate
from users.models import User

from netbox_peering_manager.models import PeeringRouter
from netbox_peering_manager.services.deployment import asking
from tests.factories import make_bgp_peer, make_device, make_session

TEMPLATE = """\
{% for session in sessions %}neighbor {{ session.remote_ip }} remote-as {{ session.peer_asn }}
{% if session.password %}neighbor {{ session.remote_ip }} password {{ session.password }}
{% endif %}{% if not session.enabled %}neighbor {{ session.remote_ip }} shutdown
{% endif %}{% endfor %}{% for session in removed_sessions %}no neighbor {{ session.remote_ip }}
{% endfor %}"""


def make_router(name="rt1.mtl", *, code=TEMPLATE, **fields):
    """A peering router that FRR's driver is for, with a template, and push switched on."""
    device = make_device(name)
    device.platform = Platform.objects.get_or_create(slug="frr", defaults={"name": "FRRouting"})[0]
    device.save()
    template = ConfigTemplate.objects.get_or_create(name=f"Of {name}", defaults={"template_code": code})[0]
    values = {"config_template": template, "push_enabled": True, "health_timeout": 5}
    return PeeringRouter.objects.create(device=device, **values | fields)


def make_sessions(router, *remotes):
    """A session with each of these addresses."""
    from tests.factories import make_scope

    scope = make_scope(router.device)
    return [
        make_session(make_bgp_peer(f"{remote}/24", asn=64496 + position, scope=scope))
        for position, remote in enumerate(remotes)
    ]


def make_user(name="operator", **fields):
    return User.objects.create_user(name, **{"is_superuser": True} | fields)


def make_deployment(router=None, user=None, **asked):
    """A deployment as somebody asks for it: rendered."""
    router = router or make_router()
    if not asked and not router.device.bgp_router.exists():
        make_sessions(router, "198.51.100.42")
    return asking.request(router, user or make_user(), **asked)
