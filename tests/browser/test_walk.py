"""The whole walk in a real browser against the running product: from a new study to the leader's report.

One study, made here. A researcher sets it up, a director and two leaders accept and another director declines, teachers
answer in a meeting and by personal links, answers are sealed, Celery analyses, the researcher publishes, the leader reads.
"""

import csv
import io
import re
import time
import uuid
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Stack
from tests.browser.people import Axe, Person, answer_quietly, read_file

N_MEETING, N_ONLINE = 6, 5
CSV_HEADER = "institution,academy,sector,director,director e-mail,team,form,team leader,team leader e-mail"


class Walk:
    def __init__(self, browser: Browser, stack: Stack, axe: Axe) -> None:
        self.browser, self.stack, self.axe = browser, stack, axe
        mark = uuid.uuid4().hex[:6]
        self.title = f"Leren van elkaar {mark}"
        self.director = f"dirk.{mark}@noord.example"
        self.unwilling = f"wil.{mark}@noord.example"
        self.leader = f"lena.{mark}@noord.example"
        self.online_leader = f"lars.{mark}@noord.example"
        self.contact = f"cor.{mark}@noord.example"
        self.teachers = [f"docent{n}.{mark}@noord.example" for n in range(1, N_ONLINE + 1)]
        self.mark = mark
        self.slug = ""
        self.faults: list[str] = []
        self.researcher = self.person()

    def person(self, size: str = "desk", **options: object) -> Person:
        return Person(self.browser, self.stack, self.axe, self.faults, size, **options)

    @property
    def study(self) -> str:
        return f"/studies/{self.slug}"

    # ---------------------------------------------------------------------------------------- 1. set up
    def make_the_study(self) -> None:
        me = self.researcher
        me.sign_in_as_researcher()
        me.look("/studies/")
        me.look("/studies/new")
        me.press("form:has([name=title])")  # empty: the page says what is missing
        expect(me.page.locator("[name=title][aria-invalid=true]")).to_be_visible()
        me.look()
        me.fill(
            title=self.title,
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
        me.page.wait_for_url(lambda url: re.search(r"/studies/(?!new)[^/]+/", url) is not None)
        match = re.search(r"/studies/([^/]+)/", me.page.url)
        assert match
        self.slug = match[1]
        me.look(f"{self.study}/")

    def choose_the_questionnaire(self) -> None:
        me = self.researcher
        me.look(f"{self.study}/questionnaire")
        me.page.locator("[name=version]").first.check()
        me.press("form:has([name=version])")
        me.look(f"{self.study}/settings")
        me.look(f"{self.study}/history")

    def list_academies_and_teams(self, folder: Path) -> None:
        me = self.researcher
        me.look(f"{self.study}/teams/")
        me.look(f"{self.study}/academies/new")
        me.fill(
            institution=f"Hogeschool Noord {self.mark}",
            name="Academie voor Zorg",
            sector="health",
            director_name="Dirk Jansen",
            director_email=self.director,
        )
        me.press("form:has([name=director_email])")
        me.look(f"{self.study}/teams/new")
        academy = me.page.locator("[name=academy] option", has_text="Zorg").first.get_attribute("value")
        assert academy
        me.fill(academy=academy, name="Verpleegkunde", form="full_time", leader_name="Lena Bos")
        me.fill(leader_email=self.leader)
        me.press("form:has([name=leader_email])")

        file = folder / "teams.csv"
        institution = f"Hogeschool Noord {self.mark}"
        rows = [
            f"{institution},Academie voor Zorg,health,Dirk Jansen,{self.director},Fysiotherapie,full_time,Lars Smit,{self.online_leader}",
            f"{institution},Academie voor Economie,economics,Wil Vos,{self.unwilling},Marketing,full_time,Mark Lak,mark.{self.mark}@noord.example",
        ]
        file.write_text("\n".join([CSV_HEADER, *rows]))
        me.look(f"{self.study}/teams/import")
        me.page.locator("[type=file]").set_input_files(file)
        me.press("form:has([type=file])")  # a dry run: it shows what would be done
        expect(me.page.locator("main")).to_contain_text("Fysiotherapie")
        me.look()
        assert "Fysiotherapie" not in me.context.request.get(f"{self.study}/teams/").text(), "a dry run writes nothing"
        me.press("button[name=apply]")
        me.look(f"{self.study}/teams/")
        expect(me.page.locator("main")).to_contain_text("Fysiotherapie")
        expect(me.page.locator("main")).to_contain_text("Marketing")

    def open_the_survey(self) -> None:
        me = self.researcher
        me.look(f"{self.study}/plan")
        me.press("form[action$='/open']")
        expect(me.page.locator("form[action$='/open']")).to_have_count(0)
        me.look()

    # ---------------------------------------------------------------------------------------- 2. invite and accept
    def invite(self) -> None:
        me = self.researcher
        me.page.goto(f"{self.study}/teams/")
        me.press("form[action$='/invite']")
        director, unwilling = self.person(), self.person()
        director.page.goto(self.stack.link(self.director, "/i/"))
        assert "/i/" in director.page.url
        assert self.stack.link(self.director, "/i/").rsplit("/", 1)[1] not in director.page.url, (
            "the token left the address"
        )
        assert not self.stack.mails(self.leader), "no leader is mailed before the director gave permission"
        director.look()
        director.page.locator("[name=undertaking]").check()
        director.press("form:has([name=undertaking])")
        director.look()
        director.leave()

        unwilling.page.goto(self.stack.link(self.unwilling, "/i/"))
        decline = unwilling.page.locator("details:has([name='decline-reason'])")
        if decline.count() and not decline.first.get_attribute("open"):
            decline.first.locator("summary").click()
        unwilling.page.locator("[name='decline-reason']").select_option("reorganisation")
        unwilling.page.locator("[name='decline-text']").fill("We voegen twee academies samen.")
        unwilling.press("button[name=decline]")
        unwilling.look()
        unwilling.leave()

        for email, mode in ((self.leader, "contact"), (self.online_leader, "online")):
            leader = self.person("phone")
            leader.page.goto(self.stack.link(email, "/i/"))
            leader.look()
            leader.fill(mode=mode, approached=str(N_MEETING if mode == "contact" else N_ONLINE))
            if mode == "contact":
                leader.fill(contact_name="Cor Bakker", contact_email=self.contact)
            leader.page.locator("[name=undertaking]").check()
            leader.press("form:has([name=mode])")
            expect(leader.page.locator("[name=mode]")).to_have_count(0)
            leader.look()
            leader.leave()
        me.look(f"{self.study}/teams/")
        expect(me.page.locator("main")).to_contain_text("We voegen twee academies samen.")

    # ---------------------------------------------------------------------------------------- 3. the meeting
    def meet(self) -> None:
        me = self.researcher
        me.look(f"{self.study}/collecting/")
        me.follow("main a:has-text('Verpleegkunde')")
        me.look()
        me.press("form[action$='/facilitator']")
        facilitator = self.person()
        facilitator.page.goto(self.stack.link(self.contact, "/f/"))
        facilitator.look()
        facilitator.page.locator("[name=present]").fill(str(N_MEETING))
        facilitator.press("form[action$='/present']")
        shown = facilitator.page.locator("p.code").first.inner_text().strip()
        code = re.sub(r"\s", "", shown)
        assert re.fullmatch(r"[A-Z0-9]{6}", code)
        counts = facilitator.page.locator("#counts")
        before = counts.inner_text()

        teacher = self.person("phone")
        teacher.page.goto("/a/")
        teacher.page.locator("[name=code]").fill(shown.lower())
        teacher.press("form:has([name=code])")
        teacher.page.wait_for_url(f"**/a/{code}")
        teacher.look()
        teacher.begin(f"/a/{code}")
        expect(counts).not_to_have_text(before)  # it moved by itself: nobody loaded the page again
        begun = counts.inner_text()
        teacher.answer(3, each=teacher.look)
        teacher.look()
        expect(counts).not_to_have_text(begun)
        teacher.leave()
        for n in range(1, N_MEETING):
            answer_quietly(self.browser, self.stack, f"/a/{code}", 2 + n % 2)

        projector = facilitator.page.locator("a[href$='/projector']").get_attribute("href")
        facilitator.look(projector or "")
        facilitator.page.go_back()
        facilitator.press("form[action$='/close']")
        expect(facilitator.page.locator("form[action$='/close']")).to_have_count(0)
        facilitator.look()
        facilitator.leave()
        late = self.person("phone")
        answer = late.page.goto(f"/a/{code}")
        assert answer is not None
        assert answer.status == 404, "a closed meeting's code opens nothing"
        late.look()
        late.leave()

    # ---------------------------------------------------------------------------------------- 4. personal links
    def answer_by_link(self) -> None:
        leader = self.person()
        leader.sign_in_by_code(self.online_leader)
        leader.page.wait_for_url("**/team/*/")
        leader.look()
        leader.fill(addresses="\n".join(self.teachers))
        leader.press("form[action$='/links']")
        leader.look()  # the addresses, before anything is sent
        leader.page.locator("button[name='send']").click()
        leader.page.wait_for_url("**/team/*/")
        leader.look()
        leader.leave()

        first, *others = [self.stack.link(email, "/a/l/") for email in self.teachers]
        teacher = self.person("phone", java_script_enabled=False)  # the questionnaire works without scripts
        teacher.begin(first)
        teacher.answer_without_script(4)
        teacher.page.goto(first)  # the link a second time: the same answers, not new ones
        teacher.leave()
        for link in others:
            answer_quietly(self.browser, self.stack, link, 3)
        me = self.researcher
        me.page.goto(f"{self.study}/collecting/")
        me.follow("main a:has-text('Fysiotherapie')")
        assert me.page.locator(".figures").inner_text().split().count(str(N_ONLINE)) >= 3  # asked, begun, handed in
        me.press("form[action$='/close']")
        expect(me.page.locator("form[action$='/close']")).to_have_count(0)

    # ---------------------------------------------------------------------------------------- 5. analysis
    def analyse(self) -> None:
        me = self.researcher
        expected = str(N_MEETING + N_ONLINE)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            me.page.goto(f"{self.study}/runs")
            newest = me.page.locator("tbody tr").first
            if newest.count() and newest.locator("td.number").first.inner_text().strip() == expected:
                break
            time.sleep(1)
        expect(me.page.locator("tbody tr").first.locator("td.number").first).to_have_text(expected)
        me.look()
        me.follow("tbody tr a")
        me.look()
        for path in ("results", "results?scales=theoretical", "results/nonresponse", "decisions", "export/texts"):
            me.look(f"{self.study}/{path}")
        me.look(f"{self.study}/publish")
        me.press("main form:not([action]) button[type=submit]")
        expect(me.page.locator(".alert-success")).to_be_visible(
            timeout=60_000
        )  # a worker publishes: the page asks itself
        me.look()
        me.look(f"{self.study}/publish/study")

    # ---------------------------------------------------------------------------------------- 6. the report
    def read_the_report(self) -> None:
        leader = self.person("phone")
        leader.sign_in_by_code(self.leader)
        leader.look()
        leader.follow("a[href$='/report']")
        leader.look()
        expect(leader.page.locator("main h2, main h3").filter(has_text="Gedeelde visie").first).to_be_visible()
        pdf = leader.page.locator("#pdf a")  # made by the worker: the page asks until it is there
        expect(pdf).to_be_visible(timeout=60_000)
        file = leader.context.request.get(pdf.get_attribute("href"))
        assert file.ok
        assert file.body().startswith(b"%PDF-")
        self.talk_about_it(leader)
        leader.follow("form.language button")
        expect(leader.page.locator("html")).to_have_attribute("lang", "en")
        leader.look()
        expect(leader.page.locator("main h2, main h3").filter(has_text="Shared vision").first).to_be_visible()
        leader.leave()

    def talk_about_it(self, leader: Person) -> None:
        """The talk by the arrow keys, what the team wants to reach, and a link for the team that is ended again."""
        report = leader.page.url
        leader.follow("a[href$='/talk']")
        leader.look()
        leader.page.keyboard.press("ArrowRight")
        subject = leader.page.locator("[data-screen]").nth(1)
        subject.locator("details.goal summary").click()
        subject.locator("[name=target]").fill("3.5")
        subject.locator("[name=next_steps]").fill("Elke maand een les van een ander bekijken.")
        subject.locator("form [type=submit]").click()
        expect(subject.locator("[data-state]")).to_have_attribute("data-state", "saved")
        leader.look()
        leader.page.locator("h1").click()
        leader.page.keyboard.press("ArrowLeft")
        expect(leader.page.locator("[data-screen]").first).to_be_visible()
        leader.page.goto(report.removesuffix("report"))
        leader.press("form[action$='/share']")
        leader.look()
        address = leader.page.locator(".share-address").inner_text()
        colleague = self.person("phone")
        colleague.look(address.removeprefix(self.stack.url))
        colleague.follow("a[href$='/talk']")
        colleague.page.goto(colleague.page.url + "?n=1")
        colleague.look()
        expect(colleague.page.locator(".goal").first).to_contain_text("een les van een ander")
        assert colleague.page.locator("form").count() == 0
        leader.press("form[action$='/revoke']")
        gone = colleague.page.reload()
        assert gone is not None
        assert gone.status == 404
        colleague.leave()
        leader.page.goto(report)

    # ---------------------------------------------------------------------------------------- 7. downloads
    def download(self, folder: Path) -> None:
        me = self.researcher
        me.look(f"{self.study}/")
        me.look(f"{self.study}/settings/employment")
        me.page.locator("main [name=none]").check()
        me.press("form:has([name=none])")
        me.look(f"{self.study}/export/")
        me.fill(purpose="Nagaan of de schalen hier ook werken.")
        me.press("form:has([name=purpose])")
        me.look()
        rows = list(csv.DictReader(io.StringIO(read_file(me.page, "/csv", folder))))
        assert len(rows) == N_MEETING + N_ONLINE
        columns = set(rows[0])
        assert {"GV1", "ER6"} <= columns
        assert not {"email", "name", "years_in_team"} & columns, "no names, and no background that was not asked for"
        assert "@" not in str(rows)
        assert "Verpleegkunde" not in str(rows), "a random code stands for the team"
        results = read_file(me.page, "/export/results.csv", folder)
        assert "GV" in results
        assert "GV1" in read_file(me.page, "/export/codebook.csv", folder)


def test_from_a_new_study_to_the_report(browser: Browser, stack: Stack, axe: Axe, tmp_path: Path) -> None:
    walk = Walk(browser, stack, axe)
    walk.make_the_study()
    walk.choose_the_questionnaire()
    walk.list_academies_and_teams(tmp_path)
    walk.open_the_survey()
    walk.invite()
    walk.meet()
    walk.answer_by_link()
    walk.analyse()
    walk.read_the_report()
    walk.download(tmp_path)
    walk.researcher.leave()
    assert not walk.faults, "\n\n".join(walk.faults)
