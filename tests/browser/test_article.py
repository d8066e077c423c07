"""The article's path, walked through the pages by a researcher on the demo study's answers.

Six scales of the theory → IV set aside → IS and ER cannot be told apart → IS merged into ER → four factors hold → the final
scales are the article's Table 1, within 0.02. The study is made here and the answers come in by the import page, so that the
demo's own study stays as it is. Celery computes each run.
"""

import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Stack
from tests.browser.people import Person

ANSWERS = Path(__file__).resolve().parents[1] / "oracles" / "demo.csv"
#: Mean and SD of the final scales in the article.
TABLE_1 = {"GV": (2.58, 0.61), "OD": (2.71, 0.60), "CH": (2.89, 0.55), "ER": (2.29, 0.59)}


def number(text: str) -> float:
    match = re.search(r"-?\d+,\d+", text)
    assert match, text
    return float(match[0].replace(",", "."))


def wait_for_run(me: Person, study: str, before: int) -> None:
    """Until as many runs are done as there should be."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        me.page.goto(f"{study}/runs")
        states = [cell.inner_text().strip() for cell in me.page.locator("main tbody tr td:nth-child(3)").all()]
        assert not any("mislukt" in state for state in states), states
        if sum(state.startswith(("gereed", "klaar")) for state in states) > before and not any(
            "stap" in state or "wacht" in state for state in states
        ):
            return
        time.sleep(0.5)
    raise AssertionError(f"no run was done: {states}")


def test_the_articles_path(browser: Browser, stack: Stack, axe: Callable[[Page], None], tmp_path: Path) -> None:
    faults: list[str] = []
    me = Person(browser, stack, axe, faults)
    page = me.page
    me.sign_in_as_researcher()

    # a study, its questionnaire, and the demo's answers
    page.goto("/studies/new")
    me.fill(
        title=f"Het pad van het artikel {uuid.uuid4().hex[:6]}",
        starts_on="2026-09-01",
        ends_on="2027-06-30",
        contact_name="Roos de Wit",
        contact_email="roos@noord.example",
        k="5",
        grace_hours="0",
        controller="Hogeschool Noord",
        privacy_contact="Functionaris, privacy@noord.example",
    )
    me.press("form:has([name=title])")
    page.wait_for_url(lambda url: re.search(r"/studies/(?!new)[^/]+/", url) is not None)
    study = re.sub(r"(/studies/[^/]+).*", r"\1", page.url.removeprefix(stack.url))
    page.goto(f"{study}/questionnaire")
    page.locator("[name=version]").first.check()
    page.locator("[name=background]").first.check()
    me.press("form:has([name=version])")
    page.goto(f"{study}/import")
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(ANSWERS.read_text().replace(",4,", ",44,", 1))
    for file, button in ((wrong, "check"), (ANSWERS, "check"), (ANSWERS, "import")):
        page.locator("[name=file]").set_input_files(file)
        page.locator("[name=team_column]").fill("team")
        me.press(f"button[name={button}]")
        if button == "check":
            me.look()
            expect(page.locator("#report")).to_be_visible()
        if file == wrong:
            expect(page.locator("[aria-label='Cellen met fouten'] tbody tr")).to_have_count(1)
    wait_for_run(me, study, 0)

    # six factors of the theory; two of them cannot be told apart, and the page says so with the evidence
    me.look(f"{study}/results/models")
    warning = page.locator(".alert-warning").first
    expect(warning).to_contain_text("IS en ER zijn niet te onderscheiden")
    page.goto(f"{study}/results/models")
    warning.get_by_role("link").first.click()
    pair = page.locator("tr", has_text="IS–ER").first
    expect(pair).to_contain_text("niet van elkaar te onderscheiden")
    assert page.locator("img[src^='data:image/svg']").count() == 1
    me.look()

    # IV is set aside, then IS is merged into ER; each with its reason
    page.goto(f"{study}/decisions")
    form = "form:has([name=set_aside-subject])"
    page.locator("[name=set_aside-subject]").select_option("IV")
    page.locator("[name=set_aside-reason]").fill("Deze vragen gaan over de organisatie, niet over het team.")
    me.press(form)
    expect(page.locator("main")).to_contain_text("over de organisatie")
    wait_for_run(me, study, 1)
    page.goto(f"{study}/decisions")
    page.locator("[name=merge-subject]").select_option("IS")
    page.locator("[name=merge-target]").select_option("ER")
    page.locator("[name=merge-reason]").fill("Wie informatie opslaat, evalueert: de vragen gaan over hetzelfde.")
    me.press("form:has([name=merge-subject])")
    wait_for_run(me, study, 2)

    # the model of four factors holds, and fits no worse than five
    me.look(f"{study}/results/models")
    final = page.locator("tr", has=page.get_by_role("link", name=re.compile("^Definitieve schalen"))).filter(
        has_text="MLR"
    )
    cells = final.first.locator("td").all_inner_texts()
    assert cells[0] == "MLR"
    cfi, tli, rmsea, srmr = (number(cell) for cell in cells[4:8])
    assert min(cfi, tli) > 0.95
    assert rmsea < 0.06
    assert srmr < 0.08
    test = page.locator("[aria-label='Verschiltoetsen'] tbody tr").first
    assert number(test.locator("td").nth(4).inner_text()) > 0.05

    # the final scales are the article's Table 1
    me.look(f"{study}/results")
    table = page.locator("[aria-label='Schalen over alle respondenten'] tbody tr")
    assert table.count() == len(TABLE_1)
    for code, (mean, sd) in TABLE_1.items():
        row = table.filter(has=page.locator("th span", has_text=re.compile(rf"^{code} ")))
        figures = row.locator("td").all_inner_texts()
        assert abs(number(figures[0]) - mean) <= 0.02, (code, figures)
        assert abs(number(figures[3]) - sd) <= 0.02, (code, figures)
    for name in ("teams", "groups", "nonresponse", "items", "screening", "cases"):
        me.look(f"{study}/results/{name}")
    expect(page.locator("main")).to_contain_text("geen ranglijst")

    # what is known of the population; the answers that were imported hold none to this question
    page.goto(f"{study}/results/nonresponse")
    me.follow("main a[href*='/population/']")
    for place, field in enumerate(page.locator("[name^=count_]").all()):
        field.fill(str(10 + place))
    me.fill(source="Personeelsgegevens, 1 oktober 2026")
    me.look()
    me.press("form:has([name=source])")
    expect(page.locator("section[aria-labelledby=background]")).to_contain_text("Niemand beantwoordde deze vraag")
    me.leave()
    assert not faults, "\n".join(faults)
