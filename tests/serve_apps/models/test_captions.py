"""Plain sentences from what is known of a photo."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from cluster.settings import ModelSpec
from serve_apps.models.captions import TemplateCaptioner, listed, moment, with_article
from serve_apps.models.protocol import Caption, CaptionRequest

MORNING = datetime(2024, 5, 6, 9, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (
            CaptionRequest(tags=["tiger cat", "tabby"], place="Paris, France", taken_at=MORNING),
            "A tiger cat, in Paris, France, on a Monday morning in May 2024.",
        ),
        (CaptionRequest(tags=["espresso"]), "An espresso."),
        (CaptionRequest(people=["Anna", "Ben"], place="Oslo"), "Anna and Ben, in Oslo."),
        (CaptionRequest(people=["Anna"], tags=["suit"]), "Anna with a suit."),
        (CaptionRequest(place="Oslo", taken_at=MORNING), "A photo taken in Oslo, on a Monday morning in May 2024."),
        (CaptionRequest(taken_at=MORNING), "A photo taken on a Monday morning in May 2024."),
        (CaptionRequest(people=["", "de la Cruz"]), "De la Cruz."),
        (CaptionRequest(), "A photo."),
    ],
)
def test_a_sentence_says_what_is_known_and_nothing_else(request_: CaptionRequest, sentence: str) -> None:
    """In good English, with any part missing, and marked as made by the template."""
    captioner = TemplateCaptioner(ModelSpec(kind="template"), Path())

    assert captioner.predict([request_]) == [Caption(sentence, "template")]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["Anna"], "Anna"),
        (["Anna", "Ben"], "Anna and Ben"),
        (["Anna", "Ben", "Cleo"], "Anna, Ben and Cleo"),
        (["Anna", "Ben", "Cleo", "Dan"], "Anna, Ben, Cleo and Dan"),
        (["Anna", "Ben", "Cleo", "Dan", "Eve"], "Anna, Ben, Cleo and 2 others"),
    ],
)
def test_names_are_listed_as_people_write_them(names: list[str], text: str) -> None:
    """Many people are counted; never just one other."""
    assert listed(names) == text


@pytest.mark.parametrize(
    ("noun", "text"),
    [
        ("cat", "a cat"),
        ("Egyptian cat", "an Egyptian cat"),
        ("unicycle", "a unicycle"),
        ("umbrella", "an umbrella"),
        ("European fire salamander", "a European fire salamander"),
        ("hourglass", "an hourglass"),
        ("sunglasses", "sunglasses"),
        ("school bus", "a school bus"),
        ("snow", "snow"),
        ("fresh snow", "fresh snow"),
        ("", ""),
    ],
)
def test_articles_are_those_that_are_spoken(noun: str, text: str) -> None:
    """By sound, and none where English has none."""
    assert with_article(noun) == text


@pytest.mark.parametrize(
    ("hour", "part"), [(0, "night"), (4, "night"), (5, "morning"), (12, "afternoon"), (17, "evening"), (22, "night")]
)
def test_the_part_of_the_day_is_that_of_the_clock_given(hour: int, part: str) -> None:
    """In the photo's own time zone, not in ours."""
    assert moment(MORNING.replace(hour=hour)) == f"a Monday {part} in May 2024"
