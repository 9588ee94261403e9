"""The server's side of a process that writes captions."""

from vmeet_core.live.dictation import Caption, Dictation
from vmeet_core.live.messages import Kind, LiveFrame, Message
from vmeet_core.live.worker import Events, LiveWorker
from vmeet_core.settings import Settings

MEMORY_BYTES = 8 << 30  #: the large models of today want half of it


class CaptionEvents(Events):
    """What such a process tells, besides; to be overridden. A ``fault`` of a track is of one phrase: it goes on."""

    def caption(self, track: int, caption: Caption) -> None:
        """A phrase was written down."""

    def dropped(self, track: int) -> None:
        """A phrase was left out, since others waited too long."""


class CaptionWorker(LiveWorker):
    """As ``LiveWorker``, for a transcriber; tracks are opened with a ``Dictation``. It answers while it works, so that
    only one that has no time at all for long is taken to hang.
    """

    program = "vmeet_core.live.caption_child"
    hang_s, longest_hang_s = 20.0, 60.0

    def __init__(self, events: CaptionEvents) -> None:
        super().__init__(events, MEMORY_BYTES)
        self._told = events

    async def load_transcriber(self, settings: Settings, name: str) -> None:
        """Slow. Raises RuntimeError with the plugin's words when it cannot be loaded."""
        await self.load_named(settings, {"transcribers": (name,)}, measure=False)

    def change(self, number: int, dictation: Dictation) -> None:
        """For the phrases that end from now on."""
        self._send(Message(Kind.UPDATE, number, dictation._asdict()))

    def packet(self, number: int, frame: LiveFrame) -> bool:
        """An Opus packet of a track; False when it is lost."""
        return self.frame(number, frame._replace(keyframe=True))

    def _hear(self, message: Message) -> None:
        super()._hear(message)
        kind, track, body = message
        if isinstance(body, LiveFrame):
            return
        if kind is Kind.CAPTION:
            self._told.caption(track, Caption(body["text"], body["language"], body["start_s"], body["end_s"]))
        elif kind is Kind.DROPPED:
            self._told.dropped(track)

    async def close(self) -> None:
        """End it in order, or for good when it does not listen; nothing is told any more."""
        self._told = CaptionEvents()
        await super().close()
