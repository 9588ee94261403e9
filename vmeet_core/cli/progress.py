"""Progress of transfers: a bar on a terminal, plain lines elsewhere."""

import shutil
import sys
from types import TracebackType
from typing import Self

from tqdm import tqdm  # type: ignore[import-untyped]

LINES = 4  #: lines for each transfer where there is no terminal


class Progress:
    """Called with (label, bytes so far, bytes in all or 0); a context manager that ends the last bar."""

    def __init__(self) -> None:
        self._label = ""
        self._bar: tqdm | None = None
        self._lines = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, label: str, done: int, total: int) -> None:
        if label != self._label:
            self._begin(label, total)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        elif total and done * LINES >= total * (self._lines + 1):
            self._lines = done * LINES // total
            print(f"{label}: {done * 100 // total} %", file=sys.stderr, flush=True)

    def _begin(self, label: str, total: int) -> None:
        if self._bar is not None:
            self._bar.close()
        self._label, self._lines = label, 0
        if sys.stderr.isatty():
            # tqdm draws nothing on a terminal that does not know its size; this call then says 80 x 24.
            columns, rows = shutil.get_terminal_size()
            self._bar = tqdm(total=total or None, desc=label, unit="B", unit_scale=True, ncols=columns, nrows=rows)
        else:
            print(f"{label}: fetching{f' {total} bytes' if total else ''}", file=sys.stderr, flush=True)
