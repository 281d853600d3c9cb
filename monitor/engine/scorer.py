"""What the pipeline asks of a classifier. Without one every score is unknown."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.engine.batch import Batch
from monitor.engine.views import Views


class Scorer(Protocol):
    @property
    def version(self) -> str: ...

    @property
    def categories(self) -> tuple[str, ...]:
        """Column order of `score`."""
        ...

    def score(self, views: Views, batch: Batch) -> NDArray[np.float32]:
        """float32[n, categories], calibrated probabilities. The result of an event does not depend on its batch."""
        ...
