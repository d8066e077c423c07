"""The files of a release: which there are, what they are called, and how one is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from analysis.exports.csv_file import write_csv
from analysis.exports.mplus import write_mplus
from analysis.exports.rows import rows_of
from analysis.exports.rscript import write_r
from analysis.exports.spss import write_sav
from analysis.models import AnalysisRun
from analysis.models.releases import RowRelease
from surveys.models import Survey

#: Which there are, and what a browser is told that each is.
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "sav": "application/x-spss-sav",
    "r": "application/zip",
    "mplus": "application/zip",
}
#: Files with numbers of an analysis: it has to be of the answers that were released.
OF_A_RUN = ("r", "mplus")


def name_of(release: RowRelease, form: str, language: str) -> str:
    """The file's name. Only a .sav has its words in one language."""
    end = {"csv": ".csv", "sav": f"-{language}.sav"}.get(form, f"-{form}.zip")
    return f"{release.study.slug}-{release.pk}{end}"


def write_file(
    release: RowRelease, survey: Survey, run: AnalysisRun | None, form: str, language: str, out: IO[bytes]
) -> None:
    """Read the release's rows and write them. Raises as :func:`analysis.exports.rows.rows_of` does."""
    rows = rows_of(release, survey, run)
    if form == "csv":
        write_csv(rows, out)
    elif form == "sav":
        write_sav(rows, language, survey.study.title, out)
    elif run is None:
        raise ValueError(f"{form} holds numbers of an analysis, and there is none.")
    else:
        (write_r if form == "r" else write_mplus)(rows, run, out)


def listed(languages: Sequence[str], *, with_run: bool) -> list[tuple[str, str]]:
    """The files that a release has: form and language ("" where it has none of its own)."""
    files = [("csv", ""), *(("sav", language) for language in languages)]
    return files + ([(form, "") for form in OF_A_RUN] if with_run else [])
