"""Which executor the settings name, and what the core does without."""

import subprocess
import sys

import pytest
from executor_stage import dask_settings

from vmeet_core.pipeline.executors import LocalExecutor, make_executor
from vmeet_core.settings import SettingsError, extras, load_settings


def test_processes_of_this_machine_are_the_default() -> None:
    assert isinstance(make_executor(load_settings(None, {})), LocalExecutor)


def test_a_missing_extra_and_a_wrong_place_are_settings_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"pipeline\.files: nonsense://x cannot be used: ValueError"):
        make_executor(dask_settings("tcp://127.0.0.1:1", files="nonsense://x"))
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'vmeet-core\[dask\]'"):
        make_executor(dask_settings("tcp://127.0.0.1:1"))


def test_the_core_imports_neither_dask_nor_fsspec() -> None:
    code = (
        "import sys, vmeet_core.server.app, vmeet_core.pipeline.child, vmeet_core.cli.process; "
        "sys.exit(str(sorted({'distributed', 'dask', 'fsspec', 's3fs'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"
