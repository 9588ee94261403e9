"""What the settings ask for and only an extra of the package brings."""

from importlib.util import find_spec

from vmeet_core.settings.models import Settings
from vmeet_core.settings.problems import Problem

#: fsspec's own protocols need nothing more; of the others, those that an extra of ours brings.
_PROTOCOLS = {"s3": ("s3fs", "s3"), "s3a": ("s3fs", "s3")}


def missing_extras(settings: Settings) -> list[Problem]:
    """Of packages that are not installed, the key that needs them and how to install them."""
    pipeline = settings.pipeline
    if pipeline.executor != "dask":
        return []
    wanted = [("pipeline.executor", "distributed", "dask"), ("pipeline.executor", "fsspec", "dask")]
    protocol = pipeline.files.partition("://")[0]
    if protocol in _PROTOCOLS:
        wanted.append(("pipeline.files", *_PROTOCOLS[protocol]))
    return [
        Problem(
            str(settings.file or ""),
            key,
            f"needs the Python package {package}, which is not installed.",
            f"Run: pip install 'vmeet-core[{extra}]'",
        )
        for key, package, extra in wanted
        if find_spec(package) is None
    ]
