"""What a process asks of its system."""

import gc

from monitor.adapters.process import collect_rarely


def test_collecting_is_rare_and_spares_what_there_is() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    gc.set_threshold(700, 10, 10)
    try:
        collect_rarely()
        assert gc.get_threshold()[0] > 700
        assert gc.get_freeze_count() > frozen
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
