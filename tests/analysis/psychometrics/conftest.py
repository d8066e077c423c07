"""The oracle files: expected values from lavaan, psych and multilevel, and the data they were computed from."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

ORACLES = Path(__file__).resolve().parents[2] / "oracles"
REVERSED_BFI_ITEMS = ("A1", "C4", "C5", "E1", "E2", "O2", "O5")


@cache
def load_oracle(name: str) -> dict[str, Any]:
    """The expected values of one file, such as ``hs1939_cfa``."""
    return json.loads((ORACLES / f"{name}.json").read_text(encoding="utf-8"))


@cache
def load_data(name: str) -> pd.DataFrame:
    """The data of one file, such as ``simstudy_complete``; for ``bfi`` reverse-keyed items are recoded as 7 - x."""
    data = pd.read_csv(ORACLES / f"{name}.csv")
    if name == "bfi":
        data[list(REVERSED_BFI_ITEMS)] = 7 - data[list(REVERSED_BFI_ITEMS)]
    return data
