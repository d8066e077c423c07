"""Reading models: what the parameter table holds, and where errors are."""

import pytest

from analysis.psychometrics.errors import ModelError, ModelSyntaxError
from analysis.psychometrics.syntax.model import ParameterTable, build_table
from analysis.psychometrics.syntax.parsing import parse_model


def free_names(table: ParameterTable) -> list[str]:
    return [row.name for row in table.free_rows]


def row_of(table: ParameterTable, name: str, group: int = 1, level: int = 1):  # type: ignore[no-untyped-def]
    return next(row for row in table.rows if (row.name, row.group, row.level) == (name, group, level))


def test_marker_identification() -> None:
    table = build_table("f =~ x1 + x2 + x3")
    assert free_names(table) == ["f =~ x2", "f =~ x3", "x1 ~~ x1", "x2 ~~ x2", "x3 ~~ x3", "f ~~ f"]
    assert row_of(table, "f =~ x1").value == 1.0


def test_unit_variance_identification() -> None:
    table = build_table("f =~ x1 + x2 + x3", std_lv=True)
    assert "f =~ x1" in free_names(table)
    assert row_of(table, "f ~~ f").value == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "f=~x1+x2+x3; g =~ y1 + y2",
        "f =~ x1 + x2 + x3\ng =~ y1 + y2",
        "# scales\nf =~ x1 +   # first\n   x2 + x3\n\n g =~ y1 ! a note\n + y2 ;",
        "f =~\nx1 + x2 + x3;;g =~ y1+y2\r\n",
        "f =~ x1 + x2 + x3 + x1\ng =~ y1 + y2",
    ],
)
def test_layout_does_not_matter(text: str) -> None:
    reference = build_table("f =~ x1 + x2 + x3\ng =~ y1 + y2")
    assert build_table(text).rows == reference.rows


@pytest.mark.parametrize(
    ("term", "free", "value"),
    [
        ("0.5*x2", False, 0.5),
        ("-1.5e-1 * x2", False, -0.15),
        ("NA*x2", True, 0.0),
        ("a*x2", True, 0.0),
        ("start(0.8)*x2", True, 0.0),
        ('"a"*x2', True, 0.0),
        ("a*start(.8)*x2", True, 0.0),
        ("c*x2", True, 0.0),
        ("1*x2 + NA*x2", True, 0.0),
    ],
)
def test_modifiers(term: str, free: bool, value: float) -> None:
    row = row_of(build_table(f"f =~ x1 + {term} + x3"), "f =~ x2")
    assert (row.free, 0.0 if row.free else row.value) == (free, value)


def test_start_value_is_kept() -> None:
    assert row_of(build_table("f =~ x1 + start(0.8)*x2 + x3"), "f =~ x2").start == 0.8


def test_equal_labels_are_one_parameter() -> None:
    table = build_table("f =~ NA*x1 + a*x1 + a*x2 + x3\nf ~~ 1*f\nx1 ~~ e*x1\nx2 ~~ e*x2")
    assert row_of(table, "f =~ x1").index == row_of(table, "f =~ x2").index
    assert row_of(table, "x1 ~~ x1").index == row_of(table, "x2 ~~ x2").index
    assert table.n_free == 4


def test_label_of_a_fixed_parameter_fixes_its_namesakes() -> None:
    table = build_table("f =~ a*x1 + a*x2 + x3")
    assert not row_of(table, "f =~ x2").free
    assert row_of(table, "f =~ x2").value == 1.0


def test_what_is_fixed_stays_fixed_when_it_is_only_named() -> None:
    """As lavaan does: a factor variance under unit variances, and a marker with a start value."""
    table = build_table("f =~ x1 + x2 + x3\nf ~~ v*f", std_lv=True)
    assert (row_of(table, "f ~~ f").free, row_of(table, "f ~~ f").value) == (False, 1.0)
    marker = row_of(build_table("f =~ start(0.7)*x1 + x2 + x3"), "f =~ x1")
    assert (marker.free, marker.value) == (False, 0.7)


def test_what_is_named_is_free() -> None:
    table = build_table("f =~ x1\ng =~ x2 + x3 + x4\nx1 ~~ x1\ng ~ 1")
    assert row_of(table, "x1 ~~ x1").free
    assert row_of(table, "g ~1").free


def test_single_indicator_has_no_residual() -> None:
    table = build_table("f =~ x1\ng =~ x2 + x3 + x4")
    assert (row_of(table, "x1 ~~ x1").free, row_of(table, "x1 ~~ x1").value) == (False, 0.0)


def test_second_order_factor() -> None:
    table = build_table("f =~ x1 + x2\ng =~ x3 + x4\nh =~ f + g")
    assert "f ~~ g" not in [row.name for row in table.rows]
    assert row_of(table, "h =~ f").value == 1.0
    assert table.blocks[0].second_order


def test_intercepts_switch_the_mean_structure_on() -> None:
    table = build_table("f =~ x1 + x2 + x3\nx1 ~ 0*1\nf ~ NA*1")
    assert table.mean_structure
    assert not row_of(table, "x1 ~1").free
    assert row_of(table, "f ~1").free
    assert row_of(table, "x2 ~1").free


def test_several_left_sides() -> None:
    table = build_table("f =~ x1 + x2 + x3 + x4\nx1 + x2 ~~ x3")
    assert {"x1 ~~ x3", "x2 ~~ x3"} <= set(free_names(table))


def test_two_levels_have_their_own_blocks_and_intercepts_between() -> None:
    table = build_table("level: 1\nw =~ x1 + x2 + x3\nlevel: between\nb =~ x1 + x2 + x3")
    assert [(block.level, block.latent) for block in table.blocks] == [(1, ("w",)), (2, ("b",))]
    assert not row_of(table, "x1 ~1", level=1).free
    assert row_of(table, "x1 ~1", level=2).free
    assert table.two_level


def test_groups_share_what_is_equal() -> None:
    table = build_table("f =~ x1 + x2 + x3", n_groups=2, group_equal=("loadings", "intercepts"))
    assert row_of(table, "f =~ x2", 1).index == row_of(table, "f =~ x2", 2).index
    assert row_of(table, "x1 ~1", 1).index == row_of(table, "x1 ~1", 2).index
    assert row_of(table, "x1 ~~ x1", 1).index != row_of(table, "x1 ~~ x1", 2).index
    assert not row_of(table, "f ~1", 1).free
    assert row_of(table, "f ~1", 2).free


def test_equal_loadings_free_the_variances_of_later_groups() -> None:
    table = build_table("f =~ x1 + x2 + x3", n_groups=2, std_lv=True, group_equal=("loadings",))
    assert not row_of(table, "f ~~ f", 1).free
    assert row_of(table, "f ~~ f", 2).free


def test_modifiers_by_group() -> None:
    table = build_table("f =~ x1 + c(0.5, NA)*x2 + c(a, a)*x3 + c(b1, b2)*x4 + d*x5", n_groups=2)
    assert (row_of(table, "f =~ x2", 1).free, row_of(table, "f =~ x2", 2).free) == (False, True)
    for name, equal in (("f =~ x3", True), ("f =~ x4", False), ("f =~ x5", True)):
        assert (row_of(table, name, 1).index == row_of(table, name, 2).index) is equal


def test_ordered_items_have_thresholds_and_no_free_residual() -> None:
    table = build_table("f =~ x1 + x2 + x3", ordered={"x1": 3, "x2": 2, "x3": 2})
    assert free_names(table)[2:6] == ["x1 | t1", "x1 | t2", "x2 | t1", "x3 | t1"]
    assert not row_of(table, "x1 ~~ x1").free
    assert row_of(table, "x1 ~*~ x1").value == 1.0


def test_added_rows_are_free_parameters_at_the_end() -> None:
    table = build_table("f =~ x1 + x2 + x3 + x4")
    extra = [row for row in table.rows if row.name == "f =~ x1"]
    assert table.with_rows(extra).free_rows[-1].index == table.n_free


@pytest.mark.parametrize(
    ("text", "line", "column", "expected", "found"),
    [
        ("f =~ x1 + + x2", 1, 11, "the name of an item or a factor", "'+'"),
        ("f =~ x1\ng x2", 2, 3, "=~, ~~ or ~1", "'x2'"),
        ("f =~ x1 x2", 1, 9, "'+', ';' or a new line", "'x2'"),
        ("f =~ 1*", 1, 8, "the name of an item or a factor", "the end of the model"),
        ("f =~ 1 x1", 1, 8, "'*' after a modifier", "'x1'"),
        ("f =~ x1 + x2\n  y ~ x1", 2, 7, "regressions are not offered", "'x1'"),
        ("f =~ x1\nx1 ~ 0.5*x2", 2, 10, "regressions are not offered", "'x2'"),
        ("f =~ x1\nx1 ~ ;", 2, 6, "1, a number or a label", "the end of the statement"),
        ("a == b", 1, 3, "constraints (==) are not offered", "'=='"),
        ("f =~ x1\nb := 2", 2, 3, "defined parameters", "':='"),
        ("f =~ x1 @ x2", 1, 9, "a name, a number or an operator", "'@'"),
        ("", 1, 1, "a statement such as", "the end of the model"),
        ("# nothing", 1, 10, "a statement such as", "the end of the model"),
        ("level: 3\nf =~ x1", 1, 8, "level 1 or 2", "'3'"),
        ("level: 1\nf =~ x1", 2, 8, "both a 'level: 1' and a 'level: 2'", "the end of the model"),
        ("f =~ x1\nlevel: 1", 2, 8, "no statement before the first", "'1'"),
        ("level: 1 f =~ x1", 1, 10, "a new line after the level", "'f'"),
        ("group: 1\nf =~ x1", 1, 1, "groups are named by a column", "'group'"),
        ("f =~ c(1,2*x1", 1, 11, "',' or ')'", "'*'"),
        ("f =~ c(1,)*x1", 1, 10, "a number, NA or a label", "')'"),
        ("f =~ x1 + start(a)*x2", 1, 18, "a number as start value", "')'"),
        ('f =~ x1 + equal("f=~x1")*x2', 1, 11, "give equal parameters the same label", "'equal'"),
        ("f =~ x1 + -a*x2", 1, 12, "a number, NA or a label", "'a'"),
        ("f =~ f + x1", 1, 6, "an item that is not the factor itself", "'f'"),
    ],
)
def test_errors_say_where_and_what(text: str, line: int, column: int, expected: str, found: str) -> None:
    with pytest.raises(ModelSyntaxError) as caught:
        parse_model(text)
    assert (caught.value.line, caught.value.column, caught.value.found) == (line, column, found)
    assert expected in caught.value.expected
    assert str(caught.value).startswith(f"line {line}, column {column}: expected ")


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        ("x1 ~~ x2", {}, "has no factor"),
        ("level: 1\nf =~ x1\nlevel: 2\nx1 ~~ x1", {"n_groups": 1}, ""),
        ("f =~ x1 + c(1, 2, 3)*x2", {"n_groups": 2}, "3 modifiers"),
        ("f =~ g + x1\ng =~ f + x2", {}, "measures itself"),
        ("level: 1\nf =~ x1 + x2\nlevel: 2\nx1 =~ x2 + x3", {}, "in one level and an item in the other"),
        ("f =~ x1 + x2", {"group_equal": ("everything",)}, "not 'everything'"),
    ],
)
def test_models_that_cannot_be(text: str, options: dict, sentence: str) -> None:  # type: ignore[type-arg]
    if not sentence:  # a level without factors is a saturated one
        assert build_table(text, **options).two_level
        return
    with pytest.raises(ModelError, match=sentence):
        build_table(text, **options)
