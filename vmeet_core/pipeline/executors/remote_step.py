"""A step on a worker of a Dask cluster: the same process as on the server, started, watched and ended there.

Dask cannot end a task that runs. So the task looks for itself whether it is still wanted: the worker knows when the
server has taken it back, or is gone. The process dies with the worker.
"""

import asyncio
import os
import shutil
from pathlib import Path

from distributed import Worker, get_worker

from vmeet_core.pipeline.executors.remote_files import RemoteFiles
from vmeet_core.pipeline.executors.remote_messages import Exchanged, RemoteOrder
from vmeet_core.pipeline.executors.remote_voice import Voice
from vmeet_core.pipeline.messages import Order
from vmeet_core.pipeline.process import StepFailed, run_process
from vmeet_core.settings import Server, Settings, SettingsError, load_settings

LOOK_EVERY_S = 0.25
SPEAK_EVERY_S = 5.0  #: at least, so that the server knows that the worker lives
_AGAIN_S = 10.0
_WANTED = ("executing", "long-running")


async def run_remote(text: str, topic: str) -> None:
    """The task: ``text`` is a RemoteOrder, its ``task`` the task's key. How it ends is told to ``topic``."""
    order = RemoteOrder.model_validate_json(text)
    worker = get_worker()
    voice = Voice(order.task, lambda report: worker.log_event(topic, report))
    voice.begun()
    working = asyncio.create_task(_work(order, voice, Path(worker.local_directory) / "vmeet"))
    try:
        await _watch(working, worker, order.task, voice)
    finally:
        working.cancel()
        await asyncio.wait({working})
    error = asyncio.CancelledError("nobody wants it") if working.cancelled() else working.exception()
    if error is None:
        voice.done()
    elif isinstance(error, StepFailed):
        voice.failed(error)
    else:
        voice.failed(StepFailed(f"{type(error).__name__}: {error}"))


async def _watch(working: asyncio.Task[None], worker: Worker, task: str, voice: Voice) -> None:
    """Until the work has ended or nobody wants it any more."""
    quiet_s = 0.0
    while not working.done() and _is_wanted(worker, task):
        await asyncio.wait({working}, timeout=LOOK_EVERY_S)
        quiet_s += LOOK_EVERY_S
        if voice.has_news or quiet_s >= SPEAK_EVERY_S:
            voice.flush()
            quiet_s = 0.0


def _is_wanted(worker: Worker, task: str) -> bool:
    known = worker.state.tasks.get(task)
    return known is not None and known.state in _WANTED and worker.status.name == "running"


async def _work(order: RemoteOrder, voice: Voice, scratch: Path) -> None:
    """Raises StepFailed."""
    try:
        settings = await asyncio.to_thread(load_settings, None, os.environ)
    except SettingsError as error:
        raise StepFailed(f"the settings of this worker: {error}", retry_after_s=_AGAIN_S) from None
    if isinstance(order.place, Exchanged):
        await _work_on_copies(order, order.place, voice, scratch, settings)
        return
    results = order.place.results
    local = _order(order, settings, order.place.folder, order.place.inputs, order.params, results)
    await run_process(local, voice, memory_bytes=order.memory_bytes)


async def _work_on_copies(
    order: RemoteOrder, place: Exchanged, voice: Voice, scratch: Path, settings: Settings
) -> None:
    own = scratch / "tries" / order.task
    try:
        files = await asyncio.to_thread(RemoteFiles, place, own, scratch / "cache", settings.pipeline)
        inputs, params = await files.bring(order.params)
        await run_process(
            _order(order, settings, files.folder, inputs, params, files.results),
            voice,
            memory_bytes=order.memory_bytes,
        )
        await files.send(order.outputs.values())
    finally:
        await asyncio.to_thread(shutil.rmtree, own, ignore_errors=True)


def _order(
    order: RemoteOrder,
    settings: Settings,
    folder: Path,
    inputs: dict[str, Path],
    params: dict[str, object],
    results: Path,
) -> Order:
    """With the settings of this machine, but for what the server decides, and without what is nobody's business."""
    update = {
        "server": Server(allow_leaving_host=order.allow_leaving_host),
        "video": order.video,
        "pipeline": settings.pipeline.model_copy(update={"device": order.device, "files_options": {}}),
    }
    return Order(
        function=order.function,
        folder=folder,
        params=params,
        inputs=inputs,
        outputs={role: results / name for role, name in order.outputs.items()},
        temp_dir=results / "temp",
        settings=settings.model_copy(update=update),
        threads=order.threads,
        parent_pid=os.getpid(),
        plugin=order.plugin,
    )
