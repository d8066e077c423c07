"""A CSV as Dutch spreadsheets write it: semicolons between the cells, a comma in the numbers."""

import pandas as pd

from analysis.psychometrics.cli.describe import read_data


def test_semicolons_and_decimal_commas_are_read(tmp_path):
    frame = pd.DataFrame({"a": [1.5, 2.0], "b": [3, 4]})
    path = tmp_path / "data.csv"
    frame.to_csv(path, sep=";", decimal=",", index=False)
    pd.testing.assert_frame_equal(read_data(str(path)), frame)
