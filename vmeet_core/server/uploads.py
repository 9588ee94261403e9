"""Uploads from the first byte to the recording that they become."""

import asyncio
import contextlib
import hashlib
import logging
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from vmeet_core.database import Database
from vmeet_core.media.media_check import NoMedia, checked_media
from vmeet_core.media.media_type import HEAD_BYTES, told_by_head
from vmeet_core.server.hall import Hall
from vmeet_core.server.places import Places
from vmeet_core.server.upload_files import Appender, check_room, head_of, media_path, size_of
from vmeet_core.server.upload_store import UploadRow, UploadStore

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 4  #: parts that are being received
MOST_UNFINISHED = 64
MOST_CHECKED_BYTES = 16 << 20  #: of a part with a checksum, which is held in memory until it is known to be right
MOST_CHECKS = 2  #: of whole files at one time
WRITE_BYTES = 1 << 20
IDLE_S = 60.0  #: a part of which nothing comes for so long makes way for others
ROUND_S = 600.0
ALGORITHMS = ("sha1", "sha256")
ResultT = TypeVar("ResultT")


class Content(Protocol):
    """The body of a request."""

    async def readany(self) -> bytes:
        """What has come; nothing at the end."""


class Checksum(NamedTuple):
    """Of a part, as its sender worked it out; ``algorithm`` is one of ALGORITHMS."""

    algorithm: str
    digest: bytes


class UnknownUpload(LookupError):
    """There is no such upload: it was cancelled, has expired, or is a recording by now."""


class TooManyUploads(Exception):
    """As many are unfinished as may be."""


class TooLarge(Exception):
    """More bytes than there may be; the text says how many those are."""


class WrongOffset(Exception):
    """A part does not begin where the file ends."""


class WrongChecksum(Exception):
    """A part is not what its sender sent; nothing of it is kept."""


class Superseded(Exception):
    """Another part of the same upload came, or the server ends: whoever sends asks how much is there, and goes on."""


class TooSlow(Exception):
    """Nothing came for a while; what had come is kept."""


class Uploads:
    """All that are unfinished. The hall must run before, and end after."""

    def __init__(self, hall: Hall, clock: Callable[[], float] = time.time) -> None:
        self.rules = hall.settings.uploads
        self._hall = hall
        self._clock = clock
        self._store: UploadStore | None = None
        self._places = Places(MOST_AT_ONCE)
        self._receiving: dict[str, asyncio.Task[None]] = {}
        self._finishing: dict[str, asyncio.Task[None]] = {}
        self._checks = asyncio.Semaphore(MOST_CHECKS)
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, "uploads")  # starts none before it is used
        self._creating = asyncio.Lock()  # the room that is left is looked at by one at a time
        self._closing = False

    @contextlib.asynccontextmanager
    async def running(self, database: Database) -> AsyncIterator[None]:
        """Goes on with what was unfinished when the server ended, and tidies up now and then."""
        self._store = UploadStore(database)
        await self.tidy()
        for row in await self._store.all():
            if await self._size(row) == row.length_bytes:
                self._finish(row)
        rounds = asyncio.create_task(self._rounds())
        try:
            yield
        finally:
            rounds.cancel()
            await asyncio.wait({rounds})
            await self.stop()
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def stop(self) -> None:
        """No more is received; what has come stays. Twice does no harm."""
        self._closing = True
        tasks = {*self._receiving.values(), *self._finishing.values()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # ---- what there is ----

    @property
    def store(self) -> UploadStore:
        """There once it runs."""
        if self._store is None:
            raise RuntimeError("the uploads have not been started")
        return self._store

    async def get(self, upload_id: str) -> UploadRow:
        """Raises UnknownUpload."""
        row = await self.store.get(upload_id)
        if row is None:
            raise UnknownUpload(upload_id)
        return row

    def path(self, row: UploadRow) -> Path:
        """Where the bytes lie."""
        return self._hall.recordings_dir / row.id / media_path(row.filename)

    async def offset_bytes(self, row: UploadRow) -> int:
        """How much has come. Whoever asks is about to go on: a part that hangs makes way."""
        await self._end_receiving(row.id)
        return await self._size(row)

    async def expires_at_s(self, row: UploadRow) -> float:
        """When nobody goes on with it until then."""
        return await self._in_thread(lambda: self._last_used_s(row)) + self.rules.keep_unfinished_h * 3600

    async def describe(self, row: UploadRow) -> dict[str, Any]:
        """An upload as pages show it."""
        state = "checking" if row.id in self._finishing else "receiving" if row.id in self._receiving else "waiting"
        return {
            "id": row.id,
            "filename": row.filename,
            "title": row.title,
            "length_bytes": row.length_bytes,
            "offset_bytes": await self._size(row),
            "modified_ms": row.modified_ms,
            "expires_at_s": await self.expires_at_s(row),
            "state": state,
        }

    # ---- beginning and end ----

    async def create(
        self,
        filename: str,
        title: str,
        length_bytes: int,
        modified_ms: int | None,
        metadata_text: str,
        choices: dict[str, Any],
    ) -> UploadRow:
        """A new one, of which nothing has come. Raises TooLarge, TooManyUploads, DiskNearlyFull."""
        if length_bytes > self.rules.max_bytes:
            raise TooLarge(self.limit_text())
        now_s = self._clock()
        row = UploadRow(
            id=time.strftime("%Y%m%d-%H%M%S-", time.gmtime(now_s)) + secrets.token_hex(8),
            filename=filename,
            title=title,
            length_bytes=length_bytes,
            modified_ms=modified_ms,
            metadata_text=metadata_text,
            choices=choices,
            created_at_s=now_s,
            cancelled=False,
        )
        async with self._creating:
            unfinished = await self.store.all()
            if len(unfinished) >= MOST_UNFINISHED:
                raise TooManyUploads
            missing = sum([each.length_bytes - await self._size(each) for each in unfinished])
            await self._in_thread(lambda: self._check_room(missing + length_bytes))
            await self.store.add(row)
        await self._tell(row)
        return row

    def limit_text(self) -> str:
        """How large a file may be, for people."""
        if not self.rules.max_bytes:
            return "this server takes no uploads; uploads.max_bytes in its settings is 0"
        return (
            f"a file may have {self.rules.max_bytes / 1e9:.3g} GB. Cut or compress it, or have the one who runs the "
            "server raise uploads.max_bytes"
        )

    async def cancel(self, upload_id: str, reason: str = "cancelled", message: str = "") -> None:
        """Nothing of it stays. Raises UnknownUpload, and OSError when the file cannot be deleted."""
        await self._end_receiving(upload_id)
        finishing = self._finishing.get(upload_id)
        if finishing is not None and finishing is not asyncio.current_task():
            finishing.cancel()
            await asyncio.wait({finishing})
        if not await self.store.cancel(upload_id):
            raise UnknownUpload(upload_id)
        self._hall.events.publish("upload-deleted", {"id": upload_id, "reason": reason, "message": message})
        await self._delete_rest(upload_id)

    async def tidy(self) -> None:
        """Delete what has expired, and finish what was being deleted when a server ended."""
        for row in await self.store.all(cancelled=True):
            await self._try(self._delete_rest(row.id))
        for row in await self.store.all():
            busy = row.id in self._receiving or row.id in self._finishing
            if not busy and await self.expires_at_s(row) <= self._clock():
                logger.info("the upload %s (%s) was not finished in time, and is deleted", row.id, row.filename)
                await self._try(self.cancel(row.id, "expired"))

    async def _rounds(self) -> None:
        while True:
            await asyncio.sleep(ROUND_S)
            try:
                await self.tidy()
            except Exception:
                logger.exception("uploads that have expired could not be looked for")

    async def _try(self, deletion: Any) -> None:
        try:
            await deletion
        except UnknownUpload:
            pass
        except OSError as error:
            logger.error("an upload cannot be deleted; it is tried again later: %s", error)

    async def _delete_rest(self, upload_id: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await self._in_thread(lambda: shutil.rmtree(self._hall.recordings_dir / upload_id))
        await self.store.forget(upload_id)

    # ---- what comes ----

    async def receive(self, row: UploadRow, offset_bytes: int, content: Content, checksum: Checksum | None) -> int:
        """Take a part, which begins at ``offset_bytes``; how much is there then. The last part makes it a recording.

        Raises NoPlace, Superseded, TooSlow, TooLarge, WrongOffset, WrongChecksum, DiskNearlyFull, NoMedia; and whatever
        ``content`` does. Except with a checksum, what had come is kept.
        """
        await self._end_receiving(row.id)
        if self._closing:
            raise Superseded
        with self._places.taken():
            task = asyncio.create_task(self._take(row, offset_bytes, content, checksum))
            self._receiving[row.id] = task
            try:
                await asyncio.wait({task})
            finally:
                task.cancel()
                await asyncio.wait({task})
                if self._receiving.get(row.id) is task:
                    del self._receiving[row.id]
        if task.cancelled():
            raise Superseded
        await self._raise_or_end(row, task)
        return await self._received(row)

    async def _raise_or_end(self, row: UploadRow, task: "asyncio.Task[None]") -> None:
        try:
            task.result()
        except NoMedia as error:
            await self.cancel(row.id, "no-media", str(error))
            raise

    async def _received(self, row: UploadRow) -> int:
        size_bytes = await self._size(row)
        if size_bytes == row.length_bytes:
            finishing = self._finish(row)
            await self._tell(row)
            await asyncio.wait({finishing})
            if finishing.cancelled():
                raise Superseded
            finishing.result()
        else:
            await self._tell(row)
        return size_bytes

    async def _take(self, row: UploadRow, offset_bytes: int, content: Content, checksum: Checksum | None) -> None:
        size_bytes = await self._size(row)
        if offset_bytes != size_bytes:
            raise WrongOffset(f"the part begins at {offset_bytes}, but {size_bytes} bytes are there")
        appender = Appender(self.path(row), offset_bytes, lambda: self._check_room(WRITE_BYTES))
        try:
            if checksum is None:
                await self._append(row, appender, content)
            else:
                await self._write(row, appender, await _checked(content, row.length_bytes - offset_bytes, checksum))
        finally:
            await self._in_thread(appender.close)

    async def _append(self, row: UploadRow, appender: Appender, content: Content) -> None:
        part = bytearray()
        left = row.length_bytes - appender.offset_bytes
        try:
            while chunk := await _next(content):
                left -= len(chunk)
                if left < 0:
                    part += chunk[:left]
                    raise TooLarge(f"more came than the {row.length_bytes} bytes that were announced")
                part += chunk
                if len(part) >= WRITE_BYTES:
                    full, part = part, bytearray()
                    await self._write(row, appender, bytes(full))
        finally:
            await self._write(row, appender, bytes(part))

    async def _write(self, row: UploadRow, appender: Appender, data: bytes) -> None:
        """Raises NoMedia as soon as the beginning tells."""
        if not data:
            return
        is_first = appender.offset_bytes < HEAD_BYTES
        await self._in_thread(lambda: appender.write(data))
        if is_first and appender.offset_bytes >= min(HEAD_BYTES, row.length_bytes):
            head = await self._in_thread(lambda: head_of(self.path(row)))
            if told_by_head(head) is False:
                raise NoMedia("its first bytes are those of a text, a picture or a document")

    async def _end_receiving(self, upload_id: str) -> None:
        while (task := self._receiving.get(upload_id)) is not None:
            task.cancel()
            await asyncio.wait({task})
            if self._receiving.get(upload_id) is task:
                del self._receiving[upload_id]

    # ---- when all has come ----

    def _finish(self, row: UploadRow) -> "asyncio.Task[None]":
        """It goes on when whoever sent the last part is gone, and again after a restart."""
        task = self._finishing.get(row.id)
        if task is None:
            task = self._finishing[row.id] = asyncio.create_task(self._adopt(row))
            task.add_done_callback(lambda done: self._finished(row, done))
        return task

    def _finished(self, row: UploadRow, task: "asyncio.Task[None]") -> None:
        self._finishing.pop(row.id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.log(
                logging.INFO if isinstance(error, NoMedia) else logging.ERROR,
                "the upload %s (%s) becomes no recording: %s", row.id, row.filename, error,
            )  # fmt: skip

    async def _adopt(self, row: UploadRow) -> None:
        try:
            async with self._checks:
                duration_s = await checked_media(self.path(row))
        except NoMedia as error:
            await self.cancel(row.id, "no-media", str(error))
            raise
        # It begins when it has come: so it is the newest in the list, and the last to be too old.
        await self.store.adopt(row, media_path(row.filename), self._clock(), duration_s)
        self._hall.events.publish("upload-deleted", {"id": row.id, "reason": "done", "message": ""})
        await self._hall.process_upload(row.id)

    # ---- the disk ----

    async def _tell(self, row: UploadRow) -> None:
        self._hall.events.publish("upload", await self.describe(row))

    async def _size(self, row: UploadRow) -> int:
        return await self._in_thread(lambda: size_of(self.path(row)))

    def _last_used_s(self, row: UploadRow) -> float:
        try:
            return max(row.created_at_s, self.path(row).stat().st_mtime)
        except FileNotFoundError:
            return row.created_at_s

    def _check_room(self, more_bytes: int) -> None:
        check_room(self._hall.recordings_dir, more_bytes, self._hall.settings.recording.min_free_bytes)

    async def _in_thread(self, work: Callable[[], ResultT]) -> ResultT:
        """What has begun is waited for, also when nobody wants it any more: two never write one file."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait({future})
            raise


async def _next(content: Content) -> bytes:
    """Raises TooSlow."""
    try:
        async with asyncio.timeout(IDLE_S):
            return await content.readany()
    except TimeoutError:
        raise TooSlow(f"nothing came for {IDLE_S:g} s; ask how much is there, and go on") from None


async def _checked(content: Content, most_bytes: int, checksum: Checksum) -> bytes:
    """The whole part. Raises TooLarge, WrongChecksum."""
    part = bytearray()
    digest = hashlib.new(checksum.algorithm, usedforsecurity=False)
    while chunk := await _next(content):
        part += chunk
        digest.update(chunk)
        if len(part) > most_bytes:
            raise TooLarge("more came than the bytes that were announced")
        if len(part) > MOST_CHECKED_BYTES:
            raise TooLarge(f"a part with a checksum may have {MOST_CHECKED_BYTES >> 20} MiB; send smaller ones")
    if digest.digest() != checksum.digest:
        raise WrongChecksum("the part is not what was sent; send it again")
    return bytes(part)
