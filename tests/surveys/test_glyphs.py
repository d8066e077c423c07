"""Every word that people type can be printed, and who freezes a text is told what is replaced."""

import io
from html import escape

import pikepdf
import pytest
from django.utils.translation import override

from surveys import typesetting
from surveys.questionnaires.checking import checked
from surveys.questionnaires.definition import QuestionnaireError
from surveys.questionnaires.publishing import read_yaml
from surveys.typesetting import typeset
from teams.text.glyphs import BOX, covered, in_words, on_paper, replaced
from tests.nasty import NASTY, NUL

TEMPLATE = """
#let data = json(bytes(sys.inputs.data))
#set document(title: data.title, author: "Test")
#set text(font: ("Source Sans 3", "DejaVu Sans"), lang: "nl")
#heading(level: 1, data.title)
#for words in data.texts [#par(words) #text(weight: 600, words)]
#image(bytes(data.svg), format: "svg", alt: "picture")
"""


def test_a_long_word_breaks_on_paper(tmp_path):
    template = tmp_path / "long.typ"
    template.write_text(
        '#set document(title: "x")\n#set page(width: 200pt, height: auto, margin: 5pt)\n'
        '#set text(font: "Source Sans 3", size: 11pt)\n#json(bytes(sys.inputs.of)).word'
    )
    word = "w" * 200
    with pikepdf.open(io.BytesIO(typesetting.typeset(template, "of", {"word": word}))) as pdf:
        height = float(pdf.pages[0].mediabox[3])
    assert height > 8 * 11, "one line only: the word runs off the page"
    assert typesetting.breakable("Arbeidsongeschiktheid " + word).replace("\u200b", "").endswith(word)
    for kept in ("Arbeidsongeschiktheidsverzekering"[:29], "https://site.example/" + "x" * 20, "de\u0301" * 20):
        assert typesetting.breakable(kept) == kept


def test_what_is_wrong_in_a_file_can_be_shown_also_where_it_spells_half_a_sign():
    with pytest.raises(QuestionnaireError) as refused:
        checked(read_yaml('{"\\ud800": 1, "code": "a"}'))
    str(refused.value).encode()


@pytest.mark.parametrize("text", [*NASTY.values(), NUL, "a\ud800b"], ids=[*NASTY, "NUL", "half a sign"])
def test_every_text_can_be_set_as_heading_paragraph_and_picture(text, tmp_path):
    template = tmp_path / "test.typ"
    template.write_text(TEMPLATE)
    words = escape(on_paper(text))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="20"><text y="15">{words}</text></svg>'
    assert typeset(template, "data", {"title": text, "texts": [text], "svg": svg}).startswith(b"%PDF")


def test_the_fonts_have_what_dutch_names_and_arabic_ones_need():
    assert all(ord(sign) in covered() for sign in "éëïĳőžŁşğ’„”–…€αωχ²≥فريقצוות" + BOX)


def test_what_no_font_has_becomes_a_box_and_one_sign_one_box():
    assert on_paper("漢字 ok") == f"{BOX}{BOX} ok"
    assert on_paper("Familie 👩\u200d👩\u200d👧!") == f"Familie {BOX}!"
    assert on_paper("1\ufe0f\u20e3") in ("1", "1\u20e3")
    assert on_paper("\ufeffCafe\u0301\x07") == "Café"
    assert on_paper("Gewoon Nederlands, é en ë.") == "Gewoon Nederlands, é en ë."


def test_what_is_replaced_is_named_and_nothing_is_where_all_can_be_printed():
    assert replaced(["漢字漢", "é", "\ufeff"]) == ["漢", "字"]
    with override("nl"):
        assert in_words(["Team 漢"]).endswith(": 漢")
        assert in_words(["Team é", "\ufeffx", "فريق"]) == ""
    with override("en"):
        assert in_words([chr(0x4E00 + n) for n in range(40)]).endswith(" …")
