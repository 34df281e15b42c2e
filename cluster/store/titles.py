"""Names and titles that people give, as they are kept. What has one, and how long it may be, is the nouns' business."""

import unicodedata

BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # letters and symbols by their category, but nothing is to be seen of them
JOINERS = "\u200c\u200d"  # Persian, Indic scripts and joined emoji need them; by themselves they are invisible


def visible(text: str, longest: int) -> str | None:
    """A text with single spaces, or None when it is too long, or has characters that cannot be seen."""
    kept = unicodedata.normalize("NFC", " ".join(text.split()))
    hidden = any(
        letter in BLANK or (unicodedata.category(letter)[0] == "C" and letter not in JOINERS) for letter in kept
    )
    return None if len(kept) > longest or hidden or (kept and not kept.strip(JOINERS)) else kept
