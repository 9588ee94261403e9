"""Bake-offs between installed plugins. Each kind of provider has a module with an ``EVALUATOR``, loaded when asked for.

A new kind is one more entry here and one module beside ``denoisers.py``.
"""

import importlib
from collections.abc import Mapping
from types import MappingProxyType

from vmeet_core.evaluate.comparison import Evaluator

EVALUATORS: Mapping[str, str] = MappingProxyType(
    {
        "denoisers": "vmeet_core.evaluate.denoisers",
        "frame-filters": "vmeet_core.evaluate.frame_filters",
        "transcribers": "vmeet_core.evaluate.transcribers",
    }
)


def evaluator(kind: str) -> Evaluator:
    """How providers of ``kind`` (a key of ``EVALUATORS``) are measured. Raises KeyError."""
    found: Evaluator = importlib.import_module(EVALUATORS[kind]).EVALUATOR
    return found
