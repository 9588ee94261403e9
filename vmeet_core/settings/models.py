"""The tables of ``vmeet.toml`` as frozen models: every key with its type, its default and what it is for."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

Kind = Literal["frame_filters", "video_enhancers", "transcribers", "denoisers"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PeopleMayChange = Literal["everything", "options", "nothing"]
LayoutName = Literal["grid", "speaker"]
RecordingChoice = Literal["everyone", "opt-out", "opt-in"]


def _bind(value: str) -> str:
    host, port = split_bind(value)
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise ValueError('should be "HOST:PORT", such as "127.0.0.1:8080" or "[::1]:8080"')
    return value


def split_bind(value: str) -> tuple[str, str]:
    """Host (without the brackets of IPv6) and port of ``HOST:PORT``; empty strings where it is none."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\s\[\]]+)):([0-9]+)", value)
    return (match[1] or match[2], match[3]) if match else ("", "")


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value)) if value else ""
    except ValueError:
        raise ValueError('should be an IP address, such as "203.0.113.7", or ""') from None


def _ports(value: str) -> str:
    if value and split_ports(value) is None:
        raise ValueError('should be a range such as "50000-50100", one port such as "50000", or ""')
    return value


def split_ports(value: str) -> tuple[int, int] | None:
    """First and last port of ``FIRST-LAST`` or of a single ``PORT``; None where it is neither."""
    match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", value)
    if match is None:
        return None
    first, last = int(match[1]), int(match[2] or match[1])
    return (first, last) if 1 <= first <= last <= 65535 else None


def _ice_url(value: str) -> str:
    if not re.fullmatch(r"(stuns?|turns?):\S+", value):
        raise ValueError('should begin with "stun:", "stuns:", "turn:" or "turns:"')
    return value


def _database(value: str) -> str:
    if value and not re.fullmatch(r"postgres(ql)?(\+asyncpg)?://[^/\s]*/[^/?\s]+(\?\S*)?", value):
        raise ValueError('should be "postgresql://USER:PASSWORD@HOST/NAME", or "" for SQLite')
    return re.sub(r"^postgres(ql)?(\+asyncpg)?:", "postgresql+asyncpg:", value)


def _dask_address(value: str, info: ValidationInfo) -> str:
    if info.data.get("executor") == "dask" and not value:
        raise ValueError('should name the scheduler, such as "tcp://127.0.0.1:8786", where executor is "dask"')
    if value and not re.fullmatch(r"(tcp|tls)://[^/\s]+:[0-9]{1,5}", value):
        raise ValueError('should be "tcp://HOST:PORT" or "tls://HOST:PORT", such as "tcp://127.0.0.1:8786"')
    return value


def _tls_file(value: Path | None, info: ValidationInfo) -> Path | None:
    if value is None and str(info.data.get("dask_scheduler", "")).startswith("tls://"):
        raise ValueError('should name a file (PEM), where dask_scheduler begins with "tls://"')
    return value


def _files_url(value: str) -> str:
    if value and not re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+", value):
        raise ValueError('should be an address such as "s3://BUCKET/FOLDER" or "file:///mnt/share/vmeet", or ""')
    return value.rstrip("/")


class Table(BaseModel):
    """A table of the file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class IceServer(Table):
    """A STUN or TURN server."""

    urls: Annotated[str, AfterValidator(_ice_url)] = Field(description='its address, such as "turn:turn.example.org"')
    username: str = Field("", description="the user name of a TURN server")
    credential: str = Field("", description="the password of a TURN server", repr=False)
    secret: str = Field(
        "",
        description="instead of both: the secret shared with the TURN server, to make credentials that expire",
        repr=False,
    )
    lifetime_s: int = Field(43_200, ge=60, le=604_800, description="how long such credentials hold, in seconds")

    @field_validator("secret")
    @classmethod
    def _stands_alone(cls, value: str, info: ValidationInfo) -> str:
        if value and (info.data.get("username") or info.data.get("credential")):
            raise ValueError("should not stand beside username or credential: credentials are made from it")
        if value and str(info.data.get("urls", "turn:")).startswith("stun"):
            raise ValueError('should stand with a "turn:" or "turns:" address only: STUN servers ask for none')
        return value


class Server(Table):
    """Where the server listens and what it may do."""

    bind: Annotated[str, AfterValidator(_bind)] = Field(
        "127.0.0.1:8080", description='the address to listen on, "HOST:PORT"; "0.0.0.0:8080" is every network'
    )
    ice_servers: tuple[IceServer, ...] = Field(
        (), description="STUN and TURN servers for people behind strict networks; none by default"
    )
    public_address: Annotated[str, AfterValidator(_address)] = Field(
        "", description="the IP address that browsers reach the server at, where NAT hides it behind another one"
    )
    udp_ports: Annotated[str, AfterValidator(_ports)] = Field(
        "", description='the UDP ports for media, "50000-50100" or one: the first free one is used; any by default'
    )
    allow_leaving_host: tuple[str, ...] = Field(
        (), description="names of the providers that may send media to another machine"
    )
    data_dir: Path = Field(Path("data"), description="the folder of the database and the recordings")
    database: Annotated[str, AfterValidator(_database)] = Field(
        "",
        description='a PostgreSQL database, "postgresql://USER:PASSWORD@HOST/NAME"; by default SQLite in `data_dir`',
        repr=False,
    )
    access_key: str = Field(
        "",
        description="asked of whoever creates meetings or opens recordings; one is made where it is left out",
        repr=False,
    )

    @property
    def host(self) -> str:
        return split_bind(self.bind)[0]

    @property
    def port(self) -> int:
        return int(split_bind(self.bind)[1])

    @property
    def udp_range(self) -> tuple[int, int] | None:
        """First and last of ``udp_ports``; None for any."""
        return split_ports(self.udp_ports)


class Weights(Table):
    """Where model files are kept."""

    dir: Path = Field(Path("weights"), description="the folder of the model files")
    offline: bool = Field(False, description="never fetch a model file over the network")


TlsFile = Annotated[Path | None, AfterValidator(_tls_file)]


class Pipeline(Table):
    """How recordings are processed."""

    executor: Literal["processes", "dask"] = Field(
        "processes", description="where steps run: processes of this machine, or of a Dask cluster"
    )
    dask_scheduler: Annotated[str, AfterValidator(_dask_address)] = Field(
        "",
        validate_default=True,
        description='the scheduler of the Dask cluster, "tcp://HOST:8786" or "tls://HOST:8786", with executor = "dask"',
    )
    dask_tls_ca: TlsFile = Field(
        None, validate_default=True, description="for tls://: the certificate that signed those of the cluster"
    )
    dask_tls_cert: TlsFile = Field(
        None, validate_default=True, description="for tls://: the certificate of this server"
    )
    dask_tls_key: TlsFile = Field(None, validate_default=True, description="for tls://: the key of that certificate")
    files: Annotated[str, AfterValidator(_files_url)] = Field(
        "",
        description='how Dask workers get files: "" when they see the same folders at the same paths, else a place '
        'such as "s3://BUCKET/FOLDER" that all of them reach',
    )
    files_options: dict[str, Any] = Field(
        {},
        description="options of that place, as fsspec calls them, on each machine; credentials: see below",
        repr=False,
    )
    files_cache_bytes: int = Field(
        20_000_000_000, ge=0, description="how much of that place a Dask worker keeps on its own disk"
    )
    workers: int = Field(
        0,
        ge=0,
        le=64,
        description="how many steps run at the same time; 0: three, or half as many as there are cores",
    )
    cpu: int = Field(
        0,
        ge=0,
        le=1024,
        description="how many threads the running steps use together; 0: as many as there are cores; where workers is "
        "0, too, each step may use its share of twice as many",
    )
    gpu: int = Field(1, ge=0, le=64, description='how many steps use a GPU at the same time, with device = "cuda"')
    memory_bytes: int = Field(
        0, ge=0, description="how much memory the running steps use together; 0: as much as the machine has"
    )
    plugin_memory_bytes: int = Field(
        0, ge=0, description="how much memory a step with a plugin may use; 0: 1 GiB and four times its model files"
    )
    device: Literal["cpu", "cuda"] = Field("cpu", description="what models run on")
    ahead: bool = Field(
        True, description="begin to process a recording while its meeting still runs, in the background"
    )


class Live(Table):
    """The processes that filter pictures and sound during a meeting."""

    workers: int = Field(
        0, ge=0, le=64, description="how many processes filter pictures; 0: one for each processor core"
    )


class Recording(Table):
    """How meetings are recorded, and how long recordings are kept."""

    part_s: int = Field(
        30,
        ge=10,
        le=600,
        description="after so many seconds each track goes on in a new file",
    )
    min_free_bytes: int = Field(
        500_000_000, ge=0, description="a recording stops by itself when the disk has less free space than this"
    )
    max_age_days: int = Field(
        0, ge=0, le=36_500, description="recordings that ended longer ago are deleted by themselves; 0: none is"
    )
    max_total_bytes: int = Field(
        0, ge=0, description="when all recordings take more, the oldest are deleted by themselves; 0: none is"
    )


class Uploads(Table):
    """Recordings that people bring along."""

    max_bytes: int = Field(20_000_000_000, ge=0, description="the largest file that may be uploaded; 0: none may")
    keep_unfinished_h: int = Field(
        48, ge=1, le=8_760, description="an upload that nobody goes on with is deleted after this many hours"
    )


class Video(Table):
    """The picture that is made of a recording."""

    layout: LayoutName = Field(
        "grid", description="where a preset does not say: everyone in a grid, or the speaker large"
    )
    width_px: int = Field(1280, ge=320, le=3840, multiple_of=2, description="how wide the picture is")
    height_px: int = Field(720, ge=180, le=2160, multiple_of=2, description="how high the picture is")
    fps: int = Field(30, ge=15, le=60, description="pictures a second")


Language = Annotated[str, StringConstraints(pattern=r"^(auto|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)$", max_length=35)]
Script = Literal["traditional-tw", "simplified", "as-spoken"]
Numbers = Literal["as-spoken", "digits"]
SpeechSource = Literal["original", "denoised"]
PresetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
ProviderName = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Preset(Table):
    """What a meeting starts from: the providers it uses, by name, and their options."""

    frame_filters: tuple[ProviderName, ...] = Field((), description="filters of the live picture, in this order")
    live_denoiser: ProviderName | None = Field(None, description="the denoiser of the live sound")
    live_transcriber: ProviderName | None = Field(
        None, description="what writes down the speech while the meeting runs, as captions for everyone in it"
    )
    people_may_change: PeopleMayChange = Field(
        "everything",
        description="what people may change of the live filters and the live denoiser for themselves: everything "
        "(also turn them off), their options only, or nothing",
    )
    recording_choice: RecordingChoice = Field(
        "everyone",
        description="who is in a recording: everyone, who is told; everyone but those who say no (opt-out); only those "
        "who say yes (opt-in)",
    )
    denoiser: ProviderName | None = Field(None, description="the denoiser of the recorded sound")
    transcriber: ProviderName | None = Field(None, description="what writes down the recorded speech")
    video_enhancer: ProviderName | None = Field(None, description="what enlarges the recorded picture")
    layout: LayoutName | None = Field(
        None, description="how the recording shows people: everyone in a grid, or the speaker large"
    )
    language: Language = Field(
        "auto", description='the language spoken, a BCP 47 tag such as "zh" or "en-GB", or "auto"'
    )
    script: Script = Field("traditional-tw", description="the Chinese script of captions and transcripts")
    numbers: Numbers = Field(
        "as-spoken", description="Chinese numbers in captions and transcripts: 二十三, or digits, 23"
    )
    transcribe_from: SpeechSource = Field(
        "original", description="the sound that is transcribed: as it was recorded, or as the denoiser left it"
    )
    options: dict[ProviderName, dict[str, Any]] = Field(
        {}, description="options of the providers above: a table for each, by its name"
    )

    def chosen(self) -> list[tuple[str, Kind, str]]:
        """(key, kind, provider) of every provider that the preset names; a list's keys are ``frame_filters[0]``."""
        filters: list[tuple[str, Kind, str]] = [
            (f"frame_filters[{i}]", "frame_filters", name) for i, name in enumerate(self.frame_filters)
        ]
        single: list[tuple[str, Kind, str | None]] = [
            ("live_denoiser", "denoisers", self.live_denoiser),
            ("live_transcriber", "transcribers", self.live_transcriber),
            ("denoiser", "denoisers", self.denoiser),
            ("transcriber", "transcribers", self.transcriber),
            ("video_enhancer", "video_enhancers", self.video_enhancer),
        ]
        return filters + [(key, kind, name) for key, kind, name in single if name is not None]


class Tables(Table):
    """Everything that ``vmeet.toml`` may hold."""

    server: Server = Field(Server(), description="where the server listens and what it may do")
    weights: Weights = Field(Weights(), description="where model files are kept")
    plugins: dict[Kind, dict[ProviderName, dict[str, Any]]] = Field(
        {}, description="the server settings of each provider: [plugins.KIND.NAME]"
    )
    meetings: dict[PresetName, Preset] = Field({}, description="the presets that a meeting can start from")
    pipeline: Pipeline = Field(Pipeline(), description="how recordings are processed")
    live: Live = Field(Live(), description="the processes that filter pictures and sound during a meeting")
    recording: Recording = Field(Recording(), description="how meetings are recorded")
    uploads: Uploads = Field(Uploads(), description="recordings that people bring along")
    video: Video = Field(Video(), description="the picture that is made of a recording")


class Settings(Tables):
    """The settings in force; paths are absolute, and there is at least one preset."""

    file: Path | None = None  #: where they were read from; no key of the file
