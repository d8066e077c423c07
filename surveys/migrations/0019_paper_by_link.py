from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0018_directors_do_not_count"),
    ]

    operations = [
        migrations.AddField(
            model_name="collection",
            name="n_paper_by_link",
            field=models.PositiveIntegerField(default=0),
        ),
        # nobody kept who typed the forms that wait to be sealed: they lift no team over k by themselves
        migrations.AddField(
            model_name="paperform",
            name="by_link",
            field=models.BooleanField(default=True),
        ),
        migrations.AlterField(
            model_name="paperform",
            name="by_link",
            field=models.BooleanField(default=False),
        ),
    ]
