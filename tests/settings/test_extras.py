"""Packages that settings need and nobody has installed."""

from importlib.util import find_spec
from typing import Any

import pytest

from vmeet_core.settings import SettingsError, extras, load_settings, missing_extras

DASK = {"VMEET_PIPELINE__EXECUTOR": "dask", "VMEET_PIPELINE__DASK_SCHEDULER": "tcp://127.0.0.1:8786"}


def without(*packages: str) -> Any:
    return lambda name: None if name in packages else find_spec(name)


def test_a_package_that_is_missing_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", without("distributed", "s3fs"))
    settings = load_settings(None, {**DASK, "VMEET_PIPELINE__FILES": "s3://bucket/folder"})
    dask, s3 = missing_extras(settings)
    assert (dask.key, s3.key) == ("pipeline.executor", "pipeline.files")
    assert "needs the Python package distributed, which is not installed" in dask.message
    assert dask.remedy == "Run: pip install 'vmeet-core[dask]'"
    assert s3.remedy == "Run: pip install 'vmeet-core[s3]'"


def test_processes_need_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", without("distributed", "fsspec", "s3fs"))
    assert missing_extras(load_settings(None, {})) == []


def test_with_everything_installed_nothing_is_missing() -> None:
    assert missing_extras(load_settings(None, {**DASK, "VMEET_PIPELINE__FILES": "s3://bucket"})) == []


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"VMEET_PIPELINE__EXECUTOR": "dask"}, "should name the scheduler"),
        (DASK | {"VMEET_PIPELINE__DASK_SCHEDULER": "127.0.0.1"}, 'should be "tcp://HOST:PORT"'),
        (DASK | {"VMEET_PIPELINE__DASK_SCHEDULER": "tls://h:1"}, r"dask_tls_key: .*should name a file"),
        (DASK | {"VMEET_PIPELINE__FILES": "bucket"}, "should be an address such as"),
    ],
)
def test_addresses_are_checked(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(None, environment)
