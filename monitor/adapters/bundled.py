"""What comes with the program: rules, examples and the tables of the views."""

from functools import cache
from importlib import resources
from pathlib import Path

from monitor.engine.views import ViewTables


def bundled(name: str) -> Path:
    """`rules`, `config` or `models/…` as shipped: inside the installed package, or beside it in a checkout."""
    package = Path(str(resources.files("monitor")))
    packed = package / "_bundled" / name
    return packed if packed.is_dir() else package.parent / name


def model_folder(given: str) -> Path | None:
    """The folder of the classifier that a setting names: "" is the newest version as shipped, "none" is none."""
    if given == "none":
        return None
    return Path(given) if given else max(bundled("models/default").iterdir(), key=lambda folder: int(folder.name))


@cache
def view_tables() -> ViewTables:
    return ViewTables(resources.files("monitor.engine").joinpath("data/views.npz").read_bytes())
