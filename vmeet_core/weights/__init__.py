"""Model files: where they come from, how they are checked, and where they are kept."""

from vmeet_core.weights.download import Patience
from vmeet_core.weights.store import State, WeightStore
from vmeet_core.weights.transfer import Progress, WeightError

__all__ = ["Patience", "Progress", "State", "WeightError", "WeightStore"]
