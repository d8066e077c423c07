"""Which tests run on PostgreSQL too: the data layer and the races, since that is where databases differ.

Whatever uses a database runs there, unless its module stands below with the reason why SQLite is enough: its pages, texts
and forms pass through the ORM and would say the same on either. A new module runs on both until somebody puts it here.

In a module that stands here, a test still runs on both if it is transactional (races, locks, what commits) or marked
``postgres_only`` or ``data_layer``.
"""

import pytest

PAGES = "pages and their texts, read through the ORM"
FORMS = "what a form accepts and says; its constraints are tested in modules of the steps"
PROCESSES = "starts the programs with a database file of their own"
ENGINE = "numbers of a finished run, computed from what the data set holds"

SQLITE_ENOUGH: dict[str, str] = {
    "tests/access/test_odd_studies.py": PAGES,
    "tests/access/test_once.py": "each form pressed twice; what keeps it from doing its act twice is tests/teams/test_once.py, on both",
    "tests/access/test_permissions.py": "who may open what; every address is opened on PostgreSQL by test_fuzz.py",
    "tests/access/test_words_apart.py": PAGES,
    "tests/access/test_written.py": FORMS,
    "tests/analysis/exporting/test_coarsening.py": ENGINE,
    "tests/analysis/exporting/test_ddi.py": ENGINE,
    "tests/analysis/exporting/test_files.py": ENGINE,
    "tests/analysis/exporting/test_pages.py": PAGES,
    "tests/analysis/test_accounts_page.py": PAGES,
    "tests/analysis/test_analysis_pages.py": PAGES,
    "tests/analysis/test_article.py": ENGINE,
    "tests/analysis/test_decisions.py": FORMS,
    "tests/analysis/test_demo.py": ENGINE,
    "tests/analysis/test_imports.py": FORMS,
    "tests/analysis/test_leaders_of_waves.py": PAGES,
    "tests/analysis/test_nasty_files.py": "what writers of files make of words; no database",
    "tests/analysis/test_nasty_words.py": "what writers of files make of words",
    "tests/analysis/test_nonresponse.py": ENGINE,
    "tests/analysis/test_nonresponse_pages.py": PAGES,
    "tests/analysis/test_plan_pages.py": PAGES,
    "tests/analysis/test_points.py": ENGINE,
    "tests/analysis/test_reader_pages.py": PAGES,
    "tests/analysis/test_reports.py": PAGES,
    "tests/analysis/test_shared_reports.py": PAGES,
    "tests/analysis/test_small_parts.py": "rules of disclosure over rows that test_exits.py reads on both",
    "tests/analysis/test_small_teams.py": "rules of disclosure over rows that test_exits.py reads on both",
    "tests/analysis/test_workspace_pages.py": PAGES,
    "tests/analysis/test_write_up.py": PAGES,
    "tests/config/test_deployment.py": PROCESSES,
    "tests/config/test_logs.py": PROCESSES,
    "tests/config/test_pages.py": PAGES,
    "tests/config/test_production.py": PROCESSES,
    "tests/disclosure/test_counting.py": "which n counts, decided in Python; test_exits.py and test_attackers.py run on both",
    "tests/disclosure/test_pages.py": PAGES,
    "tests/surveys/test_after_hand_in.py": PAGES,
    "tests/surveys/test_begin.py": FORMS,
    "tests/surveys/test_demo_settings.py": PROCESSES,
    "tests/surveys/test_facilitator.py": PAGES,
    "tests/surveys/test_facilitator_restart.py": PROCESSES,
    "tests/surveys/test_invitation.py": PAGES,
    "tests/surveys/test_item_types.py": FORMS,
    "tests/surveys/test_meeting_texts.py": FORMS,
    "tests/surveys/test_paper_by_link.py": PAGES,
    "tests/surveys/test_planning_pages.py": PAGES,
    "tests/surveys/test_respondent.py": PAGES,
    "tests/teams/test_accounts.py": PAGES,
    "tests/teams/test_director.py": PAGES,
    "tests/teams/test_letters.py": "texts of mails",
    "tests/teams/test_nasty_mail.py": "what mails and calendars make of words",
    "tests/teams/test_setup.py": FORMS,
    "tests/teams/test_smtp.py": "what a mail server says",
}


def on_postgresql(item: pytest.Item) -> bool:
    """Whether a test that uses a database runs on PostgreSQL."""
    if item.get_closest_marker("sqlite_only"):
        return False
    reason = SQLITE_ENOUGH.get(item.nodeid.partition("::")[0])
    if reason is None or item.get_closest_marker("postgres_only") or item.get_closest_marker("data_layer"):
        return True
    return reason != PROCESSES and _is_transactional(item)


def _is_transactional(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("django_db")
    asked = mark is not None and bool(mark.kwargs.get("transaction"))
    return asked or "transactional_db" in getattr(item, "fixturenames", ())
