"""Finds modules that pass 400 lines: such a module is two, and is split at a seam of its own. Part of `make check`."""

import sys
from pathlib import Path

from scripts.setup import ROOT

LONGEST = 400
FOLDERS = ("config", "analysis", "surveys", "teams", "scripts", "bench")


def modules(root: Path = ROOT) -> list[Path]:
    """Every module but migrations, which are written once."""
    found = (path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


def too_long(root: Path = ROOT) -> list[str]:
    """A line for each module that is too long."""
    counted = ((path, len(path.read_text().splitlines())) for path in modules(root))
    return [f"{path.relative_to(root)}: {n} lines, at most {LONGEST}" for path, n in counted if n > LONGEST]


def main() -> int:
    found = too_long()
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
