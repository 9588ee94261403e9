"""A file is checked before it takes its name."""

import hashlib

import pytest

from vmeet_core.hookspecs import Weight
from vmeet_core.weights.transfer import SourceError, adopt, fault_of

GOOD = Weight("w", hashlib.sha256(b"hello").hexdigest(), 5, "MIT", ())


@pytest.mark.parametrize(
    ("content", "fault"), [(b"hello", None), (b"hell", "has 4 bytes instead of 5"), (b"HELLO", "has the SHA-256 ")]
)
def test_fault_of(content, fault, tmp_path):
    path = tmp_path / "w"
    path.write_bytes(content)
    found = fault_of(path, GOOD)
    assert found is None if fault is None else str(found).startswith(fault)


def test_a_good_file_is_adopted(tmp_path):
    (tmp_path / "part").write_bytes(b"hello")
    (tmp_path / "w").write_bytes(b"older")
    adopt(tmp_path / "part", tmp_path / "w", GOOD)
    assert (tmp_path / "w").read_bytes() == b"hello"
    assert not (tmp_path / "part").exists()


def test_a_bad_file_is_deleted_and_the_older_one_stays(tmp_path):
    (tmp_path / "part").write_bytes(b"HELLO")
    (tmp_path / "w").write_bytes(b"older")
    with pytest.raises(SourceError, match="deleted"):
        adopt(tmp_path / "part", tmp_path / "w", GOOD)
    assert (tmp_path / "w").read_bytes() == b"older"
    assert not (tmp_path / "part").exists()
