"""What Prometheus reads."""

import asyncio
import re
from typing import Any

import pytest

from vmeet_core.live.admission import Room
from vmeet_core.server.app import HALL
from vmeet_core.server.metrics import Metrics, percentile
from vmeet_core.server.statistics import Measured
from vmeet_core.sfu.statistics import LinkReport, SourceReport


async def scrape(client: Any, **headers: str) -> str:
    answer = await client.get("/metrics", headers=headers)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return str(await answer.text())


async def test_people_are_numbers_that_are_used_again(new_meeting: Any, open_page: Any, client: Any) -> None:
    meetings = [await new_meeting(), await new_meeting()]
    pages = [await open_page(meetings[0]["id"]), await open_page(meetings[0]["id"]), await open_page(meetings[1]["id"])]
    for page in pages:
        await page.join("Anna")
    for live in client.app[HALL].all_live():
        for attendee in live.attendees.values():
            attendee.measured = Measured(
                (SourceReport("camera", 8e5, 0.25, 0.004, 0.05),), LinkReport(2e6, 1e6, 0.1, None)
            )
    text = await scrape(client)
    assert labels(text, "vmeet_person_loss_ratio") == [("1", "1"), ("1", "2"), ("2", "1")]
    assert 'vmeet_person_loss_ratio{meeting="1",person="1"} 0.25' in text
    assert 'vmeet_person_estimate_bits_per_second{meeting="1",person="1"} 2e+06' in text
    assert 'vmeet_person_pictures{layer="full",meeting="1",person="1"} 0.0' in text
    assert "vmeet_meetings 2.0" in text
    assert "vmeet_people 3.0" in text
    assert not any(secret in text for meeting in meetings for secret in (meeting["id"], meeting["host_key"]))
    await pages[0].send(type="leave")
    await pages[1].next("participant-left")
    late = await open_page(meetings[0]["id"])
    await late.join("Carl")
    assert sorted(labels(await scrape(client), "vmeet_person_loss_ratio")) == [("1", "1"), ("1", "2"), ("2", "1")]


def labels(text: str, name: str) -> list[tuple[str, str]]:
    return re.findall(rf'^{name}{{meeting="(\d+)",person="(\d+)"}}', text, re.MULTILINE)


async def test_live_workers_are_counted(client: Any) -> None:
    text = await scrape(client)
    assert 'vmeet_live_tracks{media="picture",state="full"} 0.0' in text
    assert 'vmeet_live_used_ratio{media="sound"} 0.0' in text
    room = Room(used=0.5, full=2, reduced=1, waiting=0, dropped=7, deaths=1)
    told = (await Metrics().text([], {"picture": room})).decode()
    assert 'vmeet_live_tracks{media="picture",state="reduced"} 1.0' in told
    assert 'vmeet_live_dropped_frames_total{media="picture"} 7.0' in told
    assert 'vmeet_live_worker_deaths_total{media="picture"} 1.0' in told


async def test_packets_and_delays_are_counted(client: Any) -> None:
    text = await scrape(client)
    for name in ("received_packets", "sent_bytes", "retransmitted_packets", "dropped_packets"):
        assert f"vmeet_{name}_total 0.0" in text
    assert 'vmeet_forward_seconds_bucket{le="0.002"} 0.0' in text
    async with asyncio.timeout(10):
        while "vmeet_loop_lag_seconds_count 0.0" in await scrape(client):
            await asyncio.sleep(0.02)


async def test_two_servers_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.traffic.total = one.traffic.total._replace(sent=5)
    assert b"vmeet_sent_packets_total 5.0" in await one.text([], {})
    assert b"vmeet_sent_packets_total 0.0" in await other.text([], {})


async def test_a_scraper_needs_the_key_where_one_is_asked(make_client: Any) -> None:
    client = await make_client(access_key="open sesame")
    assert (await client.get("/metrics")).status == 401
    assert (await client.get("/metrics", headers={"Authorization": "Bearer wrong"})).status == 401
    assert (await client.get("/metrics", headers={"Authorization": "Basic open sesame"})).status == 401
    assert (await client.get("/metrics", headers={"Authorization": "Bearer \udcff"})).status == 401
    assert "vmeet_people 0.0" in await scrape(client, Authorization="Bearer open sesame")
    assert "vmeet_people 0.0" in await scrape(client, Authorization="bearer open sesame")
    recordings = await client.get("/api/recordings", headers={"Authorization": "Bearer open sesame"})
    assert recordings.status == 200


@pytest.mark.parametrize(("values", "share", "value"), [([], 0.5, 0.0), ([3, 1, 2], 0.5, 2), ([1, 2], 0.99, 2)])
def test_percentiles(values: list[float], share: float, value: float) -> None:
    assert percentile(values, share) == value
