"""What a worker keeps of an area."""

from pathlib import Path

import pytest

from vmeet_core.pipeline.executors.area import Area
from vmeet_core.pipeline.executors.remote_files import RemoteFiles
from vmeet_core.pipeline.executors.remote_messages import Exchanged
from vmeet_core.pipeline.process import StepFailed
from vmeet_core.settings import Pipeline


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An area with three files of a hundred bytes."""
    made = f"file://{tmp_path}/area"
    for name in "abc":
        (tmp_path / name).write_text(name * 100)
        Area(made, {}).put(tmp_path / name, f"in/{name}")
    return made


def files_of(url: str, tmp_path: Path, task: str, limit_bytes: int = 250, **place: dict[str, str]) -> RemoteFiles:
    given = {"inputs": {}, "files": {}, **place}
    pipeline = Pipeline(files_cache_bytes=limit_bytes)
    exchanged = Exchanged(url=url, results=f"tries/{task}", **given)
    return RemoteFiles(exchanged, tmp_path / task, tmp_path / "cache", pipeline)


async def test_a_file_is_fetched_once_and_the_oldest_make_room(url: str, tmp_path: Path) -> None:
    first = files_of(url, tmp_path, "first", inputs={"x": "in/a", "y": "in/b"})
    inputs, _ = await first.bring({})
    assert inputs["x"].read_text() == "a" * 100
    (tmp_path / "area/in/a").unlink()  # it is not asked for again
    again, _ = await files_of(url, tmp_path, "second", inputs={"x": "in/a", "z": "in/c"}).bring({})
    assert again["x"].read_text() == "a" * 100
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["in_a", "in_c"]
    assert inputs["y"].read_text() == "b" * 100  # whoever has it keeps it


async def test_paths_in_parameters_are_those_of_the_worker(url: str, tmp_path: Path) -> None:
    files = files_of(url, tmp_path, "one", files={"/films/a.mkv": "in/a", "segments/b.mkv": "in/b"})
    _, params = await files.bring({"segments": [{"file": "/films/a.mkv"}], "other": "about /films/a.mkv", "n": 1})
    renamed = params["segments"][0]["file"]
    assert (tmp_path / "one/read" / Path(renamed).name).read_text() == "a" * 100
    assert renamed.startswith(str(tmp_path))
    assert (params["other"], params["n"]) == ("about /films/a.mkv", 1)
    assert (files.folder / "segments/b.mkv").read_text() == "b" * 100


async def test_what_is_made_goes_to_the_folder_of_the_try(url: str, tmp_path: Path) -> None:
    files = files_of(url, tmp_path, "one")
    (files.results / "out.txt").write_text("made")
    await files.send(["out.txt"])
    assert (tmp_path / "area/tries/one/out.txt").read_text() == "made"


async def test_faults_say_what_is_wrong(url: str, tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="FileNotFoundError") as caught:
        await files_of(url, tmp_path, "one", inputs={"x": "in/gone"}).bring({})
    assert caught.value.retry_after_s
    with pytest.raises(StepFailed, match=r"\.\./escape is no file of the recording"):
        await files_of(url, tmp_path, "two", files={"../escape": "in/a"}).bring({})
    with pytest.raises(StepFailed, match="nonsense://x cannot be used"):
        files_of("nonsense://x", tmp_path, "three")
