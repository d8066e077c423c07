"""The .sav file opened by PSPP: labels, missing codes and values survive, in both languages: `make test-r` (needs pspp).

Not named test_*.py: PSPP is not on every machine, and a test that is left out is no test.
"""

import csv
import datetime
import subprocess

import pytest

from analysis.data.given import JUDGED_NOT, NO_ANSWER
from analysis.exports import releases, spss
from analysis.exports.rows import rows_of
from surveys.answering import submission
from surveys.collecting import collections, sealing
from surveys.models import Collection, Survey
from surveys.questionnaires import publishing
from surveys.questionnaires.publishing import definition_of
from teams.models import Academy, Institution, Participation, Study, Team
from tests.analysis.exporting.odd import odd_rows
from tests.groups import a_group

DAY = datetime.date(2026, 9, 1)
SYNTAX = """GET FILE='{folder}/in.sav'.
SAVE TRANSLATE /OUTFILE='{folder}/out.csv' /TYPE=CSV /FIELDNAMES /CELLS=VALUES /REPLACE.
DISPLAY DICTIONARY.
DESCRIPTIVES VARIABLES=GV1 GV2 /STATISTICS=MEAN.
"""


@pytest.fixture
def rows(db):
    """Twelve answers of a team to the shipped questionnaire, with every kind of gap."""
    study = Study.objects.create(
        group=a_group(), slug="s", title="Leren in teams — één studie", starts_on=DAY, ends_on=DAY
    )
    survey = Survey.objects.create(
        study=study, version=publishing.install_shipped(a_group())[0], background=["years_in_team", "counsellor"]
    )
    academy = Academy.objects.create(
        institution=Institution.objects.create(group=a_group(), name="Hogeschool"), name="Zorg", sector="health"
    )
    Participation.objects.create(
        study=study,
        team=Team.objects.create(academy=academy, name="T"),
        mode="contact",
        state="accepted",
        approached=20,
    )
    collections.open_survey(survey, "f" * 64)
    collection = Collection.objects.get()
    codes = definition_of(survey.version).item_codes
    years = sorted(definition_of(survey.version).asked_background(["years_in_team"])[0].choice_codes)
    given = []
    for n in range(12):
        answers = {code: 1 + (n + place) % 4 for place, code in enumerate(codes)}
        answers |= {"GV1": "x"} if n % 3 == 0 else {}
        if n % 4 == 1:
            del answers["GV1" if n % 3 else "GV2"]
        given.append({"answers": {**answers, "years_in_team": years[n % 2]}, "eligibility": "yes"})
    submission.submit_many(collection, given)
    collections.close_collection(collection)
    sealing.seal(Collection.objects.get())
    release = releases.register(survey, with_team=True, background=["years_in_team"], purpose="PSPP", user=None)
    return rows_of(release, survey, None)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_pspp_reads_labels_missing_codes_and_values(rows, language, tmp_path):
    with (tmp_path / "in.sav").open("wb") as file:
        spss.write_sav(rows, language, "Leren in teams — één studie", file)
    (tmp_path / "look.sps").write_text(SYNTAX.format(folder=tmp_path))
    command = ["pspp", "-O", "format=csv", "-o", str(tmp_path / "said.csv"), str(tmp_path / "look.sps")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"LC_ALL": "C.UTF-8"})
    said = (tmp_path / "said.csv").read_text()
    assert done.returncode == 0, said
    assert "error" not in said.lower(), said
    for item in rows.definition.items:
        assert item.text[language][:60] in said, "the variable's label"
    for _value, text in rows.definition.options:
        assert text[language] in said
    assert rows.definition.cannot_judge[language] in said
    for choice in rows.definition.asked_background(["years_in_team"])[0].choices:
        assert choice.text[language] in said
    with (tmp_path / "out.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(rows) == 12
    for number, read in enumerate(table):
        for column, item in enumerate(rows.items):
            code = int(rows.codes[number, column])
            assert float(read[item]) == {JUDGED_NOT: spss.CANNOT_JUDGE, NO_ANSWER: spss.NO_ANSWER}.get(code, code)
    # PSPP leaves the missing codes out of the mean, as it must
    described = said[said.rindex("Descriptive Statistics") :].splitlines()
    by_label = {row[0]: row[1:] for row in csv.reader(described) if len(row) > 2}
    labels = {item.code: item.text[language] for item in rows.definition.items}
    for item in ("GV1", "GV2"):
        n, mean = by_label[labels[item]][:2]
        answers = rows.codes[:, rows.items.index(item)]
        assert float(n) == (answers > NO_ANSWER).sum() < 12
        assert float(mean) == pytest.approx(answers[answers > NO_ANSWER].mean(), abs=0.01)


@pytest.mark.django_db
def test_pspp_reads_what_is_odd(tmp_path):
    """Words of SPSS's language as codes, a label that was cut, numbers, 120 choices, a row that no analysis read."""
    with (tmp_path / "in.sav").open("wb") as file:
        spss.write_sav(odd_rows(), "nl", "Twee", file)
    (tmp_path / "look.sps").write_text(
        f"GET FILE='{tmp_path}/in.sav'.\nDISPLAY DICTIONARY.\nFREQUENCIES VARIABLES=by_ with_.\nLIST.\n"
        "DESCRIPTIVES VARIABLES=hours people set_aside /STATISTICS=MEAN.\n"
    )
    command = ["pspp", "-O", "format=csv", "-o", str(tmp_path / "said.csv"), str(tmp_path / "look.sps")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"LC_ALL": "C.UTF-8"})
    said = (tmp_path / "said.csv").read_text()
    assert done.returncode == 0, said
    assert "error" not in said.lower(), said
    for words in ("keus 98", "altijd", "omgekeerd gesteld, zoals beantwoord", "niet geanalyseerd", "9999"):
        assert words in said, words
    listed = list(csv.reader(said[said.index("Data List") :].splitlines()))
    of = dict(zip(listed[1], (cell.strip() for cell in listed[2]), strict=True))
    assert (of["hours"], of["people"], of["by_"], of["AA2"], of["with_"]) == ("7.50", "1000000", "3", "98", "99")
    assert of["set_aside"] == "99"
