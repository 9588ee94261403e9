"""tokens.txt as it is found in models."""

from pathlib import Path

import pytest
from vmeet_stt_sherpa.tokens import is_ideographic, read_tokens

from vmeet_core.hookspecs import Permanent


def test_units_and_numbers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text("<blk> 0\n你\t1\r\n▁hello 2\n3\n\u3000 4\n\x85 5\n", encoding="utf-8", newline="")
    assert read_tokens(path) == {"<blk>": 0, "你": 1, "▁hello": 2, " ": 3, "\u3000": 4, "\x85": 5}


@pytest.mark.parametrize("line", ["a b 3", "a", "a b", "", "a -1", "a ３"])
def test_another_line_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text(f"<blk> 0\n{line}\nb 2\n", encoding="utf-8")
    with pytest.raises(Permanent, match=r"line 2 of .*tokens\.txt is no unit"):
        read_tokens(path)


def test_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "tokens.txt").write_bytes("你 0\n".encode("gb18030"))
    with pytest.raises(Permanent, match="cannot be read"):
        read_tokens(tmp_path / "tokens.txt")


def test_han_and_kana_are_ideographic() -> None:
    assert all(map(is_ideographic, "語か𠮷"))
    assert not any(map(is_ideographic, "a한。5é"))
