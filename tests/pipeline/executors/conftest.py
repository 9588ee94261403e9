"""A Dask cluster of real processes, and steps for it."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from dask_processes import DaskProcesses
from denoiser_kinds import PROVIDERS
from executor_stage import Stage

from vmeet_core.pipeline.executors.dask_executor import DaskExecutor
from vmeet_core.settings import Settings

TESTS = Path(__file__).parents[2]
#: A denoiser that waits for ``go`` in a folder, and leaves a line in ``runs`` there each time it begins.
PATIENT = """
import os, time
from pathlib import Path
from vmeet_core.hookspecs import DenoiserStream, Options

KINDS = ("patient",)

class FakeOptions(Options):
    folder: str = ""

class Stream(DenoiserStream):
    def __init__(self, options, kind):
        self.folder = Path(options.folder)
        with (self.folder / "runs").open("a") as runs:
            runs.write(f"{os.getpid()} {os.getppid()}\\n")
        (self.folder / "started").touch()
    def process(self, audio):
        while not (self.folder / "go").exists():
            time.sleep(0.02)
        return audio * 0.5
"""


@pytest.fixture(scope="module")
def plugin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the patient denoiser, installed as pip does it."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "patient_denoiser.py").write_text(PATIENT + PROVIDERS)
    info = folder / "patient_denoiser-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: patient-denoiser\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[vmeet]\npatient-denoiser = patient_denoiser\n")
    return folder


@pytest.fixture(scope="module")
def worker_environment(plugin_folder: Path) -> dict[str, str]:
    path = os.pathsep.join([str(plugin_folder), str(TESTS)])
    return {"PYTHONPATH": path, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, worker_environment: dict[str, str]) -> Iterator[DaskProcesses]:
    """A scheduler and two workers of one thread. Workers may be killed: their nannies start them again."""
    processes = DaskProcesses(tmp_path_factory.mktemp("dask"), worker_environment)
    processes.start_scheduler()
    processes.start_worker()
    processes.start_worker("--resources", "GPU=1")
    yield processes
    processes.end_all()


@pytest.fixture
def empty_cluster(tmp_path: Path, worker_environment: dict[str, str]) -> Iterator[DaskProcesses]:
    """Nothing runs until the test starts it."""
    (tmp_path / "dask").mkdir()
    processes = DaskProcesses(tmp_path / "dask", worker_environment)
    yield processes
    processes.end_all()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


MakeExecutor = Callable[[Settings], DaskExecutor]


@pytest.fixture
async def make_executor() -> AsyncIterator[MakeExecutor]:
    """``make_executor(settings)``: started, and closed at the end."""
    made: list[DaskExecutor] = []

    def make(settings: Settings) -> DaskExecutor:
        executor = DaskExecutor(settings)
        made.append(executor)
        executor.start(lambda: None)
        return executor

    yield make
    for executor in made:
        await executor.close()
