"""What lies in folders, or the reason why that can't be told: Path.glob passes over a folder that it can't list."""

from fnmatch import fnmatchcase
from pathlib import Path


def listed(folder: Path, *patterns: str) -> list[Path]:
    """The paths below `folder` that match, one pattern for each level, in order; none where it does not exist.

    Raises OSError.
    """
    if not patterns:
        return [folder]
    try:
        inside = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    first, *others = patterns
    return [found for path in inside if fnmatchcase(path.name, first) for found in listed(path, *others)]
