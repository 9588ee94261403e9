"""A process that opens one media file: ``python -m vmeet_core.media.media_child PARENT_PID PATH``.

Its exit code says whether the file holds sound or video, stdout the rest. A file that breaks a demuxer or a decoder
breaks this process alone. Playlists and other formats that lead to further files are never opened.
"""

import json
import sys
from pathlib import Path

import av

from vmeet_core.child_process import be_nice, die_with_parent
from vmeet_core.media.audio import MediaError
from vmeet_core.media.probe import first_frames

OK, NO_MEDIA = 0, 10  #: exit codes; any other one is a crash
MOST_MEMORY_BYTES = 4 << 30
MOST_CPU_S = 60
NICENESS = 10  #: meetings come first
FORMATS = (
    *("mov", "matroska", "webm", "avi", "flv", "live_flv", "asf", "mpeg", "mpegts", "mpegvideo", "mxf", "gxf", "dv"),
    *("ogg", "flac", "wav", "w64", "mp3", "aac", "aiff", "caf", "amr", "ac3", "eac3", "au", "ivf", "h264", "nut", "rm"),
)  #: FFmpeg's demuxers that read nothing but the file


def limit() -> None:
    """Where the system can: this machine has other things to do."""
    if sys.platform != "win32":
        import resource

        be_nice(NICENESS)
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))


def answer(path: Path) -> tuple[int, str]:
    """The exit code, and what goes out: JSON with ``duration_s`` (null where the header has none), or the reason."""
    try:
        duration_s = first_frames(path, {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"})
    except MediaError as error:
        return NO_MEDIA, str(error)
    except av.FFmpegError as error:
        return NO_MEDIA, f"it holds no sound or video that can be read ({error.strerror})"
    return OK, json.dumps({"duration_s": duration_s})


def main() -> int:
    die_with_parent(int(sys.argv[1]))
    limit()
    code, out = answer(Path(sys.argv[2]))
    sys.stdout.buffer.write(out.encode())
    return code


if __name__ == "__main__":
    sys.exit(main())
