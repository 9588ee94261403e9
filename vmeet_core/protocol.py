"""The signalling messages between a page and the server: JSON over the WebSocket ``/api/meetings/{id}/socket``.

Mirrored by docs/protocol.md and web/js/protocol.js; tests fail when they drift apart.
"""

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from vmeet_core.manifest import SourceKind

MAX_MESSAGE_BYTES = 128 * 1024
MAX_NAME_CHARS = 64
HEARTBEAT_S = 2.0  #: a page sends a ping this often
SILENCE_S = 7.0  #: a page that was silent for so long has gone

Connection = Literal["publish", "receive"]


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


class Message(BaseModel):
    """Base of all messages; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ---- from the page ----


class Join(Message):
    """First message. ``token`` is the one from an earlier welcome (reload, rejoin); ``host_key`` makes a host."""

    type: Literal["join"] = "join"
    name: Name
    token: Token | None = None
    host_key: Token | None = None


class SourceSection(Message):
    """Which media section (``mid``) of the offer carries which source."""

    mid: Annotated[str, Field(max_length=16)]
    source: SourceKind


class Publish(Message):
    """The offer of the connection that carries this person's media to the server."""

    type: Literal["publish"] = "publish"
    sdp: Sdp
    sources: Annotated[list[SourceSection], Field(max_length=4)]


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


class Leave(Message):
    """Goodbye."""

    type: Literal["leave"] = "leave"


class Ping(Message):
    """Heartbeat, every HEARTBEAT_S; answered by a pong with the same number."""

    type: Literal["ping"] = "ping"
    number: int = 0


# ---- from the server ----


class ParticipantInfo(Message):
    """What everyone may know of a person; ``sources`` are those published, ``muted`` those turned off."""

    id: str
    name: str
    is_host: bool
    state: Literal["waiting", "previewing", "in", "left"]
    sources: list[SourceKind] = []
    muted: list[SourceKind] = []


class RecordingInfo(Message):
    """Whether a recording runs, and since when (Unix time)."""

    active: bool
    recording_id: str | None = None
    started_at_s: float | None = None


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
    """A pair of media sections and the person heard and seen there (None: free)."""

    audio_mid: str
    video_mid: str
    participant_id: str | None


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
        "internal",
    ]  # fmt: skip
    message: str
    fatal: bool = False


class Pong(Message):
    """Answer to a ping."""

    type: Literal["pong"] = "pong"
    number: int


ClientMessage = Join | Publish | Answer | Candidate | Mute | RecordingControl | Leave | Ping
ServerMessage = (
    Welcome
    | Published
    | Offer
    | Slots
    | ParticipantChanged
    | ParticipantLeft
    | RecordingChanged
    | Replaced
    | Error
    | Pong
)
_CLIENT: TypeAdapter[ClientMessage] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="type")])


def parse_client_message(data: str | bytes) -> ClientMessage:
    """Raises pydantic.ValidationError, whose text names the field."""
    return _CLIENT.validate_json(data)
