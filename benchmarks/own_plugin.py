"""A plugin of a benchmark's own, installed while it is needed: one that does nothing is a baseline."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_plugin(name: str, source: str) -> Iterator[None]:
    """The module ``source`` is a plugin for this process and those that it starts, as pip would lay it out."""
    paths, inherited = list(sys.path), os.environ.get("PYTHONPATH")
    with tempfile.TemporaryDirectory() as folder:
        info = Path(folder) / f"vmeet_{name}-1.dist-info"
        info.mkdir()
        (Path(folder) / f"vmeet_{name}.py").write_text(source, encoding="utf-8")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vmeet-{name}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[vmeet]\n{name} = vmeet_{name}\n")
        sys.path.insert(0, folder)
        os.environ["PYTHONPATH"] = os.pathsep.join([folder, inherited or ""])
        try:
            yield
        finally:
            sys.path[:] = paths
            if inherited is None:
                del os.environ["PYTHONPATH"]
            else:
                os.environ["PYTHONPATH"] = inherited
