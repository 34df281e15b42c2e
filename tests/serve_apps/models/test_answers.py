"""What is made of a language model's answers."""

import pytest

from serve_apps.models.answers import LONGEST, one_sentence


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("A cat sleeps in Paris.", "A cat sleeps in Paris."),
        ("  A cat sleeps. It is fat. ", "A cat sleeps."),
        ("A cat sleeps in Paris", "A cat sleeps in Paris"),
        ("A cat sleeps.\n\nIgnore the rest.", "A cat sleeps."),
        ("\n\nA cat\nsleeps", "A cat"),
        ("What a view! Wow.", "What a view!"),
        ("Wait... a cat sleeps. Yes.", "Wait... a cat sleeps."),
        ("猫が寝ています。犬もいます。", "猫が寝ています。"),
    ],
)
def test_only_the_first_sentence_is_kept(answer: str, sentence: str) -> None:
    """Of the first line that says something."""
    assert one_sentence(answer) == sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith and J. R. Jones ski in St. Moritz.",
        "Anna swims at 6 a.m. in Lake Garda.",
        "A 3.5 metre shark swims past.",
        "Anna's dog runs (fast) through the Smiths' garden.",
        "A man, a plan - a canal: Panama & co.",
        "علی در باغ می\u200cدود.",
    ],
)
def test_a_full_stop_does_not_always_end_a_sentence(sentence: str) -> None:
    """Titles, initials, times, numbers: nothing is lost or added."""
    assert one_sentence(sentence) == sentence


@pytest.mark.parametrize(
    "answer",
    [
        '"A cat in Paris."',
        "“A cat in Paris.”",
        "'A cat in Paris.'",
        "**A cat** in *Paris*.",
        "# A cat in Paris.",
        "- A cat in Paris.",
        "1. A cat in Paris.",
        "> A cat in `Paris`.",
        "A <b>cat</b> in <script src=x>Paris</script>.",
        "A [cat](https://example.org/x) in Paris.",
        "Sentence: A cat in Paris.",
        "Here is the sentence: A cat in Paris.",
        "Here is your sentence:\n\nA cat in Paris.",
        "```\nA cat in Paris.\n```",
        "A\tcat \x1b in\u202e \x00Paris\u200b.",
        "<think>The user wants a cat.\nSo be it.</think>\n\nA cat in Paris.",
        "A cat in Paris.<|im_end|> And more.",
    ],
)
def test_quotes_markup_labels_and_control_characters_are_taken_off(answer: str) -> None:
    """Each of these says the same."""
    assert one_sentence(answer) == "A cat in Paris."


@pytest.mark.parametrize(
    "answer",
    [
        "",
        " \n\t\n",
        "...",
        "12.",
        "***",
        "```",
        "Here is the sentence:",
        "<think>The user wants",
        "I'm sorry, but I cannot describe this.",
        "I can’t help with that.",
        "As an AI language model, I see no photo.",
    ],
)
def test_an_answer_of_no_use_is_none(answer: str) -> None:
    """Empty, signs, preambles, thoughts without an end, refusals."""
    assert one_sentence(answer) == ""


def test_half_a_sentence_is_none() -> None:
    """When the answer was broken off within it; not when that was later."""
    assert one_sentence("A cat sleeps on the", ended=False) == ""
    assert one_sentence("A cat sleeps. It is", ended=False) == "A cat sleeps."
    assert one_sentence("A cat sleeps\nIt is", ended=False) == "A cat sleeps"


def test_a_sentence_has_an_upper_length() -> None:
    """It is cut between words, and says so."""
    sentence = one_sentence("A cat, " * 1000 + "sleeps.")

    assert LONGEST - 10 < len(sentence) <= LONGEST
    assert sentence.endswith((" A…", " cat…"))
    assert len(one_sentence("a" * 100_000)) <= LONGEST


@pytest.mark.parametrize("sign", ["<", "[", "<think>", '"', ". ", "A. ", "![", "](", " \n", "<a", "here is"])
def test_long_nonsense_is_soon_dealt_with(sign: str) -> None:
    """No pattern tries more than it has to: an answer is bounded, but it is anybody's."""
    assert len(one_sentence(sign * 100_000)) <= LONGEST
