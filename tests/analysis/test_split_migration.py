"""Rows as they stood before there were research groups, through the migrations: each group has its own, nothing is lost."""

from datetime import date

import pytest

from teams.mail import refusals
from tests.migrating import leaves, rows_in, tables, tables_of

pytestmark = pytest.mark.django_db(transaction=True)
SPLIT = ("analysis", "0014_split_by_research_group")
BEFORE = [
    ("analysis", "0013_report_file_basis"),
    ("surveys", "0012_who_counts_does_not_read"),
    ("teams", "0015_one_leader_per_wave"),
]


@pytest.fixture(scope="module")
def as_they_were(django_db_setup, django_db_blocker):
    with tables_of(BEFORE, django_db_blocker):
        yield


@pytest.fixture
def before(as_they_were, transactional_db):
    """The tables as they were."""
    with rows_in(BEFORE) as apps:
        yield apps


def after(targets=(SPLIT,)):
    """The tables after the split."""
    return tables(list(targets))


class World:
    def __init__(self, apps):
        self.get = apps.get_model
        self.users = {}

    def make(self, name, app="teams", /, **fields):
        return self.get(app, name).objects.create(**fields)

    def user(self, name):
        if name not in self.users:
            self.users[name] = self.make("User", email=f"{name}@x.example", name=name)
        return self.users[name]

    def study(self, slug, *researchers, year=2026, previous=None):
        study = self.make(
            "Study",
            slug=slug,
            title=f"Title {slug}",
            starts_on=date(year, 1, 1),
            ends_on=date(year, 12, 31),
            previous=previous,
        )
        for name in researchers:
            self.make("Role", user=self.user(name), study=study, kind="researcher")
        return study

    def academy(self, institution, name="Zorg"):
        return self.make(
            "Academy",
            institution=institution,
            name=name,
            sector="health",
            director_name="D",
            director_email="D@x.example",
        )

    def team(self, academy, name):
        return self.make("Team", academy=academy, name=name, leader_name="Last", leader_email="last@x.example")

    def wave(self, study, team, leader):
        self.make("Invitation", study=study, academy=team.academy, nonce="n") if not self.get(
            "teams", "Invitation"
        ).objects.filter(study=study, academy=team.academy).exists() else None
        user = self.user(leader)
        wave = self.make(
            "Participation",
            study=study,
            team=team,
            state="accepted",
            mode="online",
            approached=9,
            leader_name=leader,
            leader_email=user.email,
        )
        self.make("Invitation", study=study, participation=wave, nonce="n")
        self.make("Role", user=user, participation=wave, kind="leader")
        return wave


def test_rows_of_several_groups_are_copied_and_what_is_said_of_them_moves(before):
    world = World(before)
    first = world.study("first", "alice", year=2024)
    second = world.study("second", "anne", year=2025, previous=first)  # a series of waves
    beside = world.study("beside", "anne", "adam")  # a common researcher
    other = world.study("other", "bob")
    school = world.make("Institution", name="Noord")
    zorg = world.academy(school)
    nursing, physio = world.team(zorg, "Nursing"), world.team(zorg, "Physio")
    waves = {
        study.slug: world.wave(study, nursing, leader)
        for study, leader in ((first, "carol"), (second, "carol"), (beside, "cas"), (other, "mallory"))
    }
    alone = world.wave(other, physio, "mallory")  # of one group only
    unit = world.make("Unit", "analysis", study=other, academy=zorg, name="Together")
    link = world.make("ReportLink", "analysis", study=other, academy=zorg, nonce="n", expires_on=date(2027, 1, 1))
    event = world.make("Event", study=other, academy=zorg, kind="academy_listed")
    world.make("MailDomain", institution=school, domain="x.example")
    idle = world.make("Institution", name="Nobody's")
    asked = world.get("teams", "Invitation").objects.get(study=other, academy=zorg)
    asked.no_reminders = True
    asked.save()

    now = after(leaves()).get_model  # and through all migrations since
    study = {row.slug: row for row in now("teams", "Study").objects.all()}
    assert study["first"].group == study["second"].group == study["beside"].group
    assert study["other"].group != study["first"].group
    members = now("teams", "Membership").objects.values_list("group", "user__name")
    assert {name for group, name in members if group == study["first"].group_id} == {"alice", "anne", "adam"}
    assert {name for group, name in members if group == study["other"].group_id} == {"bob"}

    def team_of(wave):
        return now("teams", "Participation").objects.select_related("team__academy__institution").get(pk=wave.pk).team

    assert team_of(waves["first"]).pk == team_of(waves["second"]).pk == team_of(waves["beside"]).pk == nursing.pk
    copy = team_of(waves["other"])
    assert copy.pk != nursing.pk
    assert (copy.name, copy.leader_email) == ("Nursing", "mallory@x.example")
    assert team_of(waves["first"]).leader_email == "cas@x.example"  # of its own group's newest wave
    assert team_of(alone).pk == physio.pk
    theirs = copy.academy
    assert team_of(alone).academy_id == theirs.pk
    assert theirs.institution.group == study["other"].group
    assert theirs.institution.name == "Noord"
    assert team_of(waves["first"]).academy.institution.group == study["first"].group
    for app, name, row in (("analysis", "Unit", unit), ("analysis", "ReportLink", link), ("teams", "Event", event)):
        assert now(app, name).objects.get(pk=row.pk).academy_id == theirs.pk
    for slug in ("first", "other"):
        asked = now("teams", "Invitation").objects.get(study__slug=slug, academy__isnull=False).academy
        assert asked.institution.group == study[slug].group
    roles = now("teams", "Role").objects.filter(kind="leader").values_list("participation__study__slug", "user__name")
    assert sorted(roles) == sorted(
        [("first", "carol"), ("second", "carol"), ("beside", "cas"), ("other", "mallory"), ("other", "mallory")]
    )
    assert set(now("teams", "MailDomain").objects.values_list("institution__group", flat=True)) == {
        study["first"].group_id,
        study["other"].group_id,
    }
    left = now("teams", "Institution").objects.get(pk=idle.pk).group
    assert left.pk not in (study["first"].group_id, study["other"].group_id)
    assert not left.memberships.exists()
    assert now("teams", "Refusal").objects.count() == 1
    assert refusals.wants_none("D@x.example")


def test_results_and_reports_name_the_copies(before):
    world = World(before)
    own, other = world.study("mine", "alice"), world.study("other", "bob")
    school = world.make("Institution", name="Noord")
    zorg = world.academy(school)
    for study, leader in ((own, "carol"), (other, "mallory")):
        world.wave(study, world.team(zorg, f"Team {study.slug}"), leader)
    version = _version(world, "asked")
    runs = {}
    for study in (own, other):
        survey = world.make("Survey", "surveys", study=study, version=version)
        plan = world.make("AnalysisPlan", "analysis", study=study, content={}, content_hash="h")
        run = world.make("AnalysisRun", "analysis", survey=survey, plan=plan, n_seals=0, state="done", fingerprint="f")
        runs[study.slug] = run
        for name, row in (("institution", school), ("academy", zorg)):
            content = {"groups": [{"group": str(row.pk), "n": 3}]}
            world.make("ResultTable", "analysis", run=run, kind="nonresponse", name=name, content=content)
        publication = world.make("Publication", "analysis", study=study, run=run)
        world.make("ReportFile", "analysis", publication=publication, reader=f"academy:{zorg.pk}", language="nl")

    now = after().get_model
    for study, kept in ((own, True), (other, False)):
        academy = now("teams", "Invitation").objects.get(study=study.pk, academy__isnull=False).academy
        assert (academy.pk == zorg.pk) == kept
        tables = now("analysis", "ResultTable").objects.filter(run=runs[study.slug].pk)
        shown = {table.name: table.content["groups"][0] for table in tables}
        assert shown["academy"] == {"group": str(academy.pk), "n": 3}
        assert shown["institution"] == {"group": str(academy.institution_id), "n": 3}
        file = now("analysis", "ReportFile").objects.get(publication__study=study.pk)
        assert file.reader == f"academy:{academy.pk}"


def _version(world, code, number=1, by=None, questionnaire=None):
    content = {"code": code, "title": {"nl": f"{code} {number}"}}
    questionnaire = questionnaire or world.make(
        "Questionnaire", "surveys", code=code, title=content["title"], draft={"draft": "of the first"}, edit=4
    )
    return world.make(
        "QuestionnaireVersion",
        "surveys",
        questionnaire=questionnaire,
        number=number,
        content=content,
        content_hash=f"{code}-{number}",
        note="why",
        created_by=by,
    )


def test_a_questionnaire_of_two_groups_is_copied_with_the_versions_they_use(before):
    world = World(before)
    own, other = world.study("mine", "alice"), world.study("other", "bob")
    first = _version(world, "asked", by=world.user("alice"))
    second = _version(world, "asked", 2, world.user("alice"), first.questionnaire)
    world.make("Survey", "surveys", study=own, version=first)
    world.make("Survey", "surveys", study=other, version=second)
    made_by_bob = _version(world, "bobs", by=world.user("bob"))
    unused = _version(world, "unused")
    only_draft = world.make("Questionnaire", "surveys", code="draft", title={}, draft={}, edit=1)

    now = after().get_model
    group = {row.slug: row.group_id for row in now("teams", "Study").objects.all()}
    asked = {row.study.slug: row.version for row in now("surveys", "Survey").objects.select_related("study")}
    assert asked["mine"].pk == first.pk
    assert asked["mine"].questionnaire.group_id == group["mine"]
    assert asked["mine"].questionnaire.draft == {"draft": "of the first"}
    copy = asked["other"]
    assert (copy.number, copy.content, copy.content_hash) == (2, second.content, second.content_hash)
    assert (copy.note, copy.created_by) == ("", None)  # the words and the name of another group's researcher
    assert copy.created_at == now("surveys", "QuestionnaireVersion").objects.get(pk=second.pk).created_at
    assert copy.questionnaire.group_id == group["other"]
    assert copy.questionnaire.draft == second.content
    assert copy.questionnaire.versions.count() == 1
    rows = {row.pk: row for row in now("surveys", "Questionnaire").objects.all()}
    assert rows[made_by_bob.questionnaire_id].group_id == group["other"]
    assert rows[unused.questionnaire_id].group_id not in group.values()
    assert rows[unused.questionnaire_id].offered  # everybody could choose it, and can still copy it
    assert not rows[only_draft.pk].offered


def test_one_group_keeps_everything_and_nothing_is_offered(before):
    world = World(before)
    world.study("only", "alice")
    school = world.make("Institution", name="Unused")
    version = _version(world, "unused")
    now = after().get_model
    (group,) = now("teams", "ResearchGroup").objects.all()
    assert now("teams", "Institution").objects.get(pk=school.pk).group == group
    questionnaire = now("surveys", "Questionnaire").objects.get(pk=version.questionnaire_id)
    assert (questionnaire.group, questionnaire.offered) == (group, False)
