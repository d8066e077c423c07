"""What there is gets research groups, and what several groups used is copied for each.

Studies belong together by a common researcher or by a series of waves. The group of the oldest study that uses a row keeps
it; every other group gets a copy, and what its studies say about the row then says it about the copy. It stands in this
app, because results and reports name academies and institutions too.
"""

from collections import defaultdict

from django.db import migrations

NAME_AN_ACADEMY = ("Invitation", "Event", "FormerContact", "Unit", "ReportLink")
LEFT_OVER = "Not used by any study"


class _Together:
    """Which studies belong together."""

    def __init__(self, studies):
        self.parent = {pk: pk for pk in studies}

    def root(self, pk):
        while self.parent[pk] != pk:
            pk = self.parent[pk]
        return pk

    def join(self, one, other):
        first, second = sorted((self.root(one), self.root(other)))
        self.parent[second] = first  # the oldest study stands for all


class Split:
    def __init__(self, apps):
        self.model = {
            name: apps.get_model(app, name)
            for app, names in {
                "teams": "User ResearchGroup Membership Refusal Study Role Institution Academy Team Participation Invitation Event MailDomain FormerContact",
                "surveys": "Survey Questionnaire Invitee",
                "analysis": "AnalysisRun ReportFile ReportLink ResultTable Unit",
            }.items()
            for name in names.split()
        }
        self.group_of = {}  # study → group
        self.names = set()

    def rows(self, name):
        return self.model[name]._base_manager.all()

    # -------------------------------------------------------------------------------------------- groups and members
    def make_groups(self):
        studies = list(self.rows("Study").order_by("pk"))
        together = _Together(study.pk for study in studies)
        for study in studies:
            if study.previous_id:
                together.join(study.pk, study.previous_id)
        worked = defaultdict(list)
        roles = list(self.rows("Role").filter(kind="researcher").values_list("user_id", "study_id"))
        for user, study in roles:
            worked[user].append(study)
        for mine in worked.values():
            for study in mine[1:]:
                together.join(mine[0], study)
        groups = {}
        for study in studies:
            root = together.root(study.pk)
            if root not in groups:
                groups[root] = self.new_group(study.title)
            self.group_of[study.pk] = groups[root]
            self.rows("Study").filter(pk=study.pk).update(group=groups[root])
        self.model["Membership"].objects.bulk_create(
            self.model["Membership"](user_id=user, group_id=group)
            for user, group in sorted({(user, self.group_of[study]) for user, study in roles})
        )

    def new_group(self, title):
        name, number = title[:150], 1
        while name.lower() in self.names:
            number += 1
            name = f"{title[:150]} ({number})"
        self.names.add(name.lower())
        return self.model["ResearchGroup"].objects.create(name=name).pk

    def left_over(self):
        """The group of rows that no study uses: the only one there is, else one without members."""
        groups = list(self.rows("ResearchGroup").order_by("pk").values_list("pk", flat=True)[:2])
        if len(groups) == 1:
            return groups[0]
        self._left_over = getattr(self, "_left_over", None) or self.new_group(LEFT_OVER)
        return self._left_over

    # -------------------------------------------------------------------------------------------- who is asked
    def split_people(self):
        """Institutions, academies and teams, for each group its own."""
        teams_of, academies_of, schools_of = defaultdict(set), defaultdict(set), defaultdict(set)
        for team, study in self.rows("Participation").values_list("team_id", "study_id"):
            teams_of[team].add(self.group_of[study])
        academy_of = dict(self.rows("Team").values_list("pk", "academy_id"))
        for team, groups in teams_of.items():
            academies_of[academy_of[team]] |= groups
        for name in NAME_AN_ACADEMY:
            named = self.rows(name).filter(academy__isnull=False).values_list("academy_id", "study_id")
            for academy, study in named.order_by().distinct():
                academies_of[academy].add(self.group_of[study])
        school_of = dict(self.rows("Academy").values_list("pk", "institution_id"))
        for academy, groups in academies_of.items():
            schools_of[school_of[academy]] |= groups

        schools = {}  # (row, group) → the row of this group
        for school in self.rows("Institution").order_by("pk"):
            schools |= self.share("Institution", school, schools_of[school.pk], lambda group: {"group_id": group})
            if not schools_of[school.pk]:
                self.rows("Institution").filter(pk=school.pk).update(group=self.left_over())
        academies = {}
        for academy in self.rows("Academy").order_by("pk"):
            above = academy.institution_id
            academies |= self.share(
                "Academy", academy, academies_of[academy.pk], lambda group: {"institution_id": schools[above, group]}
            )
        teams = {}
        for team in self.rows("Team").order_by("pk"):
            above = team.academy_id
            teams |= self.share(
                "Team", team, teams_of[team.pk], lambda group: {"academy_id": academies[above, group]}
            )
        self.point_to("Participation", "team", teams)
        for name in NAME_AN_ACADEMY:
            self.point_to(name, "academy", academies)
        self.share_domains(schools)
        self.remember_leaders(teams)
        self.rename_results(schools, academies)

    def share(self, name, row, groups, above):
        """Give every group a row of its own: the first one keeps this one. ``above`` says what a group's row hangs on."""
        shared = {}
        for number, group in enumerate(sorted(groups)):
            if number == 0:
                if any(getattr(row, field) != value for field, value in above(group).items()):
                    self.rows(name).filter(pk=row.pk).update(**above(group))
                shared[row.pk, group] = row.pk
                continue
            fields = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if not f.primary_key}
            shared[row.pk, group] = self.model[name].objects.create(**fields | above(group)).pk
        return shared

    def point_to(self, name, field, shared):
        for (old, group), new in shared.items():
            if old != new:
                self.rows(name).filter(**{field: old, "study__group": group}).update(**{field: new})

    def share_domains(self, schools):
        """A copy of an institution knows the mail domains of its own directors and leaders."""
        for (old, _group), new in schools.items():
            if old == new:
                continue
            people = [
                *self.rows("Academy").filter(institution=new).values_list("director_email", flat=True),
                *self.rows("Team").filter(academy__institution=new).values_list("leader_email", flat=True),
            ]
            mine = {address.rpartition("@")[2].lower() for address in people}
            self.model["MailDomain"].objects.bulk_create(
                self.model["MailDomain"](institution_id=new, domain=one.domain, used=one.used)
                for one in self.rows("MailDomain").filter(institution=old, domain__in=mine)
            )

    def remember_leaders(self, teams):
        """A team that is several now is put on the list of a next study under the leader of its group's newest wave."""
        split = {old for (old, _group), new in teams.items() if old != new}
        for (old, _group), new in teams.items():
            if old in split:
                waves = self.rows("Participation").filter(team=new)
                newest = waves.order_by("-study__starts_on", "-pk").values("leader_name", "leader_email").first()
                self.rows("Team").filter(pk=new).update(**newest)

    def rename_results(self, schools, academies):
        """Tables of results and prepared reports name institutions and academies by their numbers."""
        for name, shared in (("institution", schools), ("academy", academies)):
            for group in sorted({group for (old, group), new in shared.items() if old != new}):
                number = {str(old): str(new) for (old, its), new in shared.items() if its == group}
                tables = self.rows("ResultTable").filter(kind="nonresponse", name=name, run__survey__study__group=group)
                for table in tables:
                    for row in table.content.get("groups", ()):
                        row["group"] = number.get(row["group"], row["group"])
                    self.rows("ResultTable").filter(pk=table.pk).update(content=table.content)
        for (old, group), new in academies.items():
            if old != new:
                files = self.rows("ReportFile").filter(publication__study__group=group, reader=f"academy:{old}")
                files.update(reader=f"academy:{new}")

    # -------------------------------------------------------------------------------------------- what is asked
    def split_questionnaires(self):
        surveys = list(self.rows("Survey").order_by("pk").values_list("study_id", "version_id"))
        used = defaultdict(set)  # version → groups
        for study, version in surveys:
            used[version].add(self.group_of[study])
        members = defaultdict(set)
        for user, group in self.rows("Membership").values_list("user_id", "group_id"):
            members[group].add(user)
        for questionnaire in self.rows("Questionnaire").order_by("pk"):
            versions = list(questionnaire.versions.order_by("number"))
            groups = sorted({group for version in versions for group in used[version.pk]})
            owner = groups[0] if groups else self.maker_of(versions, members) or self.left_over()
            # everybody could use it until now: who has no copy can make one
            offered = bool(versions) and not groups and self.rows("ResearchGroup").count() > 1
            self.rows("Questionnaire").filter(pk=questionnaire.pk).update(group=owner, offered=offered)
            for group in groups[1:]:
                theirs = [version for version in versions if group in used[version.pk]]
                content = theirs[-1].content
                copy = self.model["Questionnaire"].objects.create(
                    group_id=group, code=questionnaire.code, title=content["title"], draft=content, edit=1
                )
                for version in theirs:
                    by_member = version.created_by_id in members[group]
                    same = copy.versions.create(
                        number=version.number,
                        content=version.content,
                        content_hash=version.content_hash,
                        note=version.note if by_member else "",
                        created_by_id=version.created_by_id if by_member else None,
                    )
                    copy.versions.filter(pk=same.pk).update(created_at=version.created_at)  # not today
                    self.rows("Survey").filter(study__group=group, version=version.pk).update(version=same.pk)

    def maker_of(self, versions, members):
        """The group of whoever froze it, where that is one group only."""
        makers = {version.created_by_id for version in versions} - {None}
        found = [group for group, users in members.items() if users & makers]
        return found[0] if len(found) == 1 else None

    # -------------------------------------------------------------------------------------------- refusals of mail
    def collect_refusals(self):
        """Who wanted no more mail wants none from any group: the addresses, as they stand now."""
        asked = self.rows("Invitation").filter(no_reminders=True)
        addresses = set(asked.filter(academy__isnull=False).values_list("academy__director_email", flat=True))
        addresses |= set(asked.filter(academy__isnull=True).values_list("participation__team__leader_email", flat=True))
        addresses |= set(self.rows("Invitee").filter(opted_out=True).values_list("email", flat=True))
        plain = {address.strip().lower() for address in addresses} - {""}
        self.model["Refusal"].objects.bulk_create(
            (self.model["Refusal"](email=address) for address in sorted(plain)), batch_size=500
        )


def split(apps, schema_editor):
    one = Split(apps)
    one.make_groups()
    one.split_people()
    one.split_questionnaires()
    one.collect_refusals()


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0013_report_file_basis"),
        ("surveys", "0013_questionnaires_of_groups"),
        ("teams", "0016_research_groups"),
    ]

    operations = [migrations.RunPython(split, migrations.RunPython.noop)]
