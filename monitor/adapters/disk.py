"""What makes files last."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file's or a folder's content is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
