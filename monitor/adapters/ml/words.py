"""Cutting Chinese text into words."""

import logging
import warnings

from monitor.domain.errors import ConfigError
from monitor.services.suggesting import Words


def words() -> Words:
    """jieba's, with its own dictionary. Raises ConfigError where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of how it looks for its own files
            import jieba  # type: ignore[import-untyped]
    except ImportError as error:
        raise ConfigError("cutting text into words needs jieba, which is not installed",
                          hint="pip install 'redpost[train]'") from error
    jieba.setLogLevel(logging.WARNING)
    cut: Words = jieba.Tokenizer().lcut
    return cut
