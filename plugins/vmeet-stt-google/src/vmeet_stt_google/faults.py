"""The errors of Cloud Speech-to-Text: which of them may pass, and what to do about the others."""

from google.api_core.exceptions import GoogleAPICallError
from google.rpc.error_details_pb2 import RetryInfo
from grpc import StatusCode

from vmeet_core.hookspecs import Permanent, Retryable
from vmeet_stt_google.settings import GoogleSettings

_WHO = "Google Cloud Speech-to-Text"
_MOST_CHARS = 300
_PASSING = {
    StatusCode.RESOURCE_EXHAUSTED: "the quota of the project is used up. Wait, or ask for more in the Cloud console",
    StatusCode.UNAVAILABLE: "it cannot be reached or is out of order for now",
    StatusCode.DEADLINE_EXCEEDED: "it gave no answer in time (try_timeout_s)",
    StatusCode.INTERNAL: "it failed",
    StatusCode.UNKNOWN: "it failed",
    StatusCode.ABORTED: "it gave up",
    StatusCode.CANCELLED: "the call was cut off",
    StatusCode.DATA_LOSS: "its answer is damaged",
}
_LASTING = {
    StatusCode.UNAUTHENTICATED: "it does not accept the credentials. Give credentials_file of a service account",
    StatusCode.PERMISSION_DENIED: 'the credentials are not allowed to. Give the service account the role "Cloud Speech '
    'Client" in project {project}, and enable the Speech-to-Text API there',
    StatusCode.NOT_FOUND: "something is not there. Check project ({project}), location ({location}) and model "
    "({model})",
    StatusCode.INVALID_ARGUMENT: "it does not take this request. Check that model {model} in {location} knows the "
    "language and what the options ask (punctuation, word_times, hot_word_boost = 0 asks for less)",
    StatusCode.FAILED_PRECONDITION: "the project is not ready for it. Check billing and the API of project {project}",
    StatusCode.OUT_OF_RANGE: "the sound is longer than it takes",
    StatusCode.UNIMPLEMENTED: "this server does not know the call. Check endpoint",
}


def fault_of(error: GoogleAPICallError, settings: GoogleSettings) -> Retryable | Permanent:
    """``after_s`` is what Google asks for, or 0 where it says nothing."""
    code = error.grpc_status_code
    said = " ".join(str(error.message or "").split())[:_MOST_CHARS].rstrip(".")
    name = code.name if code else type(error).__name__
    if code in _LASTING:
        facts = {"project": settings.project, "location": settings.location, "model": settings.model}
        return Permanent(f"{_WHO}: {_LASTING[code].format_map(facts)}. It said: {name}: {said}")
    meaning = _PASSING.get(code, "it failed") if code else "it failed"
    return Retryable(f"{_WHO}: {meaning}. It said: {name}: {said}", _retry_after_s(error))


def _retry_after_s(error: GoogleAPICallError) -> float:
    delays = [detail.retry_delay for detail in error.details if isinstance(detail, RetryInfo)]
    return max((delay.seconds + delay.nanos / 1e9 for delay in delays), default=0.0)
