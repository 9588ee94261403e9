"""How far a worker is behind with somebody's voice: what it is to get, what of it is to be heard, when it hangs."""

from vmeet_core.sfu.packet import timestamp_difference

CLOCK_HZ = 48_000
LATE_S = 0.5  #: sound that is older than this when it comes back is of no use in a conversation
STALL_S = 0.3  #: raw sound comes for so long, and nothing of use has come back
PROMPT_S = 0.1  #: more than the least lag of all: a worker that is further behind has still to catch up
BACKLOG_S = 1.0  #: so much may lie before the worker; what comes then is left out
PAUSE_S = 0.15  #: raw packets that come at longer intervals: silence that is not sent, or a network that stands still


class SoundLag:
    """``came`` for each raw packet, ``made`` for each that comes back; timestamps are RTP's, at 48 kHz."""

    def __init__(self) -> None:
        self._newest: int | None = None
        self._came_s = 0.0
        self._waiting_s: float | None = None  # since when raw sound comes without a pause and nothing comes back
        self._handed = 0  # timestamp of the newest that the worker was to get
        self._done = 0  # of the newest that it gave back
        self._done_s = 0.0
        self._lag_s = self._least_lag_s = LATE_S

    def reset(self) -> None:
        """The raw sound or the worker begins anew."""
        self._newest = self._waiting_s = None

    def came(self, timestamp: int, now_s: float) -> bool:
        """A raw packet; whether the worker is to get it."""
        if self._newest is None or self._is_pause(timestamp, now_s):
            self._begin(timestamp, now_s)
        elif self._waiting_s is None:
            self._waiting_s = now_s
        assert self._newest is not None
        if timestamp_difference(timestamp, self._newest) > 0:
            self._newest = timestamp
        self._came_s = now_s
        return self._has_room(timestamp, now_s)

    def _is_pause(self, timestamp: int, now_s: float) -> bool:
        assert self._newest is not None
        step_s = timestamp_difference(timestamp, self._newest) / CLOCK_HZ
        return abs(step_s) > PAUSE_S or now_s - self._came_s > PAUSE_S

    def _begin(self, timestamp: int, now_s: float) -> None:
        """What lay before the pause says nothing about what comes after it."""
        self._newest = self._handed = self._done = timestamp
        self._waiting_s = self._done_s = now_s

    def _has_room(self, timestamp: int, now_s: float) -> bool:
        if now_s - self._done_s > 2 * BACKLOG_S:  # it answers, yet gives nothing back: try again
            self._done, self._done_s = timestamp, now_s
        if timestamp_difference(self._handed, self._done) / CLOCK_HZ > BACKLOG_S:
            return False
        self._handed = timestamp
        return True

    def made(self, timestamp: int, now_s: float) -> bool:
        """A packet came back; whether it is of use."""
        if self._newest is None:
            return False
        lag_s = timestamp_difference(self._newest, timestamp) / CLOCK_HZ
        if timestamp_difference(timestamp, self._done) > 0:
            self._done = timestamp
        self._done_s = now_s
        if not 0 <= lag_s <= LATE_S:
            return False
        self._waiting_s = None
        self._lag_s, self._least_lag_s = lag_s, min(lag_s, self._least_lag_s)
        return True

    @property
    def is_prompt(self) -> bool:
        """Whether what came back latest is as new as it can be: to begin with older sound would be a long gap."""
        return self._lag_s <= self._least_lag_s + PROMPT_S

    @property
    def is_stalled(self) -> bool:
        """Whether nothing of use comes back though raw sound comes."""
        return self._waiting_s is not None and self._came_s - self._waiting_s > STALL_S
