from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("netbox_peering_manager", "0009_deployment_switched"),
    ]

    operations = [
        migrations.AddField(
            model_name="routerstate",
            name="unnamed",
            field=models.JSONField(blank=True, default=list),
        ),
    ]
