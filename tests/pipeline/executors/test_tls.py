"""A cluster that asks for certificates."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dask_processes import DaskProcesses
from executor_stage import Stage, dask_settings, with_workers

from vmeet_core.pipeline.executors.dask_executor import DaskExecutor
from vmeet_core.pipeline.executors.executor import StepWaits
from vmeet_core.settings import Settings

MakeExecutor = Callable[[Settings], DaskExecutor]


def certificate(folder: Path) -> tuple[Path, Path]:
    """Files of a new certificate that is its own authority, and of its key."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(hours=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made, secret = folder / "cert.pem", folder / "key.pem"
    made.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made, secret


async def test_only_who_has_a_certificate_gets_in(
    empty_cluster: DaskProcesses, make_executor: MakeExecutor, stage: Stage, tmp_path: Path
) -> None:
    made, key = certificate(tmp_path / "ours")
    options = ["--tls-ca-file", str(made), "--tls-cert", str(made), "--tls-key", str(key)]
    empty_cluster.protocol = "tls"
    empty_cluster.start_scheduler("--protocol", "tls", *options)
    empty_cluster.start_worker("--protocol", "tls", "--nthreads", "2", *options)
    files = {"dask_tls_ca": made, "dask_tls_cert": made, "dask_tls_key": key}
    executor = make_executor(dask_settings(empty_cluster.address, **files))
    read = stage.folder / "in.txt"
    read.write_text("secret words")
    await with_workers(executor, 2)
    assert await stage.run(executor, "copy", inputs={"in": read}) == "secret words"
    other, other_key = certificate(tmp_path / "other")
    files = {"dask_tls_ca": made, "dask_tls_cert": other, "dask_tls_key": other_key}
    with pytest.raises(StepWaits, match="cannot be reached"):
        await stage.run(make_executor(dask_settings(empty_cluster.address, **files)), "copy")
