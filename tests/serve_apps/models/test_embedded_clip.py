"""The formulas behind the embedded CLIP."""

import torch

from serve_apps.models.embedded_clip import WIDTH, above, projections, prompts


def test_the_mean_above_nothing_is_that_of_samples() -> None:
    """The closed form agrees with a hundred thousand draws."""
    torch.manual_seed(0)
    mean, deviation = torch.tensor([-1.0, 0.0, 2.5, 1.0]).double(), torch.tensor([1.0, 2.0, 0.5, 0.0]).double()

    drawn = (torch.randn(100_000, 4).double() * deviation + mean).clamp_min(0).mean(0)

    assert torch.allclose(above(mean, deviation), drawn, atol=0.02)


def test_two_names_of_each_class_are_asked_about() -> None:
    """A third synonym is left out, a single name is one sentence."""
    sentences, classes = prompts(["tench, Tinca tinca", "goldfish", "a, b, c"])

    assert sentences[:3] == ["a photo of a tench.", "a photo of a Tinca tinca.", "a photo of a goldfish."]
    assert classes.tolist() == [0, 0, 1, 2, 2]


def test_a_class_and_its_name_meet_in_the_shared_space() -> None:
    """On classes made up of random rows and names, each name's nearest row is its own."""
    torch.manual_seed(0)
    names = torch.nn.functional.normalize(torch.randn(100, WIDTH).double(), dim=1)
    rows = names @ torch.randn(WIDTH, 1280).double()

    text_head, image_head = projections(rows, names, torch.arange(100))

    centred = rows - rows.mean(0)
    likeness = (
        torch.nn.functional.normalize(names @ text_head, dim=1)
        @ torch.nn.functional.normalize(centred @ image_head, dim=1).T
    )
    assert (likeness.argmax(1) == torch.arange(100)).all()
