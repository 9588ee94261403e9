"""A look at a file, in a process of its own."""

import asyncio
from pathlib import Path

import pytest
from material import beep, write_opus, write_pictures
from PIL import Image

from vmeet_core.media import media_child
from vmeet_core.media.media_check import NoMedia, checked_media


async def test_sound_and_pictures_and_their_length(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a.mkv", 1.0, codec="h264")
    write_opus(tmp_path / "b", 2.0, beep(0.5))
    assert await checked_media(tmp_path / "a.mkv") == pytest.approx(1.0, abs=0.1)
    assert await checked_media(tmp_path / "b") == pytest.approx(2.0, abs=0.1)


async def test_what_is_none(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a.mkv", 1.0)
    Image.new("RGB", (64, 64)).save(tmp_path / "still.png")
    (tmp_path / "half.mkv").write_bytes((tmp_path / "a.mkv").read_bytes()[:100])
    for name in ("still.png", "half.mkv"):
        with pytest.raises(NoMedia) as caught:
            await checked_media(tmp_path / name)
        assert str(tmp_path) not in str(caught.value)  # whoever uploads learns nothing of this machine


@pytest.mark.parametrize(
    "text", ["#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile '{}'\n"]
)
async def test_playlists_are_not_followed(tmp_path: Path, text: str) -> None:
    """The file that they name would be fine."""
    write_pictures(tmp_path / "a.mkv", 1.0)
    (tmp_path / "list.mp4").write_text(text.format(tmp_path / "a.mkv"))
    with pytest.raises(NoMedia):
        await checked_media(tmp_path / "list.mp4")


async def test_a_file_that_breaks_the_process_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code of a crash is neither that of media nor that of none."""
    real = asyncio.create_subprocess_exec

    async def crashing(program: str, *arguments: str, **options: object) -> asyncio.subprocess.Process:
        return await real(program, "-c", "import os; os.abort()", **options)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", crashing)
    with pytest.raises(NoMedia, match="broke the process"):
        await checked_media(tmp_path / "a.mkv")


async def test_who_waits_too_long_is_told(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a.mkv", 1.0)
    with pytest.raises(NoMedia, match=r"within 0\.001 s"):
        await checked_media(tmp_path / "a.mkv", most_s=0.001)


def test_the_formats_are_ffmpegs() -> None:
    import av

    known = {name for each in av.formats_available for name in each.split(",")}
    assert set(media_child.FORMATS) - known == set()
    assert not {"hls", "concat", "dash", "image2", "lavfi", "sdp"} & set(media_child.FORMATS)
