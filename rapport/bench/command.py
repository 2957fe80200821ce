"""`rapport bench`: measure, and print each figure beside its limit."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from .cluster import ClusterUnavailable
from .figures import Figure, as_json, as_line

# Name -> module with `measure(quick: bool) -> Iterator[Figure]`. Later rooms add theirs.
BENCHES = {"foundation": "foundation", "duplicates": "duplicates", "import": "imports"}


def run(args: argparse.Namespace) -> int:
    """Measure `args.name` ('all': everything). Exit code: 0, 1 when a goal is missed, 2 when it
    could not be measured."""
    if args.labelled is not None:
        from .labelled import measure

        return int(any(figure.ok is False for figure in measure(args.labelled)))
    if args.name not in ("all", *BENCHES):
        known = ", ".join(BENCHES)
        raise SystemExit(f"rapport bench: no figures called {args.name!r}; there are: {known}")
    names = BENCHES if args.name == "all" else (args.name,)
    chosen = {"only": args.only, "on": args.on} if args.only or args.on else {}
    if chosen and args.name != "import":
        raise SystemExit("rapport bench: only the figures of `import` can be chosen one by one")
    figures: list[Figure] = []
    try:
        for name in names:
            measures = import_module(f".{BENCHES[name]}", __package__)
            for figure in measures.measure(quick=args.quick, **chosen):
                figures.append(figure)
                if not args.json:
                    print(as_line(figure), flush=True)
    except ClusterUnavailable as error:
        print(f"rapport bench: {error}", file=sys.stderr)
        return 2
    if args.json:
        print(as_json(figures))
    return int(any(figure.ok is False for figure in figures))
