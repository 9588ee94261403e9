"""Where the steps of jobs run: processes of this machine, or a Dask cluster."""

from vmeet_core.pipeline.executors.executor import Executor, StepWaits
from vmeet_core.pipeline.executors.local import LocalExecutor
from vmeet_core.settings import Settings, SettingsError, missing_extras

__all__ = ["Executor", "LocalExecutor", "StepWaits", "make_executor"]


def make_executor(settings: Settings) -> Executor:
    """What ``pipeline.executor`` names. Raises SettingsError when a package is missing, or ``files`` is wrong."""
    if settings.pipeline.executor == "processes":
        return LocalExecutor(settings.pipeline)
    problems = missing_extras(settings)
    if problems:
        raise SettingsError(problems)
    from vmeet_core.pipeline.executors.dask_executor import DaskExecutor  # an extra: nobody else imports it

    return DaskExecutor(settings)
