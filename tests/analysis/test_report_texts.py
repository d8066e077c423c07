"""The words of the reports: one file per language to read through, short sentences, no statistics word unexplained.

`python -m tests.analysis.test_report_texts` writes report_texts/{en,nl}.txt anew; whoever changes a text reads the file.
"""

import re
from pathlib import Path

import pytest

from scripts.messages import read

FOLDER = Path(__file__).with_name("report_texts")
#: where readers' texts come from: what a team, a director or anybody with the study's report sees
SOURCES = (
    "analysis/reports/findings.py",
    "analysis/reports/pdf.py",
    "analysis/reports/questions.py",
    "analysis/forms/readers.py",
    "analysis/reports/reader_marks.py",
    "analysis/publication/mails.py",
    "analysis/reports/sentences.py",
    "analysis/views/readers/by_link.py",
    "analysis/views/readers/team.py",
    "analysis/reports/wording.py",
    "templates/analysis/link_ended.html",
    "templates/analysis/report",
    "templates/analysis/talk",
    "templates/analysis/team.html",
    "templates/analysis/wide_report.html",
    "templates/emails/analysis/",
)
MOST_WORDS, FEW_LONG = 24, 16
#: Words that teachers need no course for are not in it; these must not occur, whatever the sentence.
UNEXPLAINED = {
    "nl": r"significan|betrouwbaarheid|standaard(deviatie|afwijking)|interval|varian|correlat|percentiel|mediaan|"
    r"steekproef|p-waarde|alpha|respons|respondent|aggrega|spreiding|distributie|item\b|items\b|benchmark",
    "en": r"significan|confidence|standard (deviation|error)|interval|varian|correlat|percentile|median|sample|"
    r"p-value|alpha|respondent|aggregat|distribution|\bitems?\b|benchmark",
}
#: Words that are used, each with the sentence of the report that says what it means.
EXPLAINED = {
    "nl": {"score": "is het gemiddelde van de antwoorden", "midden van de schaal": "Het midden van de schaal is"},
    "en": {"score": "is the mean of the answers", "middle of the scale": "The middle of the scale is"},
}


def texts(language: str) -> list[str]:
    """The texts of the reports in a language, in the order of the catalogue."""
    found = []
    for message in read("nl"):
        if not message.id or not any(str(file).startswith(SOURCES) for file, _line in message.locations):
            continue
        said = message.id if language == "en" else message.string
        found += [said] if isinstance(said, str) else list(said)
    return sorted(found)


def sentences_of(text: str) -> list[list[str]]:
    # a name of a scale or question that is put in counts as one word
    plain = re.sub(r"“?%\(\w+\)s”?", "X", text)
    return [re.findall(r"[\w'-]+", part) for part in re.split(r"(?<=[.?!:;])\s", plain)]


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_file_to_read_through_holds_every_text(language: str):
    assert (FOLDER / f"{language}.txt").read_text().splitlines() == texts(language)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_sentences_are_short(language: str):
    sentences = [sentence for text in texts(language) for sentence in sentences_of(text)]
    assert len(sentences) > 100
    assert [" ".join(sentence) for sentence in sentences if len(sentence) > MOST_WORDS] == []
    assert sum(len(sentence) > FEW_LONG for sentence in sentences) <= len(sentences) / 10


@pytest.mark.parametrize("language", ["nl", "en"])
def test_no_statistics_word_without_explanation(language: str):
    said = [re.sub(r"%\(\w+\)s", "", text) for text in texts(language)]
    assert [text for text in said if re.search(UNEXPLAINED[language], text, re.IGNORECASE)] == []
    for word, explanation in EXPLAINED[language].items():
        assert any(word in text.lower() for text in said)
        assert any(explanation in text for text in said)


if __name__ == "__main__":
    for name in ("nl", "en"):
        (FOLDER / f"{name}.txt").write_text("\n".join(texts(name)) + "\n")
