"""The exported R script runs in R and its numbers equal the page's: `make test-r` (needs Rscript, lavaan, psych).

Not named test_*.py: R is not on every machine, and a test that is left out is no test.
"""

import io
import subprocess
import zipfile

import pytest

from analysis.demo import load
from analysis.exports import releases, rscript
from analysis.exports.rows import rows_of
from analysis.publication.standing import published_run
from surveys.models import Survey


@pytest.mark.django_db
def test_r_finds_the_numbers_of_the_page(tmp_path):
    assert load.load()
    survey = Survey.objects.select_related("version", "study").get(study__slug="demo")
    run = published_run(survey.study_id)
    release = releases.register(survey, with_team=True, background=[], purpose="The test in R", user=None)
    archive = io.BytesIO()
    rscript.write_r(rows_of(release, survey, run), run, archive)
    zipfile.ZipFile(archive).extractall(tmp_path)
    done = subprocess.run(["Rscript", "analysis.R"], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    print(done.stdout[-6000:], done.stderr[-3000:])
    assert done.returncode == 0
    assert "numbers equal those of the page" in done.stdout
    assert (tmp_path / "scores.csv").read_text().count("\n") == 1 + run.counts["analysed"]
