"""Finds modules that pass 400 lines: such a module is two, and is split at a seam of its own. Part of `make check`."""

import sys
from pathlib import Path

from scripts.setup import ROOT

LONGEST = 400
FOLDERS = ("config", "analysis", "surveys", "teams", "scripts", "bench")


def modules(root: Path = ROOT) -> list[Path]:
    """Every module but migrations, which are written once."""
    paths = (path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    return sorted(path for path in paths if "migrations" not in path.parts)


def too_long(root: Path = ROOT) -> list[str]:
    """A line for each module that is too long."""
    counted = ((path, len(path.read_text().splitlines())) for path in modules(root))
    return [f"{path.relative_to(root)}: {n} lines, at most {LONGEST}" for path, n in counted if n > LONGEST]


def main() -> int:
    long_modules = too_long()
    print("\n".join(long_modules))
    return 1 if long_modules else 0


if __name__ == "__main__":
    sys.exit(main())
