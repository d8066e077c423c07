"""A worker that lost its lease unawares, as a frozen one does, and comes back: nothing goes out twice, nothing is stored over.

Each test stops the first worker at one point, lets its leases run out, lets a second worker do all the work in a thread of its
own, and lets the first one go on.
"""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail as django_mail
from django.utils import timezone
from django.utils.translation import gettext_lazy

from analysis.exports import prepared
from analysis.models import AnalysisPlan, AnalysisRun, Publication
from analysis.models.readers import ReportFile
from analysis.models.releases import PreparedFile
from analysis.publication import files, objects, served
from surveys.models import Survey
from teams.mail import composing, kinds, outbox, server
from teams.models import Job, OutboxMessage
from tests.analysis import builders
from tests.analysis.builders import answers
from tests.surveys.conftest import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


def leases_run_out() -> None:
    past = timezone.now() - timedelta(seconds=1)
    for model in (OutboxMessage, Job, ReportFile, PreparedFile):
        model.objects.filter(lease_until__isnull=False).update(lease_until=past)


def frozen_at(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, other: Callable[[], Any], *, after: bool = False
) -> list[Any]:
    """Whoever first comes to ``name`` stands still until the other one is done. Returns what the other one returned."""
    real, found = getattr(module, name), list[Any]()

    def slow(*args: object, **kwargs: object) -> object:
        result = real(*args, **kwargs) if after else None
        if not found:
            found.append(None)
            leases_run_out()
            found[:] = in_threads(other)
        return result if after else real(*args, **kwargs)

    monkeypatch.setattr(module, name, slow)
    return found


@pytest.fixture
def kind():
    """Two kinds of mail, of which one leaves no trace."""

    class Mails(kinds.MailKind):
        PLAIN = "test.plain", gettext_lazy("A plain mail"), kinds.To.TEACHER, kinds.Goes.ANY_HOUR
        QUIET = (
            "test.quiet",
            gettext_lazy("A quiet mail"),
            kinds.To.TEACHER,
            kinds.Goes.ANY_HOUR | kinds.Goes.WITHOUT_TRACE,
        )

    for message in Mails:
        outbox.register(message)(lambda pk, language: composing.Mail(to=f"x{pk}@noord.example", subject="S", text="T"))
    yield
    for message in Mails:
        del outbox._renderers[message], kinds.KINDS[message]
        outbox._any_hour.discard(message)
        outbox._traceless.discard(message)


@pytest.mark.parametrize("name", ["test.plain", "test.quiet"])
@pytest.mark.parametrize(
    ("module", "at"),
    [(outbox, "_claim"), (server, "email_of"), (outbox, "_begin_handing_over")],
    ids=["claimed", "rendered", "about to hand over"],
)
def test_a_mail_goes_once(kind, monkeypatch, name, module, at):
    outbox.queue_many(kinds.KINDS[name], [1, 2, 3])
    outcome = frozen_at(monkeypatch, module, at, outbox.send_due, after=at != "_begin_handing_over")
    outbox.send_due()
    assert outcome == [3] or (at == "_claim" and outcome[0] == 3), outcome
    assert sorted(message.to[0] for message in django_mail.outbox) == [f"x{n}@noord.example" for n in (1, 2, 3)]
    left = OutboxMessage.objects.exclude(state=OutboxMessage.State.SENT)
    assert not left.exists()
    assert OutboxMessage.objects.count() == (0 if name == "test.quiet" else 3)


@pytest.fixture
def survey(monkeypatch):
    monkeypatch.setattr(prepared, "AT_ONCE", 2)
    monkeypatch.setattr(prepared, "PIECE", 40)
    study = builders.make_study()
    for name in ("Noord", "Zuid"):
        builders.seal(builders.make_team(study, name, approached=12), [answers(1 + n % 4) for n in range(8)])
    return Survey.objects.select_related("version", "study").get(study=study)


@pytest.mark.parametrize("at", ["_write", "_store"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_prepared_file_is_that_of_whoever_finished_it(survey, monkeypatch, at, after):
    """The first worker emptied the file that the second one had finished, and what readers got was empty."""
    file = PreparedFile.objects.create(survey=survey, form=prepared.COUNTS)
    contents = [b"first " * 60, b"second " * 20]
    monkeypatch.setattr(prepared, "_write", lambda _file, out: out.write(contents.pop(0)))
    outcome = frozen_at(monkeypatch, prepared, at, lambda: prepared.prepare(file.pk), after=after)
    result = prepared.prepare(file.pk)
    assert outcome == [True]
    assert result is False
    file.refresh_from_db()
    assert (file.state, file.lease_until) == (PreparedFile.State.READY, None)
    content = b"".join(prepared.pieces(file))
    assert content in (b"first " * 60, b"second " * 20)
    assert file.size == len(content)


def test_a_report_file_is_stored_once(monkeypatch):
    study = builders.make_study()
    builders.seal(builders.make_team(study, "Noord", approached=12), [answers(1 + n % 4) for n in range(8)])
    survey = Survey.objects.get(study=study)
    run = AnalysisRun.objects.create(survey=survey, plan=AnalysisPlan.objects.get(study=study), n_seals=0)
    publication = Publication.objects.create(study=study, run=run)
    file = ReportFile.objects.create(publication=publication, reader=objects.STUDY, language="nl")
    contents = [b"first", b"second"]
    monkeypatch.setattr(objects, "make_missing", lambda _publication: False)
    monkeypatch.setattr(served, "of_reader", lambda _publication, _reader: SimpleNamespace(basis="basis"))
    monkeypatch.setattr(files, "_content", lambda *_args: contents.pop(0))
    outcome = frozen_at(monkeypatch, files, "_content", lambda: files.make_files(publication.pk), after=True)
    assert files.make_files(publication.pk) == 0
    assert outcome == [1]
    file.refresh_from_db()
    assert (file.state, bytes(file.content), file.attempts) == (ReportFile.State.READY, b"second", 2)
