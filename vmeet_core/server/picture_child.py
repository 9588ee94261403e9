"""A process that reads one uploaded picture: ``python -m vmeet_core.server.picture_child PARENT_PID``.

The upload comes in on stdin, the JPEG as it is to be kept goes out on stdout, or the reason why there is none: the exit
code tells which. A file that breaks a decoder breaks this process alone, it cannot take more memory or time than it is
given, and while it is decoded the server forwards packets: libwebp holds Python's lock for a second a picture.
"""

import sys

from vmeet_core.child_process import be_nice, die_with_parent
from vmeet_core.effects.pictures import UnknownType, decode_picture, encoded_jpeg

OK, UNKNOWN_TYPE, BAD_PICTURE = 0, 10, 11  #: exit codes; any other one is a crash
MOST_MEMORY_BYTES = 2 << 30  #: 40 million transparent pixels, turned and blended, take 1.2 GB
MOST_CPU_S = 30
NICENESS = 10  #: meetings come first


def limit() -> None:
    """Where the system can: this machine has other things to do."""
    if sys.platform != "win32":
        import resource

        be_nice(NICENESS)
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))


def answer(upload: bytes) -> tuple[int, bytes]:
    """The exit code, and what goes out."""
    try:
        return OK, encoded_jpeg(decode_picture(upload))
    except UnknownType as error:
        return UNKNOWN_TYPE, str(error).encode()
    except ValueError as error:
        return BAD_PICTURE, str(error).encode()
    except MemoryError:
        return BAD_PICTURE, b"the picture takes too much memory; a smaller one will do"


def main() -> int:
    die_with_parent(int(sys.argv[1]))
    limit()
    code, out = answer(sys.stdin.buffer.read())
    sys.stdout.buffer.write(out)
    return code


if __name__ == "__main__":
    sys.exit(main())
