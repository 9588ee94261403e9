"""What a program offers by WHIP, or asks for by WHEP, read and checked before anything is made for it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.sdp import H264Profile, MediaDescription, SessionDescription, parse_h264_profile_level_id

from vmeet_core.manifest import SourceKind

MAX_SECTIONS = 16
MAX_SOUNDS = 8  #: audio sections that a viewer may ask for
BASELINE = "42e01f"
_BASELINES = (H264Profile.PROFILE_CONSTRAINED_BASELINE, H264Profile.PROFILE_BASELINE)
_UNREADABLE = (ValueError, AssertionError, IndexError, KeyError, AttributeError, TypeError, StopIteration)
_PROFILE = re.compile(r"^(a=fmtp:(\d+) .*profile-level-id=)([0-9A-Fa-f]{6})", re.MULTILINE)
_OTHER_FINGERPRINTS = re.compile(r"^a=fingerprint:(?!sha-256 ).*\r?\n", re.MULTILINE)
_ATTRIBUTE = re.compile(r"[a-z]=\S.*")


class BadOffer(ValueError):
    """It cannot be read as SDP; the text says why."""


class UnsupportedOffer(ValueError):
    """It can be read, but the server does not carry such media; the text says what it does carry."""


class Section(NamedTuple):
    """A media section of the offer. ``direction`` is as the program sees it; ``codecs`` are those that we carry."""

    kind: str
    mid: str
    direction: str
    codecs: tuple[str, ...]


class StreamOffer:
    """``sdp`` is what aiortc is given, ``ice_username`` the program's.

    Raises BadOffer or UnsupportedOffer.
    """

    def __init__(self, sdp: str) -> None:
        try:
            described = SessionDescription.parse(sdp)
        except _UNREADABLE as error:
            raise BadOffer(f"the body cannot be read as an SDP offer: {error or type(error).__name__}") from error
        if not 0 < len(described.media) <= MAX_SECTIONS:
            raise BadOffer(f"the offer has {len(described.media)} media sections; 1 to {MAX_SECTIONS} are taken")
        self.sections = tuple(_section(media) for media in described.media)
        self.ice_username = _ice_username(described.media[0])
        _check_bundle(described, self.sections)
        self._profiles = {} if _is_plain(self.sections) else _other_profiles(described)
        self.sdp = _PROFILE.sub(self._as_baseline, sdp)

    def _as_baseline(self, match: re.Match[str]) -> str:
        """aiortc knows the baseline profiles of H.264 alone; the forwarder does not care which one it carries."""
        return match[1] + (BASELINE if int(match[2]) in self._profiles else match[3])

    def answer(self, sdp: str) -> str:
        """The answer of aiortc as the program gets it: with its own H.264 profile and one fingerprint.

        Some programs know SHA-256 alone and stumble over the others.
        """

        def restored(match: re.Match[str]) -> str:
            return match[1] + self._profiles.get(int(match[2]), match[3])

        return _OTHER_FINGERPRINTS.sub("", _PROFILE.sub(restored, sdp))

    def published(self) -> dict[str, SourceKind]:
        """By MID, what each section of a WHIP offer brings. Raises UnsupportedOffer."""
        for kind in ("audio", "video"):
            count = sum(section.kind == kind for section in self.sections)
            if count > 1:
                raise UnsupportedOffer(
                    f"the offer has {count} {kind} sections; one of audio and one of video are taken"
                )
        for section in self.sections:
            if section.direction not in ("sendonly", "sendrecv"):
                raise UnsupportedOffer(f"the {section.kind} section is {section.direction}: nothing would be published")
            _check_codecs(section)
        return {s.mid: "microphone" if s.kind == "audio" else "camera" for s in self.sections}

    def watched(self) -> tuple[Section, ...]:
        """The sections of a WHEP offer. Raises UnsupportedOffer."""
        sounds = sum(section.kind == "audio" for section in self.sections)
        if sounds > MAX_SOUNDS or len(self.sections) - sounds > 1:
            raise UnsupportedOffer(f"at most one video section and {MAX_SOUNDS} audio sections are sent")
        for section in self.sections:
            if section.direction not in ("recvonly", "sendrecv"):
                raise UnsupportedOffer(f"the {section.kind} section is {section.direction}: nothing would be watched")
            _check_codecs(section)
        return self.sections


def _section(media: MediaDescription) -> Section:
    if media.kind not in ("audio", "video"):
        raise UnsupportedOffer(f"the offer has a section of {media.kind}; audio and video alone are carried")
    if not media.rtp.muxId:
        raise BadOffer(f"the {media.kind} section has no a=mid")
    if not media.rtcp_mux:
        raise UnsupportedOffer(f"the {media.kind} section has no a=rtcp-mux: sound and picture share one port")
    codecs = tuple(dict.fromkeys(_carried(codec) for codec in media.rtp.codecs))
    return Section(media.kind, media.rtp.muxId, media.direction or "sendrecv", tuple(c for c in codecs if c))


def _carried(codec: RTCRtpCodecParameters) -> str:
    """``opus``, ``vp8``, ``h264`` (a baseline profile), ``h264-other`` (another one), or nothing."""
    name = codec.name.lower()
    if name in ("opus", "vp8"):
        return name
    if name != "h264" or str(codec.parameters.get("packetization-mode", "0")) != "1":
        return ""
    return "h264" if _is_baseline(codec) else "h264-other"


def _is_baseline(codec: RTCRtpCodecParameters) -> bool:
    try:
        profile, _ = parse_h264_profile_level_id(str(codec.parameters.get("profile-level-id", BASELINE)))
    except ValueError:
        return False
    return profile in _BASELINES


def _is_plain(sections: tuple[Section, ...]) -> bool:
    """Whether there is a codec for the picture that aiortc knows as it stands."""
    return all({"vp8", "h264"} & set(s.codecs) for s in sections if s.kind == "video")


def _other_profiles(described: SessionDescription) -> dict[int, str]:
    """By payload type, the profile-level-id of each H.264 format that aiortc would not know."""
    return {
        int(codec.payloadType or 0): str(codec.parameters.get("profile-level-id", ""))
        for media in described.media
        for codec in media.rtp.codecs
        if _carried(codec) == "h264-other"
    }


def _check_codecs(section: Section) -> None:
    if section.kind == "audio" and "opus" not in section.codecs:
        raise UnsupportedOffer("the audio section offers no Opus, which is what is carried")
    if section.kind == "video" and not section.codecs:
        raise UnsupportedOffer("the video section offers neither VP8 nor H.264 with packetization-mode=1")


def _check_bundle(described: SessionDescription, sections: tuple[Section, ...]) -> None:
    mids = {section.mid for section in sections}
    if len(mids) < len(sections):
        raise BadOffer("two media sections have the same a=mid")
    if len(sections) > 1 and not any(g.semantic == "BUNDLE" and mids <= set(g.items) for g in described.group):
        raise UnsupportedOffer("the media sections are not in one a=group:BUNDLE: sound and picture share one port")


def _ice_username(media: MediaDescription) -> str:
    name = media.ice.usernameFragment if media.ice is not None else None
    if not name:
        raise BadOffer("the offer has no a=ice-ufrag")
    return str(name)


class TrickleFragment(NamedTuple):
    """Body of a PATCH (RFC 8840). ``ice_username`` is None where it is left out."""

    ice_username: str | None
    candidates: int


def read_fragment(text: str) -> TrickleFragment:
    """Raises BadOffer. Candidates are only counted: an ICE-lite server learns addresses from checks alone."""
    lines = [line for line in text.splitlines() if line]
    if not lines or not all(_ATTRIBUTE.fullmatch(line) for line in lines):
        raise BadOffer("the body cannot be read as an SDP fragment (RFC 8840)")
    username = next(_values(lines, "a=ice-ufrag:"), None)
    return TrickleFragment(username, sum(1 for _ in _values(lines, "a=candidate:")))


def _values(lines: list[str], prefix: str) -> Iterator[str]:
    return (line.removeprefix(prefix).strip() for line in lines if line.startswith(prefix))
