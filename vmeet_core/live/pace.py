"""No more pictures a second than there is room for."""

JITTER_S = 0.006  #: cameras are not exact; a picture may come so much before its time
LONGEST_STEP_S = 1.0  #: after a gap, or when time jumps, it begins anew


class Pace:
    """Lets pictures through evenly, by the time of their capture; all of them while ``max_fps`` is 0."""

    def __init__(self, max_fps: float = 0.0) -> None:
        self.max_fps = max_fps
        self._due_s: float | None = None

    def takes(self, pts_s: float) -> bool:
        """Whether the picture of this moment is one of those."""
        if not self.max_fps:
            return True
        step_s = 1 / self.max_fps
        if self._due_s is None or abs(pts_s - self._due_s) > LONGEST_STEP_S + step_s:
            self._due_s = pts_s
        if pts_s < self._due_s - JITTER_S:
            return False
        # The next one is due by the clock, not by this picture: so the rate holds whatever the camera's own rate is.
        self._due_s = max(self._due_s + step_s, pts_s + step_s / 2)
        return True
