"""What is sealed already goes to the table of sealed answers: shuffled once more, under the keys that it has.

Reviews of open answers and published groups know answers by these keys, which are random since the sealing. 0020 removes the
rows here: what refers to them must refer to the new table first.
"""

from django.db import migrations

COPY = """\
INSERT INTO surveys_sealedresponse (key, collection_id, state, eligibility, answers)
SELECT key, collection_id, surveys_response.state, eligibility, answers
FROM surveys_response JOIN surveys_collection ON surveys_collection.id = surveys_response.collection_id
WHERE surveys_collection.state = 'sealed'
ORDER BY random()
"""


def copy(apps, schema_editor):
    schema_editor.execute(COPY)


class Migration(migrations.Migration):
    dependencies = [("analysis", "0018_leases"), ("surveys", "0025_sealed_answers_apart")]

    operations = [migrations.RunPython(copy, migrations.RunPython.noop)]
