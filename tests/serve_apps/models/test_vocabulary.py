"""The built-in words."""

from serve_apps.models.tags import bare
from serve_apps.models.vocabulary import PROMPTS, WORDS


def test_words_are_many_and_each_comes_once() -> None:
    """Two of a kind would share one thing's score."""
    labels = [bare(word) for word in WORDS]

    assert len(WORDS) >= 200
    assert len(set(labels)) == len(labels)
    assert all(word == word.strip() and word for word in WORDS)


def test_every_prompt_has_a_place_for_the_word() -> None:
    """A prompt without one would make all words alike."""
    assert all(prompt.format("a cat") != prompt for prompt in PROMPTS)
