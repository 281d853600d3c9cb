"""The classifiers that a service may judge by."""

from pathlib import Path

from monitor.adapters.ml.folder import load_model
from monitor.engine.scorer import Scorer


class ModelShelf:
    """One folder, or none at all. What was loaded once stays the same."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._known: dict[str, Scorer] = {}

    def serving(self) -> Scorer | None:
        """Raises ConfigError for what is no sound model."""
        if self._folder is None:
            return None
        scorer = load_model(self._folder).scorer()
        return self._known.setdefault(scorer.version, scorer)

    def of(self, version: str) -> Scorer | None:
        """The one of this version, None where it is not kept any more."""
        return self._known.get(version) if version else None
