"""A plain sentence from what is known of a photo. No model looks at the picture, and the caption says so: `template`.

Captions by a model are in blip.py, apart, because this needs no torch.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cluster.settings import ModelSpec
from serve_apps.models.protocol import Caption, CaptionRequest

MADE_BY = "template"
NAMED = 3  # more people than this plus one are counted, not named
WITHOUT_ARTICLE = """
art bread broccoli climbing coral corn custard cycling dancing dough equipment fishing fog food football fruit furniture
garbage graffiti grass guacamole handwriting ice jewellery jewelry laundry lightning luggage mail meat money music pasta
people pizza rain rice running sailing sand scenery seafood skiing sky smoke snow soup spaghetti surfing sushi swimming
tennis text traffic water wildlife wine
"""
UNCOUNTED = frozenset(WITHOUT_ARTICLE.split())
SOUNDS_CONSONANT = ("eu", "one", "uni", "ukulele", "use")  # an initial vowel that is spoken as one: a unicycle
SOUNDS_VOWEL = ("heir", "honest", "hour")
DAY_PARTS = ((5, "night"), (12, "morning"), (17, "afternoon"), (22, "evening"), (24, "night"))  # until that hour


class TemplateCaptioner:
    """Sentences such as `A tiger cat, in Paris, France, on a Monday morning in May 2024.`"""

    def __init__(self, spec: ModelSpec, weights: Path) -> None:
        pass

    def predict(self, batch: Sequence[CaptionRequest]) -> list[Caption]:
        """The caption of each request, made by `template`."""
        return [Caption(sentence(request), MADE_BY) for request in batch]


def sentence(request: CaptionRequest) -> str:
    """One sentence from the people, the likeliest tag, the place and the time; `A photo.` when nothing is known."""
    subject = who_and_what([name for name in request.people if name], request.tags[0] if request.tags else "")
    where = f"in {request.place}" if request.place else ""
    when = f"on {moment(request.taken_at)}" if request.taken_at else ""
    circumstances = [part for part in (where, when) if part]
    if not subject:
        return " ".join(["A photo", "taken", ", ".join(circumstances)]) + "." if circumstances else "A photo."
    text = ", ".join([subject, *circumstances])
    return f"{text[0].upper()}{text[1:]}."


def who_and_what(people: Sequence[str], tag: str) -> str:
    """`Anna and Ben with a tiger cat`, or the half of it that is known."""
    return " with ".join(part for part in (listed(people), with_article(tag)) if part)


def listed(names: Sequence[str]) -> str:
    """`Anna`, `Anna and Ben`, `Anna, Ben and Cleo`, `Anna, Ben, Cleo and 4 others`."""
    if len(names) > NAMED + 1:
        names = [*names[:NAMED], f"{len(names) - NAMED} others"]
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def with_article(noun: str) -> str:
    """The noun with `a` or `an`, or without where English has none: `snow`, `sunglasses`."""
    word = noun.lower()
    plural = word.endswith("s") and not word.endswith(("ss", "us", "is"))
    if not noun or plural or word.split()[-1] in UNCOUNTED:
        return noun
    vowel = word.startswith(tuple("aeiou")) and not word.startswith(SOUNDS_CONSONANT)
    return f"{'an' if vowel or word.startswith(SOUNDS_VOWEL) else 'a'} {noun}"


def moment(taken_at: datetime) -> str:
    """`a Monday morning in May 2024`, by the clock of the time given."""
    part = next(name for hour, name in DAY_PARTS if taken_at.hour < hour)
    return f"a {DAYS[taken_at.weekday()]} {part} in {MONTHS[taken_at.month - 1]} {taken_at.year}"


# strftime's names follow the process's locale
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
