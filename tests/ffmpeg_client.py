"""A WHIP publisher that is FFmpeg's own muxer: ``ffmpeg_client.py URL TOKEN FOLDER SECONDS``.

FFmpeg with GnuTLS, as PyAV's wheels have it, makes a certificate on a curve that OpenSSL does not take, so it is given
one on P-256, which every WebRTC program has to know (RFC 8827, section 6.5).
"""

import datetime
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

FPS, RATE_HZ, SAMPLES = 30, 48_000, 960


def certificate_files(folder: Path) -> tuple[Path, Path]:
    """A key on P-256 and a certificate for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "publisher")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now)
    certificate = builder.not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return key_file, certificate_file


def publish(url: str, token: str, folder: Path, seconds: float) -> None:
    """A grey picture that gets lighter, and noise, in real time."""
    key, certificate = certificate_files(folder)
    options = {"authorization": token, "cert_file": str(certificate), "key_file": str(key)}
    with av.open(url, "w", format="whip", options=options) as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        video.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": str(FPS // 2)}
        audio = container.add_stream("libopus", rate=RATE_HZ, layout="stereo")
        random, begun_s, samples = np.random.default_rng(1), time.monotonic(), 0
        for number in range(round(seconds * FPS)):
            frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 50 + number % 150, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
            while samples * FPS < number * RATE_HZ:
                noise = random.integers(-3000, 3000, (1, 2 * SAMPLES)).astype(np.int16)
                sound = av.AudioFrame.from_ndarray(noise, format="s16", layout="stereo")
                sound.sample_rate, sound.pts, sound.time_base = RATE_HZ, samples, Fraction(1, RATE_HZ)
                container.mux(audio.encode(sound))
                samples += SAMPLES
            time.sleep(max(begun_s + number / FPS - time.monotonic(), 0))


if __name__ == "__main__":
    publish(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]))
