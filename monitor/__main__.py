"""The command `redpost`, also as `python -m monitor`."""

import sys

from monitor.cli.app import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
