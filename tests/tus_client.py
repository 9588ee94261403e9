"""Uploads as a program makes them, by the tus protocol."""

import base64
import hashlib
from typing import Any

TUS = {"Tus-Resumable": "1.0.0"}
PART = TUS | {"Content-Type": "application/offset+octet-stream"}


def metadata(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


async def create(client: Any, length_bytes: int, **values: str) -> Any:
    """The answer to a wish for an upload."""
    headers = TUS | {"Upload-Length": str(length_bytes), "Upload-Metadata": metadata(**values)}
    return await client.post("/api/uploads", headers=headers)


async def send(client: Any, address: str, offset_bytes: int, data: Any, **headers: str) -> Any:
    """The answer to a part."""
    return await client.patch(address, headers=PART | {"Upload-Offset": str(offset_bytes)} | headers, data=data)


async def offset(client: Any, address: str) -> int:
    answer = await client.head(address, headers=TUS)
    assert answer.status == 200
    return int(answer.headers["Upload-Offset"])


async def upload(client: Any, data: bytes, **values: str) -> str:
    """Everything at once; the id."""
    created = await create(client, len(data), **values)
    assert created.status == 201, await created.text()
    address = created.headers["Location"]
    answer = await send(client, address, 0, data)
    assert answer.status == 204, await answer.text()
    return str(address.rpartition("/")[2])


def checksum(data: bytes, algorithm: str = "sha1") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


async def code(answer: Any) -> tuple[int, str]:
    """Status and code of a failure."""
    return answer.status, (await answer.json())["error"]["code"]
