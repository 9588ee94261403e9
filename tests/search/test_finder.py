"""Finding recordings by their texts, the same on SQLite and PostgreSQL."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text

from vmeet_core.database import Database
from vmeet_core.meetings import Choices, Meeting
from vmeet_core.search import Hit, Phrase, finder, parse_query
from vmeet_core.search.finder import SHOWN_CHARS
from vmeet_core.server.store import Store

MORNING = [
    Phrase("大家早安，今天討論第三季的預算", "王小明", 1.0, 4.0, "zh"),
    Phrase("Good morning everyone, the café budget is late", "Zoë", 4.5, 9.0, "en"),
    Phrase("我們先看 GPT模型 的成本", "王小明", 10.0, 12.0, "zh"),
    Phrase("早，我遲到了，很早就出門", "Ann", 13.0, 15.0, "zh"),
]
EVENING = [Phrase("晚安，家人", "Bob", 2.0, 3.0, "zh"), Phrase("It's too early to say", "Bob", 4.0, 5.0, "en")]


@pytest.fixture
async def store(database: Database) -> Store:
    """Three recordings: the older they are, the more is in them."""
    store = Store(database)
    meeting = Meeting("m", "", "key", "plain", Choices())
    await store.add_meeting(meeting)
    made: list[tuple[str, str, list[str], Sequence[Phrase]]] = [
        ("r1", "週一例會", ["王小明", "Zoë", "Ann"], MORNING),
        ("r2", "Evening talk", ["Bob"], EVENING),
        ("r3", "預算會議", ["陳預"], []),
    ]
    for number, (name, title, people, phrases) in enumerate(made):
        await store.add_recording(name, Meeting("m", title, "key", "plain", Choices()), 1000.0 + number)
        await store.finish_recording(name, 60.0, people, None)
        if phrases:
            await store.set_transcript(name, "job-1", phrases)
    return store


async def found(store: Store, query: str) -> list[str]:
    return [row.id for row in (await store.search(parse_query(query), 10, 0)).rows]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("早", ["r1"]),
        ("早安", ["r1"]),
        ("安", ["r2", "r1"]),  # at the end of a run, too
        ("家", ["r2", "r1"]),
        ("大家早安", ["r1"]),
        ("大家晚安", []),
        ("早安大家", []),  # its pairs are there, but not side by side
        ("今天討論第三季的預算", ["r1"]),
        ("預算", ["r3", "r1"]),  # a title before what was said
        ("王小明", ["r1"]),
        ("陳", ["r3"]),
        ("budget", ["r1"]),
        ("BUD", ["r1"]),  # the beginning of a word
        ("udget", []),
        ("cafe", ["r1"]),
        ("CAFÉ", ["r1"]),
        ("zoe", ["r1"]),
        ("ｚｏｅ", ["r1"]),
        ("earl", ["r2"]),
        ("its", ["r2"]),
        ("it’s", ["r2"]),
        ("gpt模型", ["r1"]),
        ("budget 早安", ["r1"]),
        ("budget 晚安", []),
        ("小明 gpt", ["r1"]),  # title and people count together with what was said
        ("例會 evening", []),
        ("prede 預", []),
        ("会议", []),  # Simplified is not Traditional
        ("。！", []),
    ],
)
async def test_queries(store: Store, query: str, expected: list[str]) -> None:
    assert await found(store, query) == expected


async def test_places_come_with_their_words_marked(store: Store) -> None:
    page = await store.search(parse_query("早 budget"), 10, 0)
    assert page.total == 1
    hits = page.hits["r1"]
    assert [hit.start_s for hit in hits] == [1.0, 4.5, 13.0]
    said = MORNING[1].text
    assert hits[1] == Hit(said, [(said.index("budget"), said.index(" is late"))], "Zoë", 4.5, 9.0, "en", "job-1")
    assert [hits[2].text[a:b] for a, b in hits[2].marks] == ["早", "早"]


async def test_the_phrase_with_the_most_words_comes_first(store: Store) -> None:
    page = await store.search(parse_query("早 遲到"), 10, 0)
    assert page.hits["r1"][0].start_s == 13.0


async def test_a_long_text_is_shown_around_its_first_mark(store: Store) -> None:
    long = "很" * 500 + "早安" + "長" * 500
    await store.set_transcript("r3", "job-2", [Phrase(long, None, 7.0, 9.0, "zh")])
    (hit,) = (await store.search(parse_query("很早安"), 10, 0)).hits["r3"]
    assert len(hit.text) == SHOWN_CHARS + 2
    assert hit.text[0] == hit.text[-1] == "…"
    assert [hit.text[a:b] for a, b in hit.marks] == ["很早安"]


@pytest.mark.parametrize("most_listed", [0, 1000])
async def test_words_that_stand_close_together_come_before_those_far_apart(
    store: Store, monkeypatch: pytest.MonkeyPatch, most_listed: int
) -> None:
    monkeypatch.setattr(finder, "MOST_LISTED", most_listed)
    far = [Phrase("apple", None, 0.0, 1.0), *(Phrase(f"filler {n}", None, n, n + 1) for n in range(60)), Phrase("pear")]
    await store.set_transcript("r3", "job-1", far)
    await store.set_transcript("r1", "job-1", [Phrase("apple and pear", None, 1.0, 2.0)])
    await store.set_transcript("r2", "job-1", [Phrase("apple alone", None, 1.0, 2.0)])
    assert await found(store, "apple pear") == ["r1", "r3"]
    await store.set_transcript("r2", "job-1", [Phrase("nothing", None, 1.0, 2.0)])
    assert await found(store, "apple") == ["r3", "r1"]


async def test_a_long_list_comes_in_pages(store: Store) -> None:
    for number in range(25):
        title = f"Weekly {number}"
        await store.add_recording(f"w{number:02}", Meeting("m", title, "key", "plain", Choices()), 2000.0 + number)
    pages = [await store.search(parse_query("week"), 10, offset) for offset in (0, 10, 20, 30)]
    assert [len(page.rows) for page in pages] == [10, 10, 5, 0]
    assert {page.total for page in pages} == {25}
    assert [row.id for page in pages for row in page.rows] == [f"w{number:02}" for number in reversed(range(25))]
    plain = await store.page(10, 20)
    assert ([row.id for row in plain.rows][-3:], plain.total) == (["r3", "r2", "r1"], 28)


async def test_a_transcript_takes_the_place_of_the_one_of_the_same_job_only(store: Store) -> None:
    await store.set_transcript("r1", "job-2", [Phrase("另一份逐字稿")])
    assert await found(store, "逐字稿 早安") == ["r1"]
    await store.set_transcript("r1", "job-1", [Phrase("改過的內容")])
    assert await found(store, "早安") == []
    assert await found(store, "改過 逐字稿") == ["r1"]


async def test_what_is_deleted_is_found_no_more_and_leaves_nothing(store: Store, database: Database) -> None:
    await store.delete_recording("r1")
    for query in ("早安", "budget", "週一例會", "zoe"):
        assert await found(store, query) == []
    assert await found(store, "晚安") == ["r2"]

    orphans = "SELECT count(*) FROM texts WHERE block_id NOT IN (SELECT id FROM text_blocks)"
    left = {
        "sqlite": "SELECT count(*) FROM text_grams WHERE text_grams MATCH '\"早安\"'",
        "postgresql": "SELECT count(*) FROM text_grams WHERE grams @@ CAST('早安' AS tsquery)",
    }
    async with database.session() as session:
        assert await session.scalar(text(orphans)) == 0
        assert await session.scalar(text(left[database.kind])) == 0


async def test_a_nul_in_a_text_is_left_out(store: Store) -> None:
    await store.set_transcript("r2", "job-1", [Phrase("be\0fore", None, 1.0, 2.0)])
    (hit,) = (await store.search(parse_query("before"), 10, 0)).hits["r2"]
    assert hit.text == "before"


async def test_a_recording_that_has_gone_gets_no_transcript(store: Store) -> None:
    await store.set_transcript("gone", "job-1", MORNING)
    assert await found(store, "早安") == ["r1"]
