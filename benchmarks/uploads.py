"""What an upload and an export cost the server: ``python benchmarks/uploads.py --megabytes 1000``.

A server of its own takes a file by tus, and gives one of that size as a zip file, while another client asks for its
health. The last line is JSON: seconds, megabytes a second, the server's memory above what it held before, and how long
the answers took.
"""

import argparse
import asyncio
import base64
import json
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import browsers

PART_BYTES = 64 << 20
PAUSE_S = 0.02
HEAD = b"\x1aE\xdf\xa3"  # so that the first bytes are those of Matroska


async def measure(megabytes: int) -> dict[str, Any]:
    """The file holds nothing that plays: it is refused at the very end, and then put where an upload would be."""
    with tempfile.TemporaryDirectory() as folder:
        server = browsers.Server(Path(folder))
        await server.start()
        try:
            async with aiohttp.ClientSession(server.url) as client:
                upload = await timed(server, client, send(client, megabytes * 1_000_000))
                recording_id = await recorded(server, client, megabytes * 1_000_000)
                export = await timed(server, client, receive(client, recording_id))
        finally:
            server.stop()
    rate = {name: round(megabytes / found["seconds"], 1) for name, found in (("upload", upload), ("export", export))}
    return {"megabytes": megabytes, "upload": upload, "export": export, "megabytes_a_second": rate}


async def timed(server: browsers.Server, client: aiohttp.ClientSession, work: Any) -> dict[str, float]:
    assert server.process is not None
    before = rss_bytes(server.process.pid)
    watch = asyncio.create_task(watched(client, server.process.pid))
    began_s = time.monotonic()
    await work
    seconds = time.monotonic() - began_s
    watch.cancel()
    delays_s, peak = await watch
    delays_s.sort()
    return {
        "seconds": round(seconds, 2),
        "memory_mb": round((peak - before) / 1e6, 1),
        "health_p50_ms": round(1000 * delays_s[len(delays_s) // 2], 1),
        "health_p99_ms": round(1000 * delays_s[int(len(delays_s) * 0.99)], 1),
    }


async def watched(client: aiohttp.ClientSession, pid: int) -> tuple[list[float], int]:
    """How long answers take, and the most memory seen, until it is cancelled."""
    delays_s, peak = [], 0
    try:
        while True:
            began_s = time.monotonic()
            async with client.get("/api/health") as answer:
                await answer.read()
            delays_s.append(time.monotonic() - began_s)
            peak = max(peak, rss_bytes(pid))
            await asyncio.sleep(PAUSE_S)
    except asyncio.CancelledError:
        return delays_s or [0.0], peak


def rss_bytes(pid: int) -> int:
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) * 1024


async def send(client: aiohttp.ClientSession, length_bytes: int) -> None:
    async with client.post("/api/uploads", headers=tus(**{"Upload-Length": str(length_bytes)})) as answer:
        address = answer.headers["Location"]
    sent = 0
    while sent < length_bytes:
        part = min(PART_BYTES, length_bytes - sent)
        headers = tus(**{"Upload-Offset": str(sent), "Content-Type": "application/offset+octet-stream"})
        async with client.patch(address, headers=headers, data=made(sent, part)) as answer:
            sent += part
            assert answer.status == (415 if sent == length_bytes else 204), await answer.text()


async def made(offset: int, length_bytes: int) -> AsyncIterator[bytes]:
    chunk = bytes(1 << 20)
    for start in range(0, length_bytes, len(chunk)):
        data = chunk[: min(len(chunk), length_bytes - start)]
        yield HEAD + data[4:] if offset == start == 0 else data


def tus(**headers: str) -> dict[str, str]:
    name = base64.b64encode(b"benchmark.mkv").decode()
    return {"Tus-Resumable": "1.0.0", "Upload-Metadata": f"filename {name},denoiser bm9uZQ==", **headers}


async def recorded(server: browsers.Server, client: aiohttp.ClientSession, length_bytes: int) -> str:
    """A recording of that size: a small film, and a large file beside it."""
    film = server.folder / "film.mkv"
    await asyncio.to_thread(small_film, film)
    headers = tus(**{"Upload-Length": str(film.stat().st_size)})
    async with client.post("/api/uploads", headers=headers) as answer:
        address = answer.headers["Location"]
    headers = tus(**{"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"})
    async with client.patch(address, headers=headers, data=film.read_bytes()) as answer:
        assert answer.status == 204, await answer.text()
    found = await browsers.finished(server)
    large = server.folder / "data" / "recordings" / found["id"] / "segments" / "large.mkv"
    large.parent.mkdir()
    with large.open("wb") as file:
        file.truncate(length_bytes)
    return str(found["id"])


def small_film(path: Path) -> None:
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for number in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((36, 64, 3), number * 20, np.uint8))))
        container.mux(stream.encode(None))


async def receive(client: aiohttp.ClientSession, recording_id: str) -> None:
    async with client.get(f"/api/recordings/{recording_id}/export") as answer:
        got = 0
        async for chunk in answer.content.iter_any():
            got += len(chunk)
        assert got == int(answer.headers["Content-Length"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000)
    print(json.dumps(asyncio.run(measure(parser.parse_args().megabytes))))
