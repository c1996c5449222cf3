from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("netbox_peering_manager", "0010_routerstate_unnamed"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="peeringsession",
            options={
                "ordering": ("bgp_peer__scope_id", "bgp_peer__peer__address", "bgp_peer_id"),
                "permissions": (("view_session_secrets", "See the passwords of sessions"),),
            },
        ),
    ]
