"""The security log: who came in, with which right, and what left or was removed. One line each, never about a respondent.

A line is JSON after the name of its logger, so that a program reads it and a forged name cannot begin a line of its own:

    … INFO teamspiegel.security {"act": "role_given", "at": "2026-11-29T11:20:31Z", "by": 4, "study": 2, "of": 9}

People, studies and teams stand in it as the numbers of their rows: no name, no e-mail address, nothing typed. The address on
the network is that of accounts only (signing in, failing, locked, factors, passwords). Teachers, directors and holders of a
link have no account, so nothing here is about them.
"""

import json
import logging
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial

from django.db import transaction

logger = logging.getLogger("teamspiegel.security")


class Act(StrEnum):
    """What is written down. A deletion names the study or team by number; ``of`` is the account that an act was about."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    DENIED = "denied"  # a page, by its name, that is not theirs or not there; or a form without its token
    LOCKED = "locked"  # a limit was reached: docs/limits.md
    PASSWORD_SET = "password_set"  # noqa: S105  an act's name
    FACTOR_SET = "factor_set"
    FACTOR_REMOVED = "factor_removed"
    ROLE_GIVEN = "role_given"
    ROLE_TAKEN = "role_taken"
    EXPORTED = "exported"
    PUBLISHED = "published"
    STUDY_DELETED = "study_deleted"
    TEAM_DELETED = "team_deleted"
    PERSON_REMOVED = "person_removed"


def write(act: Act, *, by: int | None = None, **about: int | str | None) -> None:
    """Write one line once the transaction around it holds; nothing is written of what is rolled back.

    :param by: the account that did it; None for somebody who is not signed in, or holds a link
    :param about: what it was about: numbers of rows (``study``, ``team``, ``of``) and words of ours (``kind``, ``method``),
        and ``address``, the address on the network, of accounts only. What is None or blank is left out
    """
    line: dict[str, int | str | None] = {"act": act.value, "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "by": by}
    line.update((name, value) for name, value in about.items() if value not in (None, ""))
    transaction.on_commit(partial(logger.info, "%s", json.dumps(line)), robust=True)
