"""What a WHEP viewer watches: one picture and the sound of one person or more, in sections that the viewer offers."""

import asyncio
from collections.abc import Sequence

from aiortc import RTCRtpTransceiver

from vmeet_core.sfu.egress import Demand, Egress
from vmeet_core.sfu.network import Network
from vmeet_core.sfu.receive_connection import ReceiveConnection
from vmeet_core.sfu.rtc import intercept_receiver, intercept_sender, sender_ssrcs, set_stream_id
from vmeet_core.sfu.source import Source
from vmeet_core.sfu.stream_offer import StreamOffer

STREAM_ID = "meeting"  #: one for all, so that players keep sound and picture in step
WHOLE_PICTURE = Demand(priority=1, height_px=0)  # nobody tells how large it is shown


class WatchConnection(ReceiveConnection):
    """A receiving connection whose sections come from the viewer's offer and stay as they are.

    ``sounds`` are as many as the viewer asked for, ``picture`` is None when it asked for none.
    """

    def __init__(self, network: Network) -> None:
        super().__init__(network, lambda sdp, negotiation: None)
        self.picture: Egress | None = None

    @property
    def sounds(self) -> Sequence[Egress]:
        """In the order of the viewer's offer."""
        return self._sounds

    async def negotiate(self, offer: StreamOffer) -> str:
        """The answer to the viewer's offer. Raises UnsupportedOffer or BadDescription."""
        offer.watched()
        await self._set_remote(offer.sdp, "offer")
        for transceiver in self.pc.getTransceivers():
            self._take(transceiver)
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        self._timer = self._timer or asyncio.create_task(self._run_timers())
        return offer.answer(str(self.pc.localDescription.sdp))

    def _take(self, transceiver: RTCRtpTransceiver) -> None:
        transceiver.direction = "sendonly"
        set_stream_id(transceiver, STREAM_ID)
        self.media.attach(transceiver)
        ssrc, rtx_ssrc = sender_ssrcs(transceiver)
        egress = self._by_ssrc[ssrc] = Egress(ssrc, rtx_ssrc, self.media, self.choose_soon)
        intercept_sender(transceiver, egress.configure)
        intercept_receiver(transceiver, lambda _: None)
        if transceiver.kind == "audio":
            self._sounds.append(egress)
        else:
            self.picture = egress
            self._pictures.append(egress)

    def show(self, layers: tuple[Source, ...]) -> None:
        """Show this picture, given in its sizes, smallest first, from its next keyframe on; () is none."""
        if self.picture is not None:
            self.picture.show(layers)
            self.picture.demand = WHOLE_PICTURE if layers else None

    def play(self, sources: Sequence[Source]) -> None:
        """Play these, at most as many as there are sections; who is in one already stays there."""
        wanted = list(sources[: len(self._sounds)])
        for egress in self._sounds:
            if egress.source in wanted:
                wanted.remove(egress.source)
            elif egress.source is not None:
                egress.attach(None)
        for egress in self._sounds:
            if egress.source is None and wanted:
                egress.attach(wanted.pop(0))
