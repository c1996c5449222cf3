"""REST addresses, below /api/plugins/peering-manager/."""

from netbox.api.routers import NetBoxRouter

from .views import fabrics, peers, routers, sessions

app_name = "netbox_peering_manager"

router = NetBoxRouter()
for prefix, viewset in (*fabrics.routes, *peers.routes, *sessions.routes, *routers.routes):
    router.register(prefix, viewset)

urlpatterns = router.urls
