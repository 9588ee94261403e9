"""A WHIP publisher and a WHEP viewer made of GStreamer's webrtcbin; run by the system's Python, which has ``gi``.

``gst_client.py check``: fails when an element is missing.
``gst_client.py publish URL TOKEN --encoder NAME [--bframes N] --seconds S``
``gst_client.py watch URL TOKEN --frames N --seconds S``: ends when so many pictures and pieces of sound were decoded.

SIGTERM ends it early, with a goodbye. The last line that it prints is a JSON object.
"""

import argparse
import json
import signal
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

ENCODERS = {
    "vp8enc": "vp8enc deadline=1 keyframe-max-dist=30 target-bitrate=500000 ! rtpvp8pay pt=96",
    "openh264enc": "openh264enc gop-size=30 bitrate=500000 ! h264parse config-interval=-1 ! rtph264pay pt=96",
    "x264enc": "x264enc key-int-max=30 bitrate=500 speed-preset=ultrafast bframes={bframes} b-adapt=false "
    "! video/x-h264,profile={profile} ! h264parse config-interval=-1 ! rtph264pay pt=96 aggregate-mode=zero-latency",
}
ELEMENTS = ("webrtcbin", "nicesrc", "dtlsenc", "srtpenc", "vp8enc", "vp8dec", "openh264dec", "opusenc", *ENCODERS)
VIDEO = "application/x-rtp,media=video,clock-rate=90000,rtcp-fb-nack-pli=true"
H264 = "encoding-name=H264,payload=98,packetization-mode=(string)1,profile-level-id=(string)42e01f"
ASKED = (
    f"{VIDEO},encoding-name=VP8,payload=96; {VIDEO},{H264}",
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000",
)


def publishing(encoder: str, bframes: int) -> str:
    """The pipeline: a ball and a tone."""
    encode = ENCODERS[encoder].format(bframes=bframes, profile="main" if bframes else "constrained-baseline")
    codec = "VP8" if encoder == "vp8enc" else "H264"
    return (
        "webrtcbin name=rtc "
        "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1 ! videoconvert "
        f"! queue ! {encode} ! application/x-rtp,media=video,encoding-name={codec},payload=96 ! rtc. "
        "audiotestsrc is-live=true freq=440 ! audioconvert ! audioresample ! opusenc ! rtpopuspay pt=97 "
        "! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! rtc."
    )


class Client:
    """One webrtcbin and one HTTP session; ``result`` is what is printed at the end."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.loop = GLib.MainLoop()
        self.result: dict[str, Any] = {"status": 0, "location": "", "state": "new", "video": 0, "audio": 0, "error": ""}
        publishes = options.mode == "publish"
        self.pipeline = Gst.parse_launch(
            publishing(options.encoder, options.bframes) if publishes else "webrtcbin name=rtc"
        )
        if not publishes:
            self.pipeline = _in_pipeline(self.pipeline)
        self.rtc = self.pipeline.get_by_name("rtc")
        self.rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.rtc.connect("notify::ice-gathering-state", self.on_gathering)
        self.rtc.connect("notify::connection-state", self.on_state)
        self.rtc.connect("pad-added", self.on_pad)

    def run(self) -> None:
        self.pipeline.set_state(Gst.State.PLAYING)
        if self.options.mode == "publish":
            self.rtc.connect("on-negotiation-needed", lambda _: self.offer())
        else:
            for caps in ASKED:
                self.rtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps(caps))
            self.offer()
        GLib.timeout_add(int(self.options.seconds * 1000), self.loop.quit)
        GLib.timeout_add(50, self.poll)
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, self.loop.quit)
        self.loop.run()
        self.end()
        print(json.dumps(self.result), flush=True)

    # ---- the offer and its answer ----

    def offer(self) -> None:
        self.rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.on_offer))

    def on_offer(self, promise: Any) -> None:
        reply = promise.get_reply()  # owns the offer
        self.rtc.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def on_gathering(self, *_: object) -> None:
        if self.rtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self.post)

    def post(self) -> None:
        if self.result["status"]:
            return
        try:
            with self.request(
                "POST", self.options.url, self.rtc.get_property("local-description").sdp.as_text()
            ) as got:
                self.result["status"] = got.status
                self.result["location"] = urllib.parse.urljoin(self.options.url, got.headers["Location"])
                text = got.read().decode()
        except urllib.error.HTTPError as error:
            self.result.update(status=error.code, error=error.read().decode())
            self.loop.quit()
            return
        _, message = GstSdp.SDPMessage.new_from_text(text)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.rtc.emit("set-remote-description", answer, Gst.Promise.new())

    def request(self, method: str, url: str, body: str = "") -> Any:
        headers = {"Authorization": f"Bearer {self.options.token}", "Content-Type": "application/sdp"}
        return urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers, method=method), timeout=10)

    def on_state(self, *_: object) -> None:
        self.result["state"] = self.rtc.get_property("connection-state").value_nick
        print(self.result["state"], flush=True)
        if self.result["state"] in ("failed", "closed"):
            GLib.idle_add(self.loop.quit)

    # ---- what arrives ----

    def on_pad(self, _: object, pad: Any) -> None:
        if pad.get_direction() == Gst.PadDirection.SRC:
            decode = self.add("decodebin")
            decode.connect("pad-added", self.on_decoded)
            pad.link(decode.get_static_pad("sink"))

    def on_decoded(self, _: object, pad: Any) -> None:
        kind = pad.get_current_caps().get_structure(0).get_name().split("/")[0]
        sink = self.add("fakesink")
        sink.set_property("sync", False)
        sink.set_property("signal-handoffs", True)
        sink.connect("handoff", lambda *_: self.count(kind))
        pad.link(sink.get_static_pad("sink"))

    def add(self, name: str) -> Any:
        element = Gst.ElementFactory.make(name)
        self.pipeline.add(element)
        element.sync_state_with_parent()
        return element

    def count(self, kind: str) -> None:
        self.result[kind] += 1

    def poll(self) -> bool:
        if self.options.frames and min(self.result["video"], self.result["audio"]) >= self.options.frames:
            self.loop.quit()
        return True

    def end(self) -> None:
        if self.result["location"]:
            try:
                self.request("DELETE", self.result["location"]).close()
            except urllib.error.HTTPError as error:
                self.result["error"] = error.read().decode()
        self.pipeline.set_state(Gst.State.NULL)


def _in_pipeline(element: Any) -> Any:
    pipeline = Gst.Pipeline()
    pipeline.add(element)
    return pipeline


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=("check", "publish", "watch"))
    parser.add_argument("url", nargs="?")
    parser.add_argument("token", nargs="?")
    parser.add_argument("--encoder", choices=sorted(ENCODERS), default="vp8enc")
    parser.add_argument("--bframes", type=int, default=0)
    parser.add_argument("--frames", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    Gst.init(None)
    if options.mode == "check":
        missing = [name for name in ELEMENTS if Gst.ElementFactory.find(name) is None]
        print("missing: " + ", ".join(missing) if missing else "complete")
        return 1 if missing else 0
    Client(options).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
