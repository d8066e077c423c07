"""A history of publications, attacked: what readers can work out of all of it together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from tests.disclosure.attacker import Attack, Disclosure
from tests.disclosure.people import Wave
from tests.disclosure.published import cases_of, check_previous
from tests.disclosure.study import Publication, publish


@dataclass
class Effort:
    n_histories: int = 0
    n_versions: int = 0
    n_refused: int = 0
    n_targets: int = 0
    n_programs: int = 0


def attack(
    waves: Sequence[Wave],
    effort: Effort | None = None,
    *,
    k: int | None = None,
    most_unions: int = 40,
    most_insiders: int | None = None,
) -> Iterator[Disclosure]:
    """Publish the waves in order by the real code and yield every disclosure.

    ``k``: the attacker's, if another than the study's; ``most_unions``: of cells tried as T1 targets per team
    and insider; ``most_insiders``: respondents tried as insiders per case, by default each.
    """
    effort = effort if effort is not None else Effort()
    effort.n_histories += 1
    before: list[Publication] = []
    for wave in waves:
        publications = publish(wave, before[-1].material if before else None)
        effort.n_versions += len(publications)
        effort.n_refused += len(wave.versions) - len(publications)
        if before:
            check_previous(publications, before)
        for case in cases_of(wave, publications):
            attacker = Attack(replace(case, k=k) if k else case, most_unions=most_unions)
            yield from attacker.run(most_insiders)
            effort.n_targets += attacker.n_targets
            effort.n_programs += attacker.n_programs
        before = [publication for publication in publications if not publication.version.picture] or before


def first(
    waves: Sequence[Wave],
    effort: Effort | None = None,
    *,
    k: int | None = None,
    most_unions: int = 40,
    most_insiders: int | None = None,
) -> Disclosure | None:
    """The first disclosure of a history, None when there is none."""
    return next(islice(attack(waves, effort, k=k, most_unions=most_unions, most_insiders=most_insiders), 1), None)
