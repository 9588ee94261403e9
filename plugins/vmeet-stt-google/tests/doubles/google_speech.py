"""A double of Cloud Speech-to-Text v2, on a socket of this machine."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import grpc
from google.cloud.speech_v2.types import cloud_speech
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from own_certificate import Certificate

RATE_HZ = 16_000

Step = Callable[[grpc.ServicerContext], None]


class SpeechDouble:
    """Speech v2 over gRPC, with Google's limits; ``next`` holds what it does before it answers the coming calls."""

    def __init__(self, tls: "Certificate | None" = None) -> None:
        self.results: list[Any] = [
            result_of("今天天氣很好。", [("今天", 0.1, 0.5), ("天氣", 0.5, 0.9), ("很好", 1, 1.4)], 1.6)
        ]
        self.next: deque[Step] = deque()
        self.requests: list[cloud_speech.RecognizeRequest] = []
        self.streams: list[list[cloud_speech.StreamingRecognizeRequest]] = []
        self.metadata: list[dict[str, str]] = []
        self.token: str | None = None
        self.garbage: deque[bytes] = deque()
        self.stopped = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers([self._handlers()])
        if tls is None:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            self.port = self._server.add_secure_port(
                "127.0.0.1:0", grpc.ssl_server_credentials([(tls.key_pem, tls.certificate_pem)])
            )
        self._server.start()
        self.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.stopped.set()
        self._server.stop(None).wait()

    def status(self, code: grpc.StatusCode, message: str, retry_s: float | None = None) -> Step:
        """An error, with how long to wait where ``retry_s`` is given."""

        def abort(context: grpc.ServicerContext) -> None:
            status = status_pb2.Status(code=code.value[0], message=message)
            if retry_s is not None:
                delay = Duration(seconds=int(retry_s), nanos=int(retry_s % 1 * 1e9))
                status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
            context.abort_with_status(rpc_status.to_status(status))

        return abort

    def stall(self, seconds: float) -> Step:
        def wait(context: grpc.ServicerContext) -> None:
            self.stopped.wait(seconds)

        return wait

    def _handlers(self) -> grpc.GenericRpcHandler:
        recognize = grpc.unary_unary_rpc_method_handler(
            self._recognize,
            request_deserializer=cloud_speech.RecognizeRequest.deserialize,
            response_serializer=self._serialized,
        )
        stream = grpc.stream_stream_rpc_method_handler(
            self._stream,
            request_deserializer=cloud_speech.StreamingRecognizeRequest.deserialize,
            response_serializer=self._serialized,
        )
        methods = {"Recognize": recognize, "StreamingRecognize": stream}
        return grpc.method_handlers_generic_handler("google.cloud.speech.v2.Speech", methods)

    def _serialized(self, response: Any) -> bytes:
        return self.garbage.popleft() if self.garbage else bytes(type(response).serialize(response))

    def _recognize(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(context)
        self.requests.append(request)
        if len(request.content) > 2 * 60 * RATE_HZ:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Audio can be of a maximum of 60 seconds.")
        self._check(request.recognizer, request.config, context)
        return cloud_speech.RecognizeResponse(results=self.results)

    def _stream(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        self._begin(context)
        messages: list[Any] = []
        self.streams.append(messages)
        for number, request in enumerate(requests):
            messages.append(request)
            if number == 0:
                self._check(request.recognizer, request.streaming_config.config, context)
                yield cloud_speech.StreamingRecognizeResponse(
                    results=[cloud_speech.StreamingRecognitionResult(alternatives=[{"transcript": "今"}])]
                )
            elif not 0 < len(request.audio) <= 25_600:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Audio chunk can be of a maximum of 25600 bytes.")
        for result in self.results:
            fields = {name: getattr(result, name) for name in ("alternatives", "result_end_offset", "language_code")}
            final = cloud_speech.StreamingRecognitionResult(**fields, is_final=True)
            yield cloud_speech.StreamingRecognizeResponse(results=[final])

    def _begin(self, context: grpc.ServicerContext) -> None:
        metadata = {key: str(value) for key, value in context.invocation_metadata()}
        self.metadata.append(metadata)
        if self.token is not None and metadata.get("authorization") != f"Bearer {self.token}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "Request had invalid authentication credentials.")
        if self.next:
            self.next.popleft()(context)

    def _check(self, recognizer: str, config: Any, context: grpc.ServicerContext) -> None:
        decoding = config.explicit_decoding_config
        linear16 = cloud_speech.ExplicitDecodingConfig.AudioEncoding.LINEAR16
        if (decoding.encoding, decoding.sample_rate_hertz, decoding.audio_channel_count) != (linear16, RATE_HZ, 1):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The sound is not what was said.")
        if recognizer != "projects/meetings-1/locations/asia-southeast1/recognizers/_":
            context.abort(grpc.StatusCode.NOT_FOUND, f"Unable to find Recognizer {recognizer}.")
        if not 1 <= len(config.language_codes) <= 3 or "xx-XX" in config.language_codes:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The language is not supported by the model.")


def result_of(text: str, words: list[tuple[str, float, float]], end_s: float, code: str = "cmn-hant-tw") -> Any:
    """A ``SpeechRecognitionResult`` as Google makes them."""
    infos = [
        {"word": word, "start_offset": timedelta(seconds=start_s), "end_offset": timedelta(seconds=until_s)}
        for word, start_s, until_s in words
    ]
    return cloud_speech.SpeechRecognitionResult(
        alternatives=[{"transcript": text, "confidence": 0.9, "words": infos}],
        result_end_offset=timedelta(seconds=end_s),
        language_code=code,
    )
