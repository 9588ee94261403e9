"""The server's live workers: for pictures, for sound, and for captions, with the engines that meetings ask for."""

import asyncio
import logging
import os
from pathlib import Path

from vmeet_core.effects.picture_shelf import FOLDER, is_upload_name, upload_file
from vmeet_core.hookspecs import Permanent
from vmeet_core.live.admission import Room
from vmeet_core.live.captioner import Captioner
from vmeet_core.live.card import Card, make_card
from vmeet_core.live.pool import LivePool
from vmeet_core.server.filtered_camera import SIZES
from vmeet_core.settings import Settings

logger = logging.getLogger(__name__)
CARD_HEIGHTS_PX = (SIZES[0][0], 720)


class LiveEngines:
    """``start`` loads what the presets name, ``need`` what a meeting names besides. Without either nothing runs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.pictures = LivePool(settings, workers=settings.live.workers or os.cpu_count() or 1)
        self.sound = LivePool(settings)  # of its own: no picture may hold a voice up
        self._captioners: dict[str, Captioner] = {}
        self._pictures = Path(settings.server.data_dir) / FOLDER
        self._card: Card | None = None

    async def start(self) -> None:
        """Raises Permanent with the plugin's words when an engine of a preset cannot be loaded."""
        presets = self._settings.meetings.values()
        filters = dict.fromkeys(name for preset in presets for name in preset.frame_filters)
        denoisers = dict.fromkeys(preset.live_denoiser for preset in presets if preset.live_denoiser)
        transcribers = dict.fromkeys(preset.live_transcriber for preset in presets if preset.live_transcriber)
        captioners = [self._captioner(name).start() for name in transcribers]
        try:
            await asyncio.gather(self.need(tuple(filters), tuple(denoisers)), *captioners)
        except RuntimeError as error:
            raise Permanent(f"a live effect cannot be started: {error}") from error

    async def need(self, frame_filters: tuple[str, ...], denoisers: tuple[str, ...]) -> None:
        """Load what is not loaded yet. Raises RuntimeError with the plugin's words."""
        if frame_filters and self._card is None:
            self._card = await self.card("")
        wanted = []
        if frame_filters:
            wanted.append(self.pictures.need(frame_filters=frame_filters))
        if denoisers:
            wanted.append(self.sound.need(denoisers=denoisers))
        await asyncio.gather(*wanted)

    def captioner(self, name: str) -> Captioner:
        """That of a transcriber; one that no preset names begins to load now."""
        captioner = self._captioner(name)
        captioner.begin()
        return captioner

    def _captioner(self, name: str) -> Captioner:
        return self._captioners.setdefault(name, Captioner(self._settings, name))

    def rooms(self) -> dict[str, Room]:
        """How much of the workers is taken, for pictures and for sound."""
        return {"picture": self.pictures.room, "sound": self.sound.room}

    def has_picture(self, name: str) -> bool:
        """Whether a background can be had; of names that are no uploads the plugin knows better."""
        return not is_upload_name(name) or upload_file(self._pictures, name).exists()

    @property
    def blank_card(self) -> Card:
        """A card for somebody whose own is not drawn yet."""
        if self._card is None:  # nothing was loaded, so nothing can be filtered either
            self._card = make_card("", CARD_HEIGHTS_PX)
        return self._card

    async def card(self, name: str) -> Card:
        """The card that is shown in place of a person's picture."""
        return await asyncio.to_thread(make_card, name, CARD_HEIGHTS_PX)

    async def close(self) -> None:
        """End all workers."""
        captioners = [captioner.close() for captioner in self._captioners.values()]
        await asyncio.gather(self.pictures.close(), self.sound.close(), *captioners)
