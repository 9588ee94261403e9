"""What an ONNX file says of itself, read without a runtime and without the network's weights.

sherpa-onnx ends the whole process when it misses an entry, so that is looked at before. The format is that of protocol
buffers: ``ModelProto`` of onnx.proto, with the graph as field 7 and key-value pairs as field 14.
"""

from pathlib import Path
from typing import IO

_GRAPH, _METADATA = 7, 14
_KEY, _VALUE = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_ENTRY_BYTES = 64 << 20  # some keep their whole vocabulary here


class NotOnnx(ValueError):
    """The file is no ONNX model, or a part of one."""


def read_metadata(path: Path) -> dict[str, str]:
    """Its entries by their keys. Raises NotOnnx and OSError."""
    size_bytes, found, has_graph = path.stat().st_size, dict[str, str](), False
    with path.open("rb") as file:
        while file.tell() < size_bytes:
            field, kind, length = _head(file)
            if file.tell() + length > size_bytes:
                raise NotOnnx(f"{path.name} ends too early")
            if (field, kind) == (_METADATA, _BYTES) and length <= _MOST_ENTRY_BYTES:
                key, value = _entry(file, file.tell() + length)
                found[key] = value
            else:
                has_graph = has_graph or (field, kind) == (_GRAPH, _BYTES)
                file.seek(length, 1)
    if not has_graph:
        raise NotOnnx(f"{path.name} holds no network")
    return found


def _head(file: IO[bytes]) -> tuple[int, int, int]:
    """Number and kind of a field, and how many bytes of it follow (a number has been read by then)."""
    tag = _varint(file)
    field, kind = tag >> 3, tag & 7
    if kind == _VARINT:
        _varint(file)
        return field, kind, 0
    if kind not in (_FIXED64, _BYTES, _FIXED32) or not field:
        raise NotOnnx(f"{Path(file.name).name} is no ONNX file")
    return field, kind, {_FIXED64: 8, _FIXED32: 4}.get(kind) or _varint(file)


def _varint(file: IO[bytes]) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise NotOnnx(f"{Path(file.name).name} ends too early")
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    raise NotOnnx(f"{Path(file.name).name} is no ONNX file")


def _entry(file: IO[bytes], end: int) -> tuple[str, str]:
    texts = {_KEY: "", _VALUE: ""}
    while file.tell() < end:
        field, _, length = _head(file)
        if file.tell() + length > end:
            raise NotOnnx(f"{Path(file.name).name} is no ONNX file")
        texts[field] = file.read(length).decode(errors="replace")
    return texts[_KEY], texts[_VALUE]
