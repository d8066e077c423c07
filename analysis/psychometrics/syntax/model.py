"""Parameter table of a factor model: from syntax to free and fixed parameters per group and level.

The table follows lavaan's ``cfa()``: residual variances and factor variances are added and free; factors correlate,
unless a factor is itself measured by another (second order); the first loading of a factor is fixed at 1 (marker) or
the factor variance at 1 (``std_lv``); the residual variance of a single indicator is fixed at 0; with a mean structure
item intercepts are free and factor means 0. With two levels the intercepts belong to level 2.

Source: Rosseel (2012), J. Stat. Software 48(2); Joreskog (1971), Psychometrika 36, 409-426, for several groups.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..errors import ModelError
from .parsing import ModelSyntax, Modifier, Statement, parse_model

EQUAL_OVER_GROUPS = ("loadings", "intercepts", "residuals", "means")


@dataclass(frozen=True)
class ParameterRow:
    """One parameter of one block.

    ``index`` is the place in the vector of free parameters (from 0), or -1 where the parameter is fixed at ``value``.
    Rows with the same index are one parameter (equality). ``start`` is a start value from the syntax. ``block`` counts
    from 0 over groups and, within a group, over levels; ``group`` and ``level`` count from 1.
    """

    lhs: str
    op: str
    rhs: str
    block: int
    group: int
    level: int
    index: int = -1
    value: float = 0.0
    label: str = ""
    start: float | None = None
    user: bool = False

    @property
    def free(self) -> bool:
        """Whether the parameter is estimated."""
        return self.index >= 0

    @property
    def name(self) -> str:
        """``lhs op rhs``, as a sentence would name it."""
        return f"{self.lhs} {self.op} {self.rhs}".strip()


@dataclass(frozen=True)
class Block:
    """The variables of one group at one level, in order of appearance. ``second_order``: a factor measures factors."""

    group: int
    level: int
    observed: tuple[str, ...]
    latent: tuple[str, ...]
    second_order: bool

    @property
    def variables(self) -> tuple[str, ...]:
        """Observed variables, then factors: the order of rows and columns in every matrix of the block."""
        return self.observed + self.latent


@dataclass(frozen=True)
class ParameterTable:
    """All parameters of a model over its blocks; the parameter vector is shared by all blocks.

    ``mean_structure`` says whether ``~1`` rows are in the table. For ordered items (``ordered``: name to number of
    categories) the table holds their thresholds (op ``|``, rhs ``t1``, …) as free rows and scaling factors (``~*~``)
    fixed at 1; their residual variances are rows that are not free (delta parameterisation).
    """

    rows: tuple[ParameterRow, ...]
    blocks: tuple[Block, ...]
    n_free: int
    n_groups: int
    mean_structure: bool
    std_lv: bool
    ordered: Mapping[str, int]

    @cached_property
    def free_rows(self) -> tuple[ParameterRow, ...]:
        """The first row of each free parameter, in the order of the parameter vector; length ``n_free``."""
        first: dict[int, ParameterRow] = {}
        for row in self.rows:
            if row.free:
                first.setdefault(row.index, row)
        return tuple(first[index] for index in range(self.n_free))

    @property
    def observed(self) -> tuple[str, ...]:
        """Every observed variable over all blocks, in order of appearance."""
        return tuple(dict.fromkeys(name for block in self.blocks for name in block.observed))

    @property
    def two_level(self) -> bool:
        """Whether the model has a within and a between part."""
        return any(block.level == 2 for block in self.blocks)

    def rows_of(self, block: int) -> list[ParameterRow]:
        """The rows of one block (counted from 0)."""
        return [row for row in self.rows if row.block == block]

    def with_rows(self, extra: Iterable[ParameterRow]) -> ParameterTable:
        """A table with these rows added, each as a further free parameter at the end of the parameter vector."""
        added = tuple(replace(row, index=self.n_free + i) for i, row in enumerate(extra))
        return replace(self, rows=self.rows + added, n_free=self.n_free + len(added))


def build_table(
    model: str | ModelSyntax,
    *,
    n_groups: int = 1,
    mean_structure: bool = False,
    std_lv: bool = False,
    ordered: Mapping[str, int] | None = None,
    group_equal: Collection[str] = (),
) -> ParameterTable:
    """The parameter table of a model text.

    ``group_equal`` names what is equal over groups (``loadings``, ``intercepts``, ``residuals``, ``means``): with
    equal loadings and ``std_lv`` factor variances are free from the second group on, with equal intercepts factor
    means are, unless ``means`` is named. ``ordered`` gives the number of categories of ordinal items. A ``~1``
    statement, several groups or two levels switch the mean structure on.

    Raises :class:`ModelSyntaxError` for text that cannot be read and :class:`ModelError` for a model without factors,
    a name that is factor and item at once, or group modifiers whose number is not the number of groups.
    """
    syntax = parse_model(model) if isinstance(model, str) else model
    ordered = dict(ordered or {})
    if unknown := [name for name in group_equal if name not in EQUAL_OVER_GROUPS]:
        raise ModelError(f"group_equal knows {', '.join(EQUAL_OVER_GROUPS)}, not {unknown[0]!r}")
    mean_structure = (
        mean_structure or n_groups > 1 or syntax.two_level or bool(ordered)
        or any(s.op == "~1" for s in syntax.statements)
    )  # fmt: skip
    # one of two levels may do without factors: items that only covary there (a saturated level)
    if not any(s.op == "=~" for s in syntax.statements):
        raise ModelError("the model has no factor: write at least one line such as 'f =~ x1 + x2 + x3'")
    blocks: list[Block] = []
    rows: list[ParameterRow] = []
    for group in range(1, n_groups + 1):
        for level in (1, 2) if syntax.two_level else (1,):
            builder = _BlockBuilder(
                [s for s in syntax.statements if s.level == level], len(blocks), group, level, n_groups, ordered
            )
            rows += builder.build(syntax.two_level, mean_structure, std_lv, group_equal)
            blocks.append(builder.block)
    _check_levels(blocks)
    if n_groups > 1:
        rows = _equate_groups(rows, blocks, group_equal)
    rows, n_free = _number(rows)
    return ParameterTable(tuple(rows), tuple(blocks), n_free, n_groups, mean_structure, std_lv, ordered)


def observed_names(syntax: ModelSyntax) -> tuple[str, ...]:
    """The columns a model needs, in the order of every table built from it. Raises :class:`ModelError` as those do."""
    levels = (1, 2) if syntax.two_level else (1,)
    names: dict[str, None] = {}
    for level in levels:
        statements = [s for s in syntax.statements if s.level == level]
        names |= dict.fromkeys(_BlockBuilder(statements, 0, 1, level, 1, {}).block.observed)
    return tuple(names)


class _BlockBuilder:
    """Collects the rows of one block: as written, then what lavaan's ``cfa`` adds."""

    def __init__(
        self, statements: Sequence[Statement], block: int, group: int, level: int, n_groups: int,
        ordered: Mapping[str, int],
    ) -> None:  # fmt: skip
        self.statements, self.n_groups = statements, n_groups
        self.group, self.level = group, level
        self.template = ParameterRow("", "", "", block, group, level)
        self.rows: list[ParameterRow] = []
        self.present: set[tuple[str, frozenset[str]]] = set()
        latent = tuple(dict.fromkeys(s.lhs for s in statements if s.op == "=~"))
        indicators = tuple(dict.fromkeys(s.rhs for s in statements if s.op == "=~"))
        other = tuple(name for s in statements if s.op != "=~" for name in (s.lhs, s.rhs) if name)
        observed = tuple(n for n in dict.fromkeys(indicators + other) if n not in latent)
        self.measured = set(indicators)
        self.block = Block(group, level, observed, latent, second_order=any(n in latent for n in indicators))
        self.ordered = {name: n for name, n in ordered.items() if name in observed}
        if self.block.second_order:
            self._check_no_circle()

    def _check_no_circle(self) -> None:
        parents = {f: {s.lhs for s in self.statements if s.op == "=~" and s.rhs == f} for f in self.block.latent}
        for factor in self.block.latent:
            above, reach = set(parents[factor]), set(parents[factor])
            while above:
                above = {p for name in above for p in parents[name]} - reach
                reach |= above
            if factor in reach:
                raise ModelError(f"factor {factor!r} measures itself through other factors")

    def build(
        self, two_level: bool, mean_structure: bool, std_lv: bool, group_equal: Collection[str]
    ) -> list[ParameterRow]:
        unit_variances = std_lv and not (self.group > 1 and "loadings" in group_equal)
        markers: dict[str, str] = {}
        for s in self.statements:
            if s.op == "=~":
                markers.setdefault(s.lhs, s.rhs)
        for s in self.statements:
            marker = s.op == "=~" and not std_lv and markers[s.lhs] == s.rhs
            variance = s.op == "~~" and s.lhs == s.rhs
            unit = marker or (variance and (s.lhs in self.ordered or (unit_variances and s.lhs in markers)))
            self._add_written(s, fixed=1.0 if unit else None)
        self._add_defaults(unit_variances)
        if mean_structure:
            free_means = "intercepts" in group_equal and "means" not in group_equal and self.group > 1
            for name in self.block.observed:
                fixed = name in self.ordered or (two_level and self.level == 1)
                self._add(name, "~1", "", 0.0 if fixed else None)
            for name in self.block.latent:
                self._add(name, "~1", "", None if free_means and name not in self.measured else 0.0)
        return self.rows

    def _add_written(self, s: Statement, fixed: float | None) -> None:
        """The row of a statement: ``fixed`` at this value, or free, unless a modifier says otherwise."""
        row = replace(self.template, lhs=s.lhs, op=s.op, rhs=s.rhs, user=True)
        free, value = fixed is None, fixed or 0.0
        for entries in s.modifiers:
            entry = self._for_group(entries, s)
            if entry.freed:
                free = True
            elif entry.value is not None:
                free, value = False, entry.value
            elif entry.start is not None:
                # as in lavaan, the start value of a parameter that stays fixed is its value
                row, value = replace(row, start=entry.start), entry.start
            else:
                row = replace(row, label=entry.label)
        self.rows.append(replace(row, index=0 if free else -1, value=value))
        self.present.add((s.op, frozenset((s.lhs, s.rhs))))

    def _for_group(self, entries: tuple[Modifier, ...], s: Statement) -> Modifier:
        if len(entries) not in (1, self.n_groups):
            raise ModelError(
                f"line {s.line}, column {s.column}: {len(entries)} modifiers in c(…) for {self.n_groups} group(s)"
            )
        return entries[0] if len(entries) == 1 else entries[self.group - 1]

    def _add(self, lhs: str, op: str, rhs: str, value: float | None) -> None:
        """A default row, free where ``value`` is None, unless the model text already has it."""
        if (op, frozenset((lhs, rhs))) not in self.present:
            index, fixed = (0, 0.0) if value is None else (-1, value)
            self.rows.append(replace(self.template, lhs=lhs, op=op, rhs=rhs, index=index, value=fixed))

    def _add_defaults(self, unit_variances: bool) -> None:
        for name, n_categories in self.ordered.items():
            for k in range(1, n_categories):
                self.rows.append(replace(self.template, lhs=name, op="|", rhs=f"t{k}", index=0))
        single = {
            rows[0].rhs
            for factor in self.block.latent
            if len(rows := [r for r in self.rows if r.op == "=~" and r.lhs == factor]) == 1
        }
        single = {name for name in single if sum(r.op == "=~" and r.rhs == name for r in self.rows) == 1}
        for name in self.block.observed:
            # the residual of a single indicator is not identified beside its factor's variance
            default = 1.0 if name in self.ordered else 0.0 if name in single else None
            self._add(name, "~~", name, default)
        for name in self.block.latent:
            self._add(name, "~~", name, 1.0 if unit_variances else 0.0 if name in single else None)
        exogenous = [name for name in self.block.latent if name not in self.measured]
        for i, first in enumerate(exogenous):
            for second in exogenous[i + 1 :]:
                self._add(first, "~~", second, None)
        self.rows += [replace(self.template, lhs=name, op="~*~", rhs=name, value=1.0) for name in self.ordered]


def _check_levels(blocks: Sequence[Block]) -> None:
    for block in blocks:
        for other in blocks:
            if clash := [name for name in block.observed if name in other.latent]:
                raise ModelError(f"{clash[0]!r} is a factor in one level and an item in the other")


def _equate_groups(
    rows: list[ParameterRow], blocks: Sequence[Block], group_equal: Collection[str]
) -> list[ParameterRow]:  # fmt: skip
    """Give rows that are to be equal over groups the label of their first group, as lavaan's ``group.equal`` does."""

    def to_equate(row: ParameterRow) -> bool:
        latent = blocks[row.block].latent
        if row.op == "=~":
            return "loadings" in group_equal
        if row.op == "~1":
            return row.lhs not in latent and "intercepts" in group_equal
        if row.op == "|":
            return "intercepts" in group_equal
        return row.op == "~~" and row.lhs == row.rhs and row.lhs not in latent and "residuals" in group_equal

    labels = {
        (row.lhs, row.op, row.rhs, row.level): f".p{number}."
        for number, row in enumerate((r for r in rows if r.group == 1), start=1)
        if row.free and not row.label and to_equate(row)
    }
    return [
        replace(row, label=labels.get((row.lhs, row.op, row.rhs, row.level), "")) if row.free and not row.label else row
        for row in rows
    ]


def _number(rows: list[ParameterRow]) -> tuple[list[ParameterRow], int]:
    """Number the free parameters in table order; equal labels share a number, and a fixed one fixes its namesakes."""
    fixed = {row.label: row.value for row in reversed(rows) if row.label and not row.free}
    numbers: dict[str, int] = {}
    numbered: list[ParameterRow] = []
    n_free = 0
    for row in rows:
        if row.free and row.label in fixed:
            numbered.append(replace(row, index=-1, value=fixed[row.label]))
            continue
        if row.free:
            index = numbers.get(row.label, n_free) if row.label else n_free
            if row.label:
                numbers[row.label] = index
            n_free += index == n_free
            numbered.append(replace(row, index=index))
        else:
            numbered.append(row)
    return numbered, n_free
