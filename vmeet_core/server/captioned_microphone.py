"""A microphone whose words are written down: what others may hear of it raw, and so nothing while it is off."""

from vmeet_core.live.captioner import Captioner, DictationEvents
from vmeet_core.live.dictation import Dictation
from vmeet_core.live.messages import LiveFrame
from vmeet_core.sfu.packet import RtpPacket
from vmeet_core.sfu.source import Source


class CaptionedMicrophone:
    """Listens to ``microphone`` until it is closed. Packets go on as they come, lost ones are gaps."""

    def __init__(self, microphone: Source, captioner: Captioner, dictation: Dictation, events: DictationEvents) -> None:
        self.microphone = microphone
        self._line = captioner.open(dictation, events)
        microphone.add_listener(self)

    def forward(self, packet: RtpPacket) -> None:
        """A packet of the microphone; a source that is off hands on none."""
        if packet.codec == "opus" and packet.payload:
            self._line.packet(LiveFrame("opus", packet.payload, packet.timestamp, keyframe=True))

    def interrupt(self) -> None:
        """It pauses: whoever says nothing for a while has said a phrase."""

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """Captions go by the time of arrival."""

    def change(self, dictation: Dictation) -> None:
        """For the phrases that end from now on."""
        self._line.change(dictation)

    def close(self) -> None:
        """No more; twice is harmless."""
        self.microphone.remove_listener(self)
        self._line.close()
