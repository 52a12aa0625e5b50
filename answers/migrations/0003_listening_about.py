from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("answers", "0002_remark")]

    operations = [
        migrations.AddField(
            "listening",
            "context",
            models.JSONField(blank=True, editable=False, null=True, verbose_name="context"),
        ),
        migrations.AddField(
            "listening",
            "about_session",
            models.UUIDField(blank=True, editable=False, null=True, verbose_name="about"),
        ),
        migrations.AddField(
            "listening",
            "about_step",
            models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="about its step"),
        ),
        migrations.AddField(
            "listening",
            "about_position",
            models.PositiveIntegerField(blank=True, null=True, verbose_name="about its position"),
        ),
    ]
