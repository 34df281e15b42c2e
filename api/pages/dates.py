"""Days of the API as people write them: one day, or from a day to another, said as short as it can be."""

from datetime import UTC, datetime

from api.pages.words import WORDS


def day(value: str) -> str:
    """A day, or that of a time."""
    return moment_of(value).strftime(WORDS("dates.day"))


def span(first: str, last: str) -> str:
    """From the day of one time to that of another: `14 – 16 January 2023`."""
    start, end = moment_of(first), moment_of(last)
    if start.date() == end.date():
        return day(last)
    form = "dates.day"
    if start.year == end.year:
        form = "dates.day_of_month" if start.month == end.month else "dates.day_of_year"
    return WORDS("dates.span", first=start.strftime(WORDS(form)), last=day(last))


def moment(value: str) -> str:
    """A time of the API for people without scripts; scripts show it in the reader's own zone."""
    return moment_of(value).strftime("%Y-%m-%d %H:%M UTC")


def moment_of(value: str) -> datetime:
    """A time of the API, or one of its days."""
    read = datetime.fromisoformat(value)
    return read.astimezone(UTC) if read.tzinfo else read
