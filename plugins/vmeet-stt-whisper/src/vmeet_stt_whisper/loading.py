"""Networks from files, folders and the hub. Only a model of the hub that the settings name is ever looked for there."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from faster_whisper import WhisperModel
from faster_whisper.utils import download_model
from huggingface_hub.errors import (
    GatedRepoError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from vmeet_core.hookspecs import Host, Permanent, Retryable
from vmeet_stt_whisper.settings import WhisperSettings

_RETRY_S = 60.0
_NEEDED = ("model.bin", "config.json", "tokenizer.json")


def load_files(files: Mapping[str, Path], settings: WhisperSettings, host: Host) -> WhisperModel:
    """The network of these files, by the names that CTranslate2 expects."""
    with ExitStack() as stack:
        opened: dict[str, Any] = {name: stack.enter_context(path.open("rb")) for name, path in files.items()}
        opened["tokenizer.json"] = opened["tokenizer.json"].read()
        return _model("base", settings, host, files=opened)


def load_other(settings: WhisperSettings, host: Host) -> WhisperModel:
    """The network in ``settings.folder``, or the hub's. Raises Permanent and Retryable."""
    folder = settings.folder or _of_the_hub(settings, host)
    if absent := _absent(folder):
        # faster-whisper would ask the hub for a tokenizer that is missing.
        raise Permanent(f"{folder} is no folder of a faster-whisper model: it has no {', '.join(absent)}")
    return _model(str(folder), settings, host)


def _absent(folder: Path) -> list[str]:
    return [name for name in _NEEDED if not (folder / name).is_file()]


def _of_the_hub(settings: WhisperSettings, host: Host) -> Path:
    """The folder of a model of the hub; nothing is asked of the hub once it is here whole."""
    kept = settings.download_dir or host.weights_dir / "whisper-hub"
    wanted: dict[str, Any] = {"cache_dir": str(kept), "revision": settings.revision}
    with suppress(LocalEntryNotFoundError):
        folder = Path(_downloaded(settings.model, local_files_only=True, **wanted))
        if not _absent(folder):
            return folder
    host.logger.info("fetching the model %s into %s", settings.model, kept)
    try:
        return Path(_downloaded(settings.model, **wanted))
    except (RepositoryNotFoundError, RevisionNotFoundError, GatedRepoError) as error:
        raise Permanent(f'the hub does not give the model "{settings.model}": {error}') from None
    except Permanent:
        raise
    except Exception as error:  # whatever an HTTP client, a disk or the hub's own protocol may raise
        raise Retryable(f'the model "{settings.model}" could not be fetched: {error}', _RETRY_S) from error


def _downloaded(name: str, **wanted: Any) -> str:
    try:
        return str(download_model(name, **wanted))
    except ValueError as error:  # a name that is none
        raise Permanent(f'plugins.transcribers.whisper.model: "{name}": {error}') from None


def _model(name: str, settings: WhisperSettings, host: Host, files: dict[str, Any] | None = None) -> WhisperModel:
    kind = settings.compute_type
    if kind == "default":
        kind = "float16" if host.device == "cuda" else "int8"
    try:
        return WhisperModel(
            name,
            device=host.device,
            compute_type=kind,
            cpu_threads=settings.threads,
            files=files,
            local_files_only=True,
        )
    except (RuntimeError, ValueError) as error:  # what CTranslate2 raises for bad files and for what a machine lacks
        raise Permanent(f"the Whisper model {name} cannot be loaded on {host.device} as {kind}: {error}") from error
