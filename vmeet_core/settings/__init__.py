"""Settings: ``vmeet.toml`` and the environment, read once into frozen models. The only reader of either."""

from vmeet_core.settings.extras import missing_extras
from vmeet_core.settings.load import load_settings, with_bind
from vmeet_core.settings.models import (
    KINDS,
    IceServer,
    Kind,
    Language,
    LayoutName,
    Numbers,
    PeopleMayChange,
    Pipeline,
    Preset,
    Recording,
    RecordingChoice,
    Script,
    Server,
    Settings,
    SpeechSource,
    Uploads,
    Video,
    Weights,
)
from vmeet_core.settings.problems import Problem, SettingsError, did_you_mean, validated

__all__ = [
    "KINDS",
    "IceServer",
    "Kind",
    "Language",
    "LayoutName",
    "Numbers",
    "PeopleMayChange",
    "Pipeline",
    "Preset",
    "Problem",
    "Recording",
    "RecordingChoice",
    "Script",
    "Server",
    "Settings",
    "SettingsError",
    "SpeechSource",
    "Uploads",
    "Video",
    "Weights",
    "did_you_mean",
    "load_settings",
    "missing_extras",
    "validated",
    "with_bind",
]
