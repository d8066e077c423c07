"""What may be shown, to readers and (at the end) to researchers: the only judge, for page, PDF, API and mail.

Pure functions over plain figures; the ten rules stand in docs/disclosure.md. A figure that may not
be shown has no field: its place is taken by `Withheld`, whose reason depends on group sizes and membership only, never on
answers. Numbers are rounded here and nowhere else.

`groups`: who may be shown; `figures`: what is shown of them (its types: `shown`); `scores`: the score of a scale as it
follows from that; `differences`: what is said of two scores; `absent`: what those who did not answer could change; `versions`: what a new version adds to those before;
`background`: counts for researchers. Everybody else imports from this package, not from its modules.
"""

from analysis.disclosure.absent import IfAllHadAnswered, if_all_had_answered
from analysis.disclosure.background import answers_together, teams_counted
from analysis.disclosure.differences import (
    Difference,
    Reached,
    Side,
    Verdict,
    beside_all,
    beside_point,
    clear_extremes,
    reached,
    side_of_units,
    since,
)
from analysis.disclosure.figures import (
    AD_AGREE,
    AD_DIFFER,
    AGGREGATE_DECIMALS,
    LIKE_THESE,
    MOST_HIDDEN,
    SPREAD_STEP,
    ItemFigures,
    ScaleFigures,
    Spread,
    deviation,
    half_width,
    pooled_spread,
    show_aggregate,
    show_agreement,
    show_item,
    show_scale,
)
from analysis.disclosure.groups import (
    MIN_OTHER_UNITS,
    Group,
    Hold,
    Reason,
    TeamCounts,
    Withheld,
    judge_academy,
    judge_benchmark,
    judge_everyone,
    judge_group,
    judge_published,
    judge_rest,
    judge_study,
    judge_units,
    sectors_shown,
    units,
)
from analysis.disclosure.rounding import round_half_up
from analysis.disclosure.scores import Score, hidden_of_mean, item_score, scale_score
from analysis.disclosure.shown import (
    Agreement,
    Capped,
    ItemDistribution,
    ItemMean,
    MeanShown,
    NearlyAll,
    ShownItem,
    ShownScale,
)
from analysis.disclosure.versions import Figure, version_conflicts, version_tells

__all__ = [
    "AD_AGREE",
    "AD_DIFFER",
    "AGGREGATE_DECIMALS",
    "LIKE_THESE",
    "MIN_OTHER_UNITS",
    "MOST_HIDDEN",
    "SPREAD_STEP",
    "Agreement",
    "Capped",
    "Difference",
    "Figure",
    "Group",
    "Hold",
    "IfAllHadAnswered",
    "ItemDistribution",
    "ItemFigures",
    "ItemMean",
    "MeanShown",
    "NearlyAll",
    "Reached",
    "Reason",
    "ScaleFigures",
    "Score",
    "ShownItem",
    "ShownScale",
    "Side",
    "Spread",
    "TeamCounts",
    "Verdict",
    "Withheld",
    "answers_together",
    "beside_all",
    "beside_point",
    "clear_extremes",
    "deviation",
    "half_width",
    "hidden_of_mean",
    "if_all_had_answered",
    "item_score",
    "judge_academy",
    "judge_benchmark",
    "judge_everyone",
    "judge_group",
    "judge_published",
    "judge_rest",
    "judge_study",
    "judge_units",
    "pooled_spread",
    "reached",
    "round_half_up",
    "scale_score",
    "sectors_shown",
    "show_aggregate",
    "show_agreement",
    "show_item",
    "show_scale",
    "side_of_units",
    "since",
    "teams_counted",
    "units",
    "version_conflicts",
    "version_tells",
]
