"""The signalling messages between a page and the server: JSON over the WebSocket ``/api/meetings/{id}/socket``.

Mirrored by docs/protocol.md and web/js/protocol.js; tests fail when they drift apart.
"""

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from vmeet_core.manifest import LeftOutBy, SourceKind
from vmeet_core.settings import Language, RecordingChoice

MAX_MESSAGE_BYTES = 128 * 1024
MAX_NAME_CHARS = 64
HEARTBEAT_S = 2.0  #: a page sends a ping this often
SILENCE_S = 7.0  #: a page whose socket closed without a goodbye has gone after so long
OUTAGE_S = 15.0  #: a page that is silent on an open socket has gone after so long: it may sit out an outage
MAX_CHAT_CHARS = 2000
MAX_CHAT_KEPT = 100  #: what those who come later can read
MAX_CAPTIONS_KEPT = 10  #: what those who come later can read
MAX_PICTURES = 64
MAX_EFFECTS = 16

Connection = Literal["publish", "receive"]
PictureKind = Literal["camera", "screen"]
EffectState = Literal["off", "starting", "on", "interrupted", "failed"]
CaptionState = Literal["starting", "on", "behind", "failed"]


def clean_name(value: str) -> str:
    """A display name: trimmed, without control or formatting characters. Raises ValueError."""
    name = unicodedata.normalize("NFC", value).strip()
    if not name:
        raise ValueError("a name is needed")
    if any(
        unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
        or c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        for c in name
    ):
        raise ValueError("a name must not hold control characters")
    return name


Name = Annotated[str, Field(max_length=MAX_NAME_CHARS), AfterValidator(clean_name)]
Sdp = Annotated[str, Field(min_length=1, max_length=100_000)]
Token = Annotated[str, Field(max_length=128)]


def clean_text(value: str) -> str:
    """A chat text: trimmed, line ends as newlines, without other control characters. Raises ValueError."""
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise ValueError("a text is needed")
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
        raise ValueError("a text must not hold control characters")
    return text


ChatText = Annotated[str, Field(max_length=MAX_CHAT_CHARS), AfterValidator(clean_text)]


class Message(BaseModel):
    """Base of all messages; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ---- from the page ----


class Effect(Message):
    """A live effect of this person, by the name of its provider; ``options`` are put over those of the meeting."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    on: bool = True
    options: dict[str, Any] = {}


class EffectWishes(Message):
    """What a person wants of the live effects of the meeting; those left out stay as the meeting has them."""

    filters: Annotated[list[Effect], Field(max_length=MAX_EFFECTS)] = []
    denoiser: Effect | None = None


class Join(Message):
    """First message, or the second after ``preview``. ``token`` is the one from an earlier welcome (reload, rejoin);
    ``host_key`` makes a host; ``effects`` (None: as they were) are in force before anything of this person is shown.

    ``recorded`` is what the person says about being recorded (None: as before); while ``told`` is False, somebody who
    comes into a recording that runs is left out of it, until ``recording-seen``.
    """

    type: Literal["join"] = "join"
    name: Name
    token: Token | None = None
    host_key: Token | None = None
    effects: EffectWishes | None = None
    recorded: bool | None = None
    told: bool = True


class Preview(Message):
    """First message of a page that is not in the meeting yet: from now on it may publish, and is sent its own camera
    with the effects and nothing else. Nobody else sees or hears it. ``join`` on the same socket comes in, and what the
    page publishes goes on.
    """

    type: Literal["preview"] = "preview"
    effects: EffectWishes | None = None


class Effects(Message):
    """Other wishes; they replace those before."""

    type: Literal["effects"] = "effects"
    effects: EffectWishes


class SourceSection(Message):
    """Which media section (``mid``) of the offer carries which source."""

    mid: Annotated[str, Field(max_length=16)]
    source: SourceKind


class Publish(Message):
    """The offer of the connection that carries this person's media to the server; a second one replaces the first.

    A ``screen`` is muted until a ``mute`` message turns it on; ``camera-small`` follows ``camera``.
    """

    type: Literal["publish"] = "publish"
    sdp: Sdp
    sources: Annotated[list[SourceSection], Field(max_length=4)]


class Receive(Message):
    """Asks for a new receiving connection in place of one that no longer carries anything; an offer follows."""

    type: Literal["receive"] = "receive"


class Picture(Message):
    """A picture on the page's screen and its size there in device pixels."""

    participant_id: Annotated[str, Field(max_length=64)]
    source: PictureKind = "camera"
    width_px: Annotated[int, Field(ge=1, le=16384)]
    height_px: Annotated[int, Field(ge=1, le=16384)]


class View(Message):
    """Every picture that the page shows now, the most important first; others are not sent.

    A page may show its own camera too, as the others see it: it is sent while effects are on. Until the first one the
    page gets everybody's picture, in full.
    """

    type: Literal["view"] = "view"
    pictures: Annotated[list[Picture], Field(max_length=MAX_PICTURES)]


class Chat(Message):
    """A text for everyone in the meeting."""

    type: Literal["chat"] = "chat"
    text: ChatText


class Answer(Message):
    """The answer to the server's offer number ``negotiation`` of the receiving connection."""

    type: Literal["answer"] = "answer"
    sdp: Sdp
    negotiation: int


class Candidate(Message):
    """A trickled ICE candidate of one of the two connections; an empty one ends them."""

    type: Literal["candidate"] = "candidate"
    connection: Connection
    candidate: Annotated[str, Field(max_length=1024)]
    mid: Annotated[str, Field(max_length=16)] | None = None


class Mute(Message):
    """Turns a source off or on. While it is off the server neither forwards nor records it."""

    type: Literal["mute"] = "mute"
    source: SourceKind
    muted: bool


class RecordingControl(Message):
    """The host starts or stops the recording."""

    type: Literal["recording-control"] = "recording-control"
    action: Literal["start", "stop"]


class RecordingChosen(Message):
    """Whether this person wants to be recorded, from now on; refused where the meeting records everyone."""

    type: Literal["recording-choice"] = "recording-choice"
    recorded: bool


class RecordingSeen(Message):
    """This person has been told of the recording that runs (see ``told`` of ``join``)."""

    type: Literal["recording-seen"] = "recording-seen"


class LeaveOut(Message):
    """The host leaves a person out of recordings, or no longer."""

    type: Literal["leave-out"] = "leave-out"
    participant_id: Annotated[str, Field(max_length=64)]
    left_out: bool


class SpokenLanguage(Message):
    """What this person speaks, for the captions; None: what the meeting says."""

    type: Literal["spoken-language"] = "spoken-language"
    language: Language | None


class Leave(Message):
    """Goodbye."""

    type: Literal["leave"] = "leave"


class Ping(Message):
    """Heartbeat, every HEARTBEAT_S; answered by a pong with the same number."""

    type: Literal["ping"] = "ping"
    number: int = 0


# ---- from the server ----


class ParticipantInfo(Message):
    """What everyone may know of a person; ``sources`` are those published, ``muted`` those turned off.

    ``connected`` is False while nothing is heard of the page; ``is_stream`` marks a WHIP publisher. ``camera_effects``
    is "interrupted" or "failed" when the filters of the camera are. ``left_out`` is who keeps the person out of
    recordings, None when they may be recorded.
    """

    id: str
    name: str
    is_host: bool
    state: Literal["waiting", "previewing", "in", "left"]
    sources: list[SourceKind] = []
    muted: list[SourceKind] = []
    connected: bool = True
    is_stream: bool = False
    camera_effects: EffectState = "off"
    left_out: LeftOutBy | None = None


class ChatEntry(Message):
    """A chat text as everyone reads it; ``number`` counts up within the meeting."""

    number: int
    participant_id: str
    name: str
    text: str
    at_s: float


class StreamAccess(Message):
    """For the host: where other programs publish to (WHIP) and watch (WHEP) this meeting, and their bearer tokens."""

    whip_path: str
    whep_path: str
    whip_token: str
    whep_token: str


class RecordingInfo(Message):
    """Whether a recording runs, since when (Unix time), and the name of who started it."""

    active: bool
    recording_id: str | None = None
    started_at_s: float | None = None
    started_by: str | None = None


class CaptionsInfo(Message):
    """Live captions of the meeting, and how they do: "behind" is a server that is too slow, and leaves phrases out.

    ``title`` is that of the transcriber; ``leaves_host`` says that it sends the sound to another machine. ``language``
    is what the meeting says is spoken, ``languages`` what a person may say instead.
    """

    state: CaptionState
    reason: str | None = None
    title: str
    leaves_host: bool
    language: str
    languages: list[str]


class CaptionEntry(Message):
    """What somebody said, as everyone reads it; ``number`` counts up within the meeting. Times are Unix times of the
    server; ``language`` is BCP 47.
    """

    number: int
    participant_id: str
    name: str
    text: str
    language: str
    start_s: float
    end_s: float


class Welcome(Message):
    """The answer to join. ``token`` lets this person come back as the same participant."""

    type: Literal["welcome"] = "welcome"
    participant_id: str
    token: str
    is_host: bool
    meeting_id: str
    title: str
    participants: list[ParticipantInfo]
    recording: RecordingInfo
    ice_servers: list[dict[str, str]]
    heartbeat_s: float = HEARTBEAT_S
    chat: list[ChatEntry] = []
    speaker_id: str | None = None
    streams: StreamAccess | None = None
    recording_choice: RecordingChoice = "everyone"
    captions: CaptionsInfo | None = None
    said: list[CaptionEntry] = []


class Previewing(Message):
    """The answer to preview. ``participant_id`` is the page's own in ``slots`` and ``view`` until it joins."""

    type: Literal["previewing"] = "previewing"
    participant_id: str
    ice_servers: list[dict[str, str]]
    heartbeat_s: float = HEARTBEAT_S


class SourceEffects(Message):
    """How the effects of one source stand. ``reason`` says why they are interrupted or failed.

    ``hides`` says that the others get what the effects make of it, or a card, and never the source itself;
    ``reduced`` that the server had no room for the whole picture; ``no_room`` that they failed since it had none
    at all.
    """

    state: EffectState = "off"
    reason: str | None = None
    hides: bool = False
    reduced: bool = False
    no_room: bool = False


class EffectsChanged(Message):
    """This person's live effects as they are in force, with all their options, after every change."""

    type: Literal["effects-changed"] = "effects-changed"
    filters: list[Effect]
    denoiser: Effect | None = None
    camera: SourceEffects = SourceEffects()
    microphone: SourceEffects = SourceEffects()


class Published(Message):
    """The answer to publish."""

    type: Literal["published"] = "published"
    sdp: str


class Offer(Message):
    """The server's offer of the receiving connection: a pool of slots that is reused."""

    type: Literal["offer"] = "offer"
    sdp: str
    negotiation: int


class Slot(Message):
    """A pair of media sections and the person heard and seen there (None: free).

    A slot for a screen has no sound: ``audio_mid`` is None. While ``paused``, the picture is not sent: it is not on
    the page's screen, or the network does not carry it.
    """

    audio_mid: str | None
    video_mid: str
    participant_id: str | None
    source: PictureKind = "camera"
    paused: bool = False


class Slots(Message):
    """The whole mapping of the receiving connection, after every change."""

    type: Literal["slots"] = "slots"
    slots: list[Slot]


class ParticipantChanged(Message):
    """A person came, or something about a person changed."""

    type: Literal["participant"] = "participant"
    participant: ParticipantInfo


class ParticipantLeft(Message):
    """A person is gone."""

    type: Literal["participant-left"] = "participant-left"
    participant_id: str
    reason: Literal["left", "lost"]


class SpeakerChanged(Message):
    """Who speaks now, by the level of the sound (None: nobody has yet)."""

    type: Literal["speaker"] = "speaker"
    participant_id: str | None


class ChatReceived(Message):
    """Somebody, perhaps this person, wrote a text."""

    type: Literal["chat-entry"] = "chat-entry"
    entry: ChatEntry


class CaptionsChanged(Message):
    """The captions do otherwise than before."""

    type: Literal["captions"] = "captions"
    captions: CaptionsInfo


class CaptionReceived(Message):
    """Somebody, perhaps this person, has said something."""

    type: Literal["caption"] = "caption"
    entry: CaptionEntry


class SentStatistics(Message):
    """How one of this person's sources arrives at the server. ``loss`` is a share in [0, 1] before any repair."""

    source: SourceKind
    bitrate_bps: float
    loss: float
    jitter_s: float
    rtt_s: float | None = None


class ReceivedStatistics(Message):
    """One picture of this person's slots: ``layer`` is what the server has chosen, None while it is paused.

    ``temporal`` is the highest temporal layer sent: 0 is a quarter, 1 half, 2 all of the pictures.
    """

    participant_id: str
    source: PictureKind
    layer: Literal["full", "small"] | None
    temporal: int
    bitrate_bps: float


class PersonStatistics(Message):
    """How well a person is connected, for everyone: of both directions the worse."""

    participant_id: str
    loss: float
    jitter_s: float
    rtt_s: float | None
    sent_bps: float
    received_bps: float


class Statistics(Message):
    """Every two seconds. ``estimate_bps`` is what the server thinks this page can receive."""

    type: Literal["statistics"] = "statistics"
    estimate_bps: float | None
    received_bps: float
    received_loss: float
    rtt_s: float | None
    sent: list[SentStatistics]
    received: list[ReceivedStatistics]
    people: list[PersonStatistics]


class RecordingChanged(Message):
    """The recording started or stopped; ``reason`` says why when it was not the host."""

    type: Literal["recording"] = "recording"
    recording: RecordingInfo
    reason: str | None = None


class Replaced(Message):
    """Another page joined with the same token: this one is closed."""

    type: Literal["replaced"] = "replaced"
    reason: str


class Error(Message):
    """Something this page asked for cannot be done; ``fatal`` closes the socket."""

    type: Literal["error"] = "error"
    code: Literal[
        "bad-message", "too-large", "unknown-meeting", "bad-sdp", "not-joined", "not-host", "recording-failed", "full",
        "too-fast", "stream-refused", "bad-effects", "bad-language", "no-choice", "internal",
    ]  # fmt: skip
    message: str
    fatal: bool = False


class Pong(Message):
    """Answer to a ping."""

    type: Literal["pong"] = "pong"
    number: int


ClientMessage = (
    Join
    | Preview
    | Effects
    | Publish
    | Receive
    | View
    | Chat
    | Answer
    | Candidate
    | Mute
    | RecordingControl
    | RecordingChosen
    | RecordingSeen
    | LeaveOut
    | SpokenLanguage
    | Leave
    | Ping
)
ServerMessage = (
    Welcome
    | Previewing
    | EffectsChanged
    | Published
    | Offer
    | Slots
    | ParticipantChanged
    | ParticipantLeft
    | RecordingChanged
    | SpeakerChanged
    | ChatReceived
    | CaptionsChanged
    | CaptionReceived
    | Statistics
    | Replaced
    | Error
    | Pong
)
_CLIENT: TypeAdapter[ClientMessage] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="type")])


def parse_client_message(data: str | bytes) -> ClientMessage:
    """Raises pydantic.ValidationError, whose text names the field."""
    return _CLIENT.validate_json(data)
