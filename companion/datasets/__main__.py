"""Put a MovieLens data set into the cache: ``python -m companion.datasets [100k|1m|25m]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from companion.datasets import cache_folder, load_movielens


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch, check and read a data set; return 0, or 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m companion.datasets",
        description="Fetch a MovieLens data set into the cache, unless it is there, and check it.",
        epilog="The cache folder is that of COMPANION_DATA, else the user's own.",
    )
    parser.add_argument("name", nargs="?", default="100k", choices=("100k", "1m", "25m"))
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no licence")
    options = parser.parse_args(arguments)
    try:
        data = load_movielens(options.name, verbose=not options.quiet)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"MovieLens {options.name} is in {cache_folder()}: {len(data):,} ratings, "
        f"{data.n_users:,} users, {data.n_items:,} films"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
