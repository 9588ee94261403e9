from h264_units import encode, units

from vmeet_core.sfu.b_frame_watch import BFrameWatch
from vmeet_core.sfu.packet import RtpPacket


def watch(payloads: list[bytes], codec: str = "h264") -> int:
    """How often it says that there are B-frames."""
    found: list[bool] = []
    listener = BFrameWatch(lambda: found.append(True))
    for sequence, payload in enumerate(payloads):
        packet = RtpPacket(96, True, sequence, 0, 1, payload)
        packet.codec = codec
        listener.forward(packet)
        listener.interrupt()
        listener.sender_report(0, 0)
    return len(found)


def test_b_frames_are_told_once() -> None:
    payloads = [unit for packet in encode(b_frames=2) for unit in units(packet)]
    assert watch(payloads) == 1


def test_a_picture_without_b_frames_is_let_through() -> None:
    payloads = [unit for packet in encode() for unit in units(packet)]
    assert watch(payloads) == 0


def test_other_codecs_are_not_read_as_h264() -> None:
    payloads = [unit for packet in encode(b_frames=2) for unit in units(packet)]
    assert watch(payloads, "vp8") == 0
