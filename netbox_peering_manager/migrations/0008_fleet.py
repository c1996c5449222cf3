from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("netbox_peering_manager", "0007_deployment_released_by")]

    operations = [
        migrations.AddField(
            model_name="deploymentbatch",
            name="asked",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="routerstate",
            name="drift_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
