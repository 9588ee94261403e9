"""A worker process: ``python -m vmeet_core.live.child FD PARENT_PID MEMORY_BYTES``; FD is its end of a stream socket,
MEMORY_BYTES all that it may take, 0 for no limit.

It loads engines once, opens tracks, and works frame by frame in one thread; another reads the socket. What a plugin
prints goes to the log. It dies with its parent.
"""

import contextlib
import logging
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from vmeet_core.child_process import ORPHANED, die_with_parent, limit_memory
from vmeet_core.effects.picture_shelf import FOLDER, PictureShelf
from vmeet_core.live.cost import UNKNOWN_CODEC, UNKNOWN_DENOISER, UNKNOWN_FILTER, Cost, Costs
from vmeet_core.live.cost_meter import CostMeter
from vmeet_core.live.faults import FilterFault
from vmeet_core.live.inbox import Inbox
from vmeet_core.live.messages import Kind, LiveFrame, Message, Unpacker, pack
from vmeet_core.live.picture_track import Filter, PictureTrack, Size
from vmeet_core.live.sound_track import LiveDenoiser, SoundTrack
from vmeet_core.plugins import Registry, discover, load_provider
from vmeet_core.settings import Kind as ProviderKind
from vmeet_core.settings import Settings, validated

logger = logging.getLogger(__name__)
READ_BYTES = 1 << 18
KEYFRAME_EVERY_S = 0.5
MAX_TEXT_CHARS = 2000


class Worker:
    """Does what the messages say; ``send`` takes the answers."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._registry: Registry | None = None
        self._settings: Settings | None = None
        self._pictures: PictureShelf | None = None
        self._engines: dict[tuple[ProviderKind, str], Any] = {}
        self._tracks: dict[int, PictureTrack | SoundTrack] = {}
        self._asked_s: dict[int, float] = {}
        self.busy_s = 0.0  #: spent on messages
        self._folder = Path(tempfile.mkdtemp(prefix="vmeet-live-"))

    def send(self, kind: Kind, track: int, body: dict[str, Any] | LiveFrame) -> None:
        """Blocks while the server does not read."""
        self._sock.sendall(pack(Message(kind, track, body)))

    def do(self, message: Message, worth_it: bool) -> None:
        """One message. What goes wrong with a track is told and ends the track alone."""
        kind, track, body = message
        try:
            if isinstance(body, LiveFrame):
                self._frame(track, body, worth_it)
            elif kind is Kind.PING:
                now = {"at_s": time.monotonic(), "busy_s": self.busy_s, "cpu_s": time.process_time()}
                self.send(Kind.PONG, 0, now)
            elif kind is Kind.LOAD:
                self._load(body)
            elif kind is Kind.OPEN:
                self._open(track, body)
            elif track in self._tracks:
                self._change(kind, track, body)
        except FilterFault as fault:
            self._fail(track, fault.filter, str(fault))
        except OSError:
            raise  # the socket: nobody is there any more
        except MemoryError:
            self._fail(track, "", "ran out of memory")
        except Exception as error:
            logger.exception("%s of track %d", kind.name, track)
            self._fail(track, str(getattr(error, "filter", "")), f"{type(error).__name__}: {error}")

    def _fail(self, track: int, filter_name: str, text: str) -> None:
        self._close(track)
        self.send(Kind.FAULT, track, {"filter": filter_name, "text": text[:MAX_TEXT_CHARS]})

    # ---- engines ----

    def _load(self, body: dict[str, Any]) -> None:
        self._settings = Settings.model_validate(body["settings"])
        self._registry = self._registry or discover()
        self._pictures = self._pictures or PictureShelf(Path(self._settings.server.data_dir) / FOLDER)
        kinds: tuple[ProviderKind, ...] = ("frame_filters", "denoisers")
        for kind, name in [(each, name) for each in kinds for name in body[each]]:
            if (kind, name) not in self._engines:
                engine = load_provider(self._settings, self._registry, kind, name, self._folder, self._pictures)
                self._engines[kind, name] = engine
                if "background" in self._registry.get(kind, name).options.model_fields:
                    self._pictures.draw()
        names = sorted(name for _, name in self._engines)
        costs = self._measured().as_json() if body["measure"] else None
        self.send(Kind.LOADED, 0, {"engines": names, "costs": costs})

    def _measured(self) -> Costs:
        """What the engines cost here."""
        meter = CostMeter()
        filters = {name: self._filter_cost(meter, name) for kind, name in self._engines if kind == "frame_filters"}
        denoisers = {name: self._denoiser_cost(meter, name) for kind, name in self._engines if kind == "denoisers"}
        costs = Costs(meter.codec() if filters else UNKNOWN_CODEC, filters, denoisers)
        logger.info("shares of a core: %s", costs.as_json())
        return costs

    def _filter_cost(self, meter: CostMeter, name: str) -> Cost:
        """What fails on made-up pictures may well run on real ones: it counts as expensive."""
        try:
            return meter.frame_filter(lambda: self._opened("frame_filters", name, {}))
        except Exception as error:
            logger.warning("what the filter %s costs cannot be measured: %s: %s", name, type(error).__name__, error)
            return UNKNOWN_FILTER

    def _denoiser_cost(self, meter: CostMeter, name: str) -> Cost:
        try:
            stream = self._opened("denoisers", name, {})
            return meter.denoiser(LiveDenoiser(name, self._engines["denoisers", name], stream))
        except Exception as error:
            logger.warning("what the denoiser %s costs cannot be measured: %s: %s", name, type(error).__name__, error)
            return UNKNOWN_DENOISER

    # ---- tracks ----

    def _open(self, track: int, body: dict[str, Any]) -> None:
        self._close(track)
        made: PictureTrack | SoundTrack
        if body["is_sound"]:
            ((name, options),) = body["filters"]
            stream = self._opened("denoisers", name, options)
            made = SoundTrack(LiveDenoiser(name, self._engines["denoisers", name], stream), body["epoch"])
        else:
            filters = [Filter(name, self._opened("frame_filters", name, given)) for name, given in body["filters"]]
            sizes = [Size(*size) for size in body["sizes"]]
            made = PictureTrack(filters, sizes, body["epoch"], lambda: self._ask_for_keyframe(track))
            made.limit(body["max_height_px"], body["max_fps"])
        self._tracks[track] = made

    def _opened(self, kind: ProviderKind, name: str, options: dict[str, Any]) -> Any:
        if (kind, name) not in self._engines:
            raise FilterFault(name, "its engine is not loaded here")
        try:
            return self._engines[kind, name].open(self._options(kind, name, options))
        except Exception as error:
            raise FilterFault(name, f"{type(error).__name__}: {error}") from error

    def _options(self, kind: ProviderKind, name: str, options: dict[str, Any]) -> Any:
        assert self._registry is not None  # something was loaded
        return validated(self._registry.get(kind, name).options, options, f"options.{name}")

    def _ask_for_keyframe(self, track: int) -> None:
        now_s = time.monotonic()
        if now_s - self._asked_s.get(track, -1e9) >= KEYFRAME_EVERY_S:
            self._asked_s[track] = now_s
            self.send(Kind.KEYFRAME, track, {})

    def _frame(self, track: int, frame: LiveFrame, worth_it: bool) -> None:
        if track not in self._tracks:
            return
        for made in self._tracks[track].process(frame, worth_it):
            self.send(Kind.FRAME, track, made)
        if not worth_it:
            self.send(Kind.DROPPED, track, {"frames": 1})

    def _change(self, kind: Kind, track: int, body: dict[str, Any]) -> None:
        if kind is Kind.UPDATE:
            of: ProviderKind = "denoisers" if isinstance(self._tracks[track], SoundTrack) else "frame_filters"
            self._tracks[track].update(body["filter"], self._options(of, body["filter"], body["options"]))
        elif kind is Kind.KEYFRAME:
            self._tracks[track].request_keyframe()
        elif kind is Kind.BITRATE:
            self._tracks[track].set_bitrate(body["size"], body["bitrate_bps"])
        elif kind is Kind.LIMIT:
            self._tracks[track].limit(body["max_height_px"], body["max_fps"])
        elif kind is Kind.CLOSE:
            self._close(track)

    def _close(self, track: int) -> None:
        found = self._tracks.pop(track, None)
        self._asked_s.pop(track, None)
        if found is not None:
            found.close()

    def close(self) -> None:
        """Everything; errors are of no consequence any more."""
        for track in list(self._tracks):
            self._close(track)
        for engine in self._engines.values():
            with contextlib.suppress(Exception):
                engine.close()
        with contextlib.suppress(OSError):
            self._folder.rmdir()


def read(sock: socket.socket, inbox: Inbox) -> None:
    """Until the server closes its end, however busy the other thread is."""
    unpacker = Unpacker()
    try:
        while data := sock.recv(READ_BYTES):
            for message in unpacker.feed(data):
                inbox.put(message)
    except (OSError, ValueError):
        logger.exception("the server cannot be understood")
    inbox.close()
    threading.Timer(1.0, os._exit, (ORPHANED,)).start()  # even when a plugin never returns


def main() -> int:
    """0 when the server has closed its end."""
    descriptor, parent_pid, limit_bytes = (int(text) for text in sys.argv[1:4])
    die_with_parent(parent_pid)
    limit_memory(limit_bytes)
    os.dup2(2, 1)  # what a plugin prints goes to the log
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    with socket.socket(fileno=descriptor) as sock:
        inbox, worker = Inbox(), Worker(sock)
        threading.Thread(target=read, args=(sock, inbox), name="reader", daemon=True).start()
        try:
            while (found := inbox.take()) is not None:
                began_s = time.monotonic()
                worker.do(*found)
                worker.busy_s += time.monotonic() - began_s
        except OSError:  # the server has gone
            return ORPHANED
        finally:
            worker.close()
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    os._exit(code)  # a plugin's threads are not waited for
