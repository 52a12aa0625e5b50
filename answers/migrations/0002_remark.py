import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("answers", "0001_initial")]

    operations = [
        migrations.AddField(
            "listening",
            "removed",
            models.BooleanField(db_default=False, editable=False, verbose_name="removed by the student"),
        ),
        migrations.CreateModel(
            "Remark",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("clear", "clear"), ("unclear", "not clear"), ("wrong", "something is wrong")],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("step", models.PositiveSmallIntegerField(null=True, verbose_name="step")),
                ("position", models.PositiveIntegerField(null=True, verbose_name="position")),
                ("text", models.CharField(blank=True, default="", max_length=500, verbose_name="remark")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="made")),
                (
                    "listening",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="remarks",
                        to="answers.listening",
                        verbose_name="listening",
                    ),
                ),
            ],
            {
                "verbose_name": "remark",
                "verbose_name_plural": "remarks",
                "indexes": [models.Index(fields=["-created_at"], name="remarks_by_age")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind__in", ["clear", "unclear"])),
                        fields=("listening",),
                        name="one_verdict_per_listening",
                    )
                ],
            },
        ),
    ]
