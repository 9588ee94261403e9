"""How often a meeting may upload pictures."""

import pytest

from vmeet_core.server.upload_rate import RATE_COUNT, RATE_S, UploadRate, UploadsTooFast


def test_who_uploads_too_often_is_told_and_others_are_not_held_up() -> None:
    rate = UploadRate()
    for number in range(RATE_COUNT):
        rate.admit("a", 100.0 + number)
    with pytest.raises(UploadsTooFast, match="more than 30 pictures in 10 minutes; try again in 500 s") as refused:
        rate.admit("a", 200.0)
    assert refused.value.wait_s == 500
    rate.admit("b", 200.0)


def test_after_the_time_it_goes_on_one_by_one() -> None:
    rate = UploadRate()
    for number in range(RATE_COUNT):
        rate.admit("a", float(number))
    rate.admit("a", RATE_S)
    with pytest.raises(UploadsTooFast):
        rate.admit("a", RATE_S + 0.5)
    rate.admit("a", RATE_S + 1)


def test_a_refusal_does_not_count() -> None:
    rate = UploadRate()
    for _ in range(RATE_COUNT):
        rate.admit("a", 0.0)
    for number in range(RATE_COUNT):
        with pytest.raises(UploadsTooFast):
            rate.admit("a", float(number))
    rate.admit("a", RATE_S)


def test_quiet_meetings_take_no_memory() -> None:
    rate = UploadRate()
    for number in range(100):
        rate.admit(f"meeting {number}", 0.0)
    rate.admit("last", RATE_S)
    assert list(rate._tried_s) == ["last"]
