"""``python -m analysis.psychometrics``: the engine on the command line.

Exit code 0: done; 2: the input does not allow an answer, and one sentence on standard error says why.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from .cli import describe, models
from .errors import AnalysisInputError

#: What one types: the program of the package teamspiegel-psychometrics (README.md), or the engine inside Teamspiegel.
_NAME = f"python -m {__package__}" if "." in __package__ else __package__.replace("_", "-")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence instead of printing the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    parser: argparse.ArgumentParser = _Parser(
        prog=_NAME,
        description="Psychometrics for Likert scales answered by people in teams.",
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    models.add_parsers(subparsers)
    describe.add_parsers(subparsers)
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except AnalysisInputError as error:
        print(f"{parser.prog} {chosen.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # the reader of our output has gone, as in "| head"
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    sys.exit(main())
