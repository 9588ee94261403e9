"""Packages that only bake-offs need."""

import importlib
from types import ModuleType

from vmeet_core.evaluate.compare_error import CompareError


def extra(module: str) -> ModuleType:
    """Raises CompareError naming the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise CompareError(
            f"the package {package} is needed to measure: run pip install 'vmeet-core[evaluate]' "
            "(PESQ, of that extra, wants a C compiler)"
        ) from error
