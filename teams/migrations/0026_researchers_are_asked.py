"""Researchers are asked, and are researchers after saying yes. Members who never chose a password never came in: they are
asked again, and a leader among them signs in by a mailed code again. Who has a password keeps what they have."""

import secrets

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def ask_who_never_came(apps, schema_editor):
    membership, role, asked = (apps.get_model("teams", name) for name in ("Membership", "Role", "ResearcherInvitation"))
    never_came = membership.objects.filter(user__password__startswith="!", user__is_superuser=False)
    for one in never_came.select_related("user").order_by("pk"):
        roles = role.objects.filter(user=one.user, kind="researcher", study__group=one.group_id).order_by("pk")
        studies = [] if one.all_studies else list(roles.values_list("study", flat=True))
        for study in studies or [None]:
            asked.objects.create(
                group_id=one.group_id,
                study_id=study,
                name=one.user.name or one.user.email[:120],
                email=one.user.email,
                language=one.user.language,
                all_studies=one.all_studies,
                invited_at=one.user.date_joined,
                nonce=secrets.token_hex(16),
            )
        roles.delete()
    never_came.delete()
    membership.objects.update(by_administrator=True)


class Migration(migrations.Migration):

    dependencies = [
        ('teams', '0025_who_vouched'),
    ]

    operations = [
        migrations.AddField(
            model_name='membership',
            name='by_administrator',
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name='ResearcherInvitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('email', models.EmailField(max_length=254, verbose_name='email address')),
                ('language', models.CharField(default='nl', max_length=2, verbose_name='language')),
                ('all_studies', models.BooleanField(default=False)),
                ('invited_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('nonce', models.CharField(max_length=32)),
                ('group', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='researcher_invitations', to='teams.researchgroup')),
                ('invited_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('study', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='researcher_invitations', to='teams.study')),
            ],
            options={
                'ordering': ['email', 'pk'],
                'constraints': [models.UniqueConstraint(models.F('study'), django.db.models.functions.text.Lower('email'), condition=models.Q(('study__isnull', False)), name='researcher_asked_once_per_study'), models.UniqueConstraint(models.F('group'), django.db.models.functions.text.Lower('email'), condition=models.Q(('study__isnull', True)), name='researcher_asked_once_per_group')],
            },
        ),
        migrations.RunPython(ask_who_never_came, migrations.RunPython.noop),
    ]
