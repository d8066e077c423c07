"""Reader for lavaan's model syntax.

Read are ``=~`` (measured by), ``~~`` (variance, covariance), ``~ 1`` (intercept, mean), the modifiers of a term
(``1*x`` fixed, ``NA*x`` free, ``name*x`` labelled: equal labels mean equal parameters, ``start(0.8)*x``, and
``c(…)*x`` with one entry per group), ``level: 1`` / ``level: 2`` blocks, newlines or ``;`` between statements and
comments after ``#`` or ``!``. A statement goes on over a line end after an operator and before a ``+``.

Syntax after Rosseel (2012), lavaan: an R package for structural equation modeling, J. Stat. Software 48(2), 1-36.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import ModelSyntaxError

_TOKENS = re.compile(
    r"""(?P<space>[ \t\r\f\u00a0]+)
      | (?P<comment>[#!][^\n]*)
      | (?P<end>[\n;])
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[^\W\d][\w.]*|\.[^\W\d][\w.]*)
      | (?P<text>"[^"\n]*")
      | (?P<operator>=~|~\*~|~~|<~|:=|==|~|<|>|\||\+|-|\*|\(|\)|,|:|\?)""",
    re.VERBOSE,
)
_REFUSED = {
    "~*~": "scaling factors (~*~)", "<~": "formative factors (<~)", ":=": "defined parameters (:=)",
    "==": "constraints (==)", "<": "constraints (<)", ">": "constraints (>)", "|": "thresholds (|)",
}  # fmt: skip


@dataclass(frozen=True)
class Modifier:
    """What stands before the ``*``, one entry per group or one for all groups.

    ``value`` is a fixed value or None; ``freed`` says that ``NA`` was written; ``start`` is a start value.
    """

    value: float | None = None
    freed: bool = False
    label: str = ""
    start: float | None = None


@dataclass(frozen=True)
class Statement:
    """One parameter as written: ``lhs op rhs`` (``rhs`` is empty for ``~1``), its modifiers and its place."""

    lhs: str
    op: str
    rhs: str
    modifiers: tuple[tuple[Modifier, ...], ...]
    level: int
    line: int
    column: int


@dataclass(frozen=True)
class ModelSyntax:
    """The statements of a model text in the order written; ``two_level`` if it has ``level:`` blocks."""

    statements: tuple[Statement, ...]
    two_level: bool


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int
    column: int

    def shown(self) -> str:
        """The token as it is named in an error."""
        if self.kind == "end":
            return "the end of the statement" if self.text else "the end of the model"
        return f"'{self.text}'"


def parse_model(text: str) -> ModelSyntax:
    """Read a model text.

    Raises :class:`~analysis.psychometrics.ml.result.ModelSyntaxError` with line, column and what was expected.
    """
    return _Reader(_tokenise(text)).read()


def _tokenise(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, line, line_start = 0, 1, 0
    while position < len(text):
        match = _TOKENS.match(text, position)
        column = position - line_start + 1
        if match is None:
            raise ModelSyntaxError(line, column, "a name, a number or an operator", f"'{text[position]}'")
        kind, value = str(match.lastgroup), match.group()
        if kind not in ("space", "comment"):
            tokens.append(_Token(kind, value, line, column))
        position = match.end()
        if value == "\n":
            line, line_start = line + 1, position
    tokens.append(_Token("end", "", line, position - line_start + 1))
    return tokens


class _Reader:
    """Recursive descent over the tokens of one model text."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.level = 1
        self.levels_seen: list[int] = []
        self.statements: list[Statement] = []

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def read(self) -> ModelSyntax:
        while True:
            self._skip_ends()
            if self.token.text == "":
                break
            if self.token.text in ("level", "group") and self.tokens[self.at + 1].text == ":":
                self._read_level()
            else:
                self._read_formula()
        if not self.statements:
            raise self._unexpected("a statement such as 'f =~ x1 + x2 + x3'")
        if self.levels_seen and sorted(self.levels_seen) != [1, 2]:
            raise self._unexpected("both a 'level: 1' and a 'level: 2' block")
        return ModelSyntax(tuple(self.statements), two_level=bool(self.levels_seen))

    def _unexpected(self, expected: str, token: _Token | None = None) -> ModelSyntaxError:
        token = token or self.token
        return ModelSyntaxError(token.line, token.column, expected, token.shown())

    def _skip_ends(self) -> None:
        while self.token.kind == "end" and self.token.text:
            self.at += 1

    def _skip_newlines(self) -> None:
        while self.token.text == "\n":
            self.at += 1

    def _take(self, text: str, expected: str) -> _Token:
        if self.token.text != text:
            raise self._unexpected(expected)
        self.at += 1
        return self.tokens[self.at - 1]

    def _take_name(self, expected: str) -> _Token:
        if self.token.kind != "name":
            raise self._unexpected(expected)
        self.at += 1
        return self.tokens[self.at - 1]

    def _more_terms(self) -> bool:
        """Whether a '+' follows, here or on one of the next lines; it is taken."""
        ahead = self.at
        while self.tokens[ahead].text == "\n":
            ahead += 1
        if self.tokens[ahead].text != "+":
            return False
        self.at = ahead + 1
        self._skip_newlines()
        return True

    def _read_level(self) -> None:
        if self.token.text == "group":
            raise self._unexpected("'level:' (groups are named by a column of the data, not in the model)")
        self.at += 2
        levels = {"1": 1, "within": 1, "2": 2, "between": 2}
        if self.token.text not in levels:
            raise self._unexpected("level 1 or 2")
        level = levels[self.token.text]
        if level in self.levels_seen or (not self.levels_seen and self.statements):
            raise self._unexpected("each level once, and no statement before the first 'level:'")
        self.at += 1
        if self.token.kind != "end":
            raise self._unexpected("a new line after the level")
        self.level = level
        self.levels_seen.append(level)

    def _read_formula(self) -> None:
        left = [self._take_name("the name of a factor or an item")]
        while self._more_terms():
            left.append(self._take_name("the name of a factor or an item"))
        operator = self.token
        if operator.text in _REFUSED:
            raise self._unexpected(f"=~, ~~ or ~1 ({_REFUSED[operator.text]} are not offered)")
        if operator.text not in ("=~", "~~", "~"):
            raise self._unexpected("=~, ~~ or ~1")
        self.at += 1
        self._skip_newlines()
        terms = [self._read_term(operator)]
        while self._more_terms():
            terms.append(self._read_term(operator))
        if self.token.kind != "end":
            raise self._unexpected("'+', ';' or a new line")
        for lhs in left:
            for rhs, modifiers, place in terms:
                self._add(lhs, "~1" if operator.text == "~" else operator.text, rhs, modifiers, place)

    def _add(self, lhs: _Token, op: str, rhs: str, modifiers: tuple[tuple[Modifier, ...], ...], place: _Token) -> None:
        if op == "=~" and lhs.text == rhs:
            raise self._unexpected("an item that is not the factor itself", place)
        pair = {lhs.text, rhs} if op == "~~" else (lhs.text, rhs)
        for at, old in enumerate(self.statements):
            old_pair = {old.lhs, old.rhs} if op == "~~" else (old.lhs, old.rhs)
            if old.op == op and old.level == self.level and old_pair == pair:
                # lavaan joins the modifiers of a term that is written twice: f =~ x1 + NA*x1 + a*x1
                self.statements[at] = Statement(
                    old.lhs, op, old.rhs, old.modifiers + modifiers, old.level, old.line, old.column
                )
                return
        self.statements.append(Statement(lhs.text, op, rhs, modifiers, self.level, place.line, place.column))

    def _read_term(self, operator: _Token) -> tuple[str, tuple[tuple[Modifier, ...], ...], _Token]:
        modifiers: list[tuple[Modifier, ...]] = []
        place = self.token
        while True:
            token = self.token
            if operator.text == "~" and token.text == "1" and self.tokens[self.at + 1].text != "*":
                self.at += 1
                return "", tuple(modifiers), place
            if token.kind == "name" and token.text not in ("NA", "c", "start", "equal"):
                self.at += 1
                if self.token.text != "*":
                    if operator.text == "~":
                        raise self._unexpected("1 after '~' (regressions are not offered)", token)
                    return token.text, tuple(modifiers), token
                modifiers.append((Modifier(label=token.text),))
            elif token.kind == "name" and self.tokens[self.at + 1].text not in ("*", "("):
                self.at += 1
                if operator.text == "~":
                    raise self._unexpected("1 after '~' (regressions are not offered)", token)
                return token.text, tuple(modifiers), token
            elif token.kind in ("number", "name", "text") or token.text == "-":
                modifiers.append(self._read_modifier())
            else:
                what = "1, a number or a label" if operator.text == "~" else "the name of an item or a factor"
                raise self._unexpected(what)
            self._take("*", "'*' after a modifier")
            self._skip_newlines()

    def _read_modifier(self) -> tuple[Modifier, ...]:
        if self.token.text == "c" and self.tokens[self.at + 1].text == "(":
            self.at += 2
            entries = [self._read_entry()]
            while self.token.text == ",":
                self.at += 1
                entries.append(self._read_entry())
            self._take(")", "',' or ')'")
            return tuple(entries)
        if self.token.text == "start":
            self.at += 1
            self._take("(", "'('")
            starts = self._read_modifier() if self.token.text == "c" else (self._read_entry(),)
            self._take(")", "')'")
            if any(entry.value is None for entry in starts):
                raise self._unexpected("a number as start value", self.tokens[self.at - 1])
            return tuple(Modifier(start=entry.value) for entry in starts)
        if self.token.text == "equal":
            raise self._unexpected("a label (give equal parameters the same label)")
        return (self._read_entry(),)

    def _read_entry(self) -> Modifier:
        negative = self.token.text == "-"
        if negative:
            self.at += 1
        token = self.token
        self.at += 1
        if token.kind == "number":
            return Modifier(value=-float(token.text) if negative else float(token.text))
        if not negative and token.text == "NA":
            return Modifier(freed=True)
        if not negative and token.kind in ("name", "text"):
            return Modifier(label=token.text.strip('"'))
        raise self._unexpected("a number, NA or a label", token)
