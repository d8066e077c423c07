"""Write the analysed answers of the demo study's main wave to a CSV file, for tests/oracles/demo.R."""

import sys

from analysis.demo.simulation import ITEMS, response_frame, simulate

#: At most this share of the 36 items may be open, as in the demo's analysis plan.
MOST_OPEN = 0.25


def write_answers(path: str) -> None:
    """Rows of eligible respondents with enough answers: team and 36 items, empty where there is no answer."""
    answers = response_frame(simulate().main)
    items = list(ITEMS)
    kept = answers[(answers["eligibility"] == "yes") & (answers[items].isna().mean(axis=1) <= MOST_OPEN)]
    kept[["team", *items]].astype(dict.fromkeys(items, "Int64")).to_csv(path, index=False)


if __name__ == "__main__":
    write_answers(sys.argv[1])
