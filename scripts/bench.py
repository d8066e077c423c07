"""Runs benchmarks: all of bench/ (`make bench`), or one (`make bench-page` is bench/page.py)."""

import subprocess
import sys

from scripts.setup import ROOT

# what the benchmarks share, and what is a proof
OTHERS = ("__init__", "figures", "production", "faults", "large_study")


def names() -> list[str]:
    return sorted(file.stem for file in (ROOT / "bench").glob("*.py") if file.stem not in OTHERS)


def main(wanted: list[str]) -> int:
    chosen = [name.replace("-", "_") for name in wanted] or names()
    if unknown := [name for name in chosen if name not in names()]:
        print(f"There is no benchmark {unknown[0]}; there are {', '.join(names())}.")
        return 2
    failed = []
    for name in chosen:
        print(f"\n=== {name}", flush=True)
        if subprocess.call([sys.executable, "-m", f"bench.{name}"], cwd=ROOT):
            failed.append(name)
    print(f"\nTargets not met: {', '.join(failed)}" if failed else "\nAll targets met.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
