"""The packages that the engines want: each an extra, since together they are three times as large as VMeet's own."""

from importlib.util import find_spec

_MODULES = {"web": ("speech_recognition",), "cloud": ("google.cloud.speech_v2", "requests")}
_REQUIREMENTS = {"web": '"SpeechRecognition>=3.14,<4"', "cloud": '"google-cloud-speech>=2.33,<3" "requests>=2.32"'}


def check_installed(engine: str) -> None:
    """Raises ValueError with the command that brings what the engine wants; imports nothing of it."""
    if not all(map(_is_installed, _MODULES[engine])):
        raise ValueError(
            f'the packages of engine = "{engine}" are not installed. Run: pip install {_REQUIREMENTS[engine]} '
            f"(the extra [{engine}] of vmeet-stt-google)"
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of what it lies in
        return False
