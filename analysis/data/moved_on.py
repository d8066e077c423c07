"""What whoever reads the figures of an analysis must know of the study since: said on every page that shows them."""

from django.utils.translation import ngettext

from analysis.data.accounting import Held


def moved_on(held: Held) -> list[str]:
    """Teams that are not in the figures, or no longer take part, in sentences."""
    text = []
    if held.interim:
        text.append(
            ngettext(
                "These figures are interim: %(n)s of the %(all)s teams taking part is not in them, because its answers were"
                " not sealed when this analysis read them.",
                "These figures are interim: %(n)s of the %(all)s teams taking part are not in them, because their answers were"
                " not sealed when this analysis read them.",
                held.not_held,
            )
            % {"n": held.not_held, "all": held.taking_part}
        )
    if held.withdrawn:
        text.append(
            ngettext(
                "%(n)s team in these figures withdrew afterwards; a new analysis leaves it out.",
                "%(n)s teams in these figures withdrew afterwards; a new analysis leaves them out.",
                held.withdrawn,
            )
            % {"n": held.withdrawn}
        )
    return text
