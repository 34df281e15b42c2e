"""Pictures and texts through transformers, on tiny checkpoints of the real classes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
    SiglipProcessor,
)

from cluster.settings import ModelSpec
from serve_apps.models import load
from serve_apps.models.clip import ClipModel
from serve_apps.models.pairs import TransformersPair, open_pair
from serve_apps.models.protocol import Image

WORDS = ["<pad>", "<eos>", "<unk>", "a", "photo", "of", "cat", "dog", "cup", "moon", "."]
LAYERS = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
TEXT = LAYERS | {"vocab_size": len(WORDS), "max_position_embeddings": 12, "bos_token_id": 0, "eos_token_id": 1}
VISION = LAYERS | {"image_size": 32, "patch_size": 16}
SIZE = {"height": 32, "width": 32}


def tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>", model_input_names=["input_ids"]
    )


def siglip(folder: Path) -> None:
    torch.manual_seed(0)
    SiglipModel(SiglipConfig(text_config=TEXT, vision_config=VISION)).save_pretrained(folder)
    SiglipProcessor(SiglipImageProcessor(size=SIZE), tokenizer()).save_pretrained(folder)


def clip(folder: Path) -> None:
    torch.manual_seed(0)
    CLIPModel(CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=16)).save_pretrained(folder)
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=SIZE)
    CLIPProcessor(images, tokenizer()).save_pretrained(folder)


@pytest.fixture(scope="module", params=[siglip, clip])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer model with random weights, as `save_pretrained` leaves it."""
    folder = tmp_path_factory.mktemp(request.param.__name__)
    request.param(folder)
    return folder


def spec(folder: Path, **fields: Any) -> ModelSpec:
    return ModelSpec(kind="zero-shot-tags", checkpoint=str(folder), cpus=2, **fields)


def test_a_folder_of_transformers_is_opened_as_such(folder: Path, tmp_path: Path) -> None:
    """And gives unit vectors for pictures and texts."""
    pair = open_pair(spec(folder), tmp_path)

    pictures = pair.embed_images([np.zeros((40, 60, 3), np.uint8), np.full((60, 40, 3), 200, np.uint8)])
    texts = pair.embed_texts(["a photo of a cat", "dog", "moon " * 40])

    assert isinstance(pair, TransformersPair)
    assert pictures.shape == (2, 16)
    assert texts.shape == (3, 16)
    assert np.allclose(np.linalg.norm(np.concatenate([pictures, texts]), axis=1), 1, atol=1e-5)


def test_siglip_is_judged_as_transformers_does(tmp_path: Path, photos: dict[str, Image]) -> None:
    """Scale, bias and sigmoid: the likelihood of each word for itself."""
    siglip(tmp_path)
    (tmp_path / "words.txt").write_text("a cat\na dog\n")
    options = {"vocabulary": str(tmp_path / "words.txt"), "prompts": ["a photo of {}"], "min_score": 0.0}

    (tags,) = load(spec(tmp_path, options=options), tmp_path).predict([photos["coffee"]])

    model, processor = SiglipModel.from_pretrained(tmp_path).eval(), SiglipProcessor.from_pretrained(tmp_path)
    texts = ["a photo of a cat", "a photo of a dog"]
    words = processor.tokenizer(texts, padding="max_length", max_length=12, return_tensors="pt")
    pixels = processor.image_processor(images=[photos["coffee"].copy()], return_tensors="pt")
    with torch.inference_mode():
        theirs = model(**words, **pixels).logits_per_image.sigmoid()[0].tolist()
    assert {tag.label: tag.score for tag in tags} == pytest.approx({"cat": theirs[0], "dog": theirs[1]}, abs=1e-4)


def test_an_open_clip_checkpoint_is_opened_as_such(loaded: Callable[..., Any], weights: Path) -> None:
    """By the configuration in its folder."""
    pair = open_pair(ModelSpec(kind="zero-shot-tags", checkpoint="embedded:clip", cpus=2), weights)

    assert isinstance(pair, ClipModel)
    assert pair.logits() == (pytest.approx(np.exp(3.0), rel=1e-5), None)
