"""What a step of a run computed, column by column: packed into a row of RunStep, unpacked into result rows.

Columns and not objects: a study of 20,000 teams has more than a million result rows. Packing is exact, so a staged result
gives the same rows to the bit.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: A column: numbers (NaN stands for nothing), or texts; JSON stands as its text.
Column = npt.NDArray[Any] | list[str]
#: The participation of a row over all respondents.
OVER_ALL = -1


@dataclass(frozen=True)
class Rows:
    """Rows of one result table, by the model's name in lower case. Every column has as many values."""

    table: str
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def records(self) -> list[dict[str, Any]]:
        """The rows as dictionaries; for tables of few rows."""
        names = list(self.columns)
        return [dict(zip(names, values, strict=True)) for values in zip(*self.columns.values(), strict=True)]


def rows(table: str, n: int, /, **columns: npt.ArrayLike | str | float) -> Rows:
    """``n`` rows; what is given once stands in every row."""
    filled: dict[str, Column] = {}
    for name, values in columns.items():
        if isinstance(values, str):
            filled[name] = [values] * n
        elif isinstance(values, list) and all(isinstance(value, str) for value in values):
            filled[name] = values
        else:
            array = np.asarray(values)
            filled[name] = np.full(n, array) if array.ndim == 0 else array
    return Rows(table, filled)


def as_json(values: Iterable[object]) -> list[str]:
    """Values as the texts of a JSON column. Floats come back as they were."""
    return [json.dumps(value, separators=(",", ":"), allow_nan=False) for value in values]


def table_of(kind: str, content: object, name: str = "") -> Rows:
    """One row of ``ResultTable``."""
    return rows("resulttable", 1, kind=kind, name=name, content=as_json([content]))


def pack(parts: Sequence[Rows]) -> bytes:
    """Compressed and without pickle: arrays as they are, texts as JSON."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    head = []
    for number, part in enumerate(parts):
        texts = []
        for name, values in part.columns.items():
            if isinstance(values, list):
                texts.append(name)
                values = np.frombuffer(json.dumps(values).encode(), dtype=np.uint8)
            arrays[f"{number}.{name}"] = values
        head.append({"table": part.table, "columns": list(part.columns), "texts": texts})
    buffer = io.BytesIO()
    np.savez(buffer, head=np.frombuffer(json.dumps(head).encode(), dtype=np.uint8), **arrays)  # type: ignore[arg-type]
    return zlib.compress(buffer.getvalue(), 1)


def unpack(staged: bytes) -> list[Rows]:
    """The opposite of :func:`pack`."""
    with np.load(io.BytesIO(zlib.decompress(staged)), allow_pickle=False) as arrays:
        head = json.loads(arrays["head"].tobytes())
        return [
            Rows(
                part["table"],
                {
                    name: json.loads(arrays[f"{number}.{name}"].tobytes())
                    if name in part["texts"]
                    else arrays[f"{number}.{name}"]
                    for name in part["columns"]
                },
            )
            for number, part in enumerate(head)
        ]
