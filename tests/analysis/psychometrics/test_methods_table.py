"""The numbers in docs/methods.md are those the code computes."""

from tests.analysis.psychometrics.methods_table import BEGIN, DOCUMENT, END, tables


def test_the_document_shows_what_is_computed() -> None:
    shown = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    computed = tables().splitlines()
    assert len(shown) == len(computed)
    for ours, theirs in zip(computed, shown, strict=True):
        for mine, written in zip(ours.split("|"), theirs.split("|"), strict=True):
            if written.strip().startswith("< 1e"):
                # rounding differs between processors: one power of ten either way
                exponents = [int(cell.strip().removeprefix("< 1e")) for cell in (mine, written)]
                assert abs(exponents[0] - exponents[1]) <= 1, ours
            else:
                assert mine == written
