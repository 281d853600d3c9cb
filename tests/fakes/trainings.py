"""Trainings in memory."""

from monitor.services.learning import KeptTraining, Training


class MemoryTrainings:
    """Implements `KeptTrainings`."""

    def __init__(self) -> None:
        self.kept: dict[str, KeptTraining] = {}

    async def latest(self, tenant: str) -> KeptTraining | None:
        return self.kept.get(tenant)

    async def begin(self, training: Training, *, silent: int) -> bool:
        before = self.kept.get(training.tenant)
        if before is not None and before.alive_at is not None and before.alive_at > silent:
            return False
        self.kept[training.tenant] = KeptTraining(training, training.asked_at)
        return True

    async def change(self, training: Training, *, alive_at: int | None) -> None:
        before = self.kept.get(training.tenant)
        if before is not None and before.training.asked_at == training.asked_at:
            self.kept[training.tenant] = KeptTraining(training, alive_at)
