"""Recorded speech with its transcripts: the material of ``vmeet compare transcribers``."""

import csv
from pathlib import Path
from typing import NamedTuple

from vmeet_core.evaluate.compare_error import CompareError
from vmeet_core.evaluate.spoken_text import spoken_tokens
from vmeet_core.media.audio import MediaError, duration_s

TABLE = "transcripts.tsv"
FILE, TEXT = "file", "text"


class Utterance(NamedTuple):
    """A media file and what is said in it."""

    name: str
    path: Path
    text: str
    duration_s: float


def find_utterances(folder: Path) -> list[Utterance]:
    """Those that ``transcripts.tsv`` in ``folder`` lists, in its order.

    Raises CompareError naming the line: no folder, no table, a column or a file is missing, a file comes twice or has
    no sound; nothing is said in any.
    """
    found: dict[str, Utterance] = {}
    for line, row in _rows(folder):
        name, text = row.get(FILE) or "", row.get(TEXT)
        where = f"{folder / TABLE}, line {line}"
        if not name or text is None:
            raise CompareError(f'{where}: it has no "{FILE if not name else TEXT}": separate the columns by tabs')
        if name in found:
            raise CompareError(f"{where}: {name} is there twice: remove one of them")
        found[name] = _utterance(folder, name, text, where)
    if not any(spoken_tokens(utterance.text) for utterance in found.values()):
        raise CompareError(f"{folder / TABLE} has no text: write what is said into the column {TEXT}")
    return list(found.values())


def _rows(folder: Path) -> list[tuple[int, dict[str, str | None]]]:
    """With the number of the line that each is in; empty lines are left out."""
    table = folder / TABLE
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            columns = reader.fieldnames or ()
            missing = [name for name in (FILE, TEXT) if name not in columns]
            if missing:
                raise CompareError(f"{table} has no column {missing[0]}: its first line names the columns, with tabs")
            return [(reader.line_num, row) for row in reader]
    except FileNotFoundError:
        raise CompareError(f"{folder} has no {TABLE}: put one there, with the columns {FILE} and {TEXT}") from None
    except (OSError, UnicodeError, csv.Error) as error:
        raise CompareError(f"{table} cannot be read: {error}") from error


def _utterance(folder: Path, name: str, text: str, where: str) -> Utterance:
    path = folder / name
    try:
        length_s = duration_s(path)
    except (MediaError, OSError) as error:
        raise CompareError(f"{where}: {error}: add the file, or remove the line") from error
    if length_s <= 0:
        raise CompareError(f"{where}: {path} holds no sound: replace it, or remove the line")
    return Utterance(name, path, text, length_s)
