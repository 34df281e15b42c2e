"""Words for what is seen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster.errors import SettingsError
from serve_apps.models.protocol import Image, Tag
from serve_apps.models.tags import bare, best


@pytest.fixture(scope="module")
def imagenet(loaded: Callable[..., Any]) -> Any:
    return loaded("imagenet-tags", "embedded:efficientnet-lite0")


@pytest.fixture(scope="module")
def pets(loaded: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Zero-shot tags over a vocabulary of five words, with the embedded CLIP."""
    words = tmp_path_factory.mktemp("words") / "pets.txt"
    words.write_text("a cat\na dog\n\na cup of coffee\na rocket\nthe moon\n")
    return loaded("zero-shot-tags", "embedded:clip", options={"vocabulary": str(words), "min_score": 0.3})


@pytest.mark.parametrize(("name", "word"), [("chelsea", "cat"), ("coffee", "espresso"), ("camera", "tripod")])
def test_imagenet_tags_name_the_subject(name: str, word: str, imagenet: Any, photos: dict[str, Image]) -> None:
    """The likeliest class says what the photo is of."""
    (tags,) = imagenet.predict([photos[name]])

    assert word in tags[0].label


def test_tags_are_few_sure_and_sorted(imagenet: Any, photos: dict[str, Image]) -> None:
    """At most five, none under the lowest score, the likeliest first."""
    for tags in imagenet.predict(list(photos.values())):
        scores = [tag.score for tag in tags]
        assert len(tags) <= 5
        assert all(0.1 <= score <= 1 for score in scores)
        assert scores == sorted(scores, reverse=True)


def test_limits_are_options(loaded: Callable[..., Any], photos: dict[str, Image]) -> None:
    """How many tags, and how sure."""
    model = loaded("imagenet-tags", "embedded:efficientnet-lite0", options={"min_score": 0.0, "max_tags": 9})

    assert len(model.predict([photos["page"]])[0]) == 9


def test_a_label_that_two_classes_share_comes_once() -> None:
    """ImageNet has two cranes: the bird's and the machine's scores are not one tag twice."""
    tags = best(["crane", "dog", "crane"], [0.3, 0.2, 0.5], 0.1, 5)

    assert tags == [Tag("crane", 0.5), Tag("dog", 0.2)]


@pytest.mark.parametrize(("name", "label"), [("chelsea", "cat"), ("coffee", "cup of coffee"), ("rocket", "rocket")])
def test_zero_shot_tags_choose_from_the_vocabulary(name: str, label: str, pets: Any, photos: dict[str, Image]) -> None:
    """The word of the file that fits, without its article."""
    (tags,) = pets.predict([photos[name]])

    assert tags[0].label == label


def test_clip_judges_words_against_each_other(pets: Any, photos: dict[str, Image]) -> None:
    """The likelihoods of the whole vocabulary add up to one."""
    rows = pets.likelihoods(pets.pair.embed_images(list(photos.values())))

    assert rows.shape == (len(photos), 5)
    assert np.allclose(rows.sum(1), 1)


@pytest.mark.parametrize(
    ("content", "fault"), [(None, "there is no file"), ("\n \n", "has no words; write one per line")]
)
def test_a_vocabulary_without_words_is_refused(
    content: str | None, fault: str, loaded: Callable[..., Any], tmp_path: Path
) -> None:
    """The error names the option and what to do."""
    file = tmp_path / "words.txt"
    if content is not None:
        file.write_text(content)

    with pytest.raises(SettingsError, match=f"options.vocabulary: .*{fault}"):
        loaded("zero-shot-tags", "embedded:clip", options={"vocabulary": str(file)})


@pytest.mark.parametrize(("word", "label"), [("a cat", "cat"), ("the moon", "moon"), ("snow", "snow"), ("a", "a")])
def test_labels_have_no_article(word: str, label: str) -> None:
    """A tag is a word, a prompt needs the article."""
    assert bare(word) == label
