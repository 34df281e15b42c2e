"""A tiny instruct checkpoint: a Llama with a tokenizer and a chat template of its own, taught a few answers."""

from datetime import datetime
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from cluster.settings import ModelSpec
from serve_apps.models.llm import ASKED, SentenceModel, facts
from serve_apps.models.protocol import SentenceRequest

TEMPLATE = (
    "{{ '<|im_start|>system\nIt is ' + strftime_now('%H:%M:%S.%f') + '.<|im_end|>\n' }}"
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CAT = SentenceRequest("A tiger cat.", ["tiger cat"], ["Anna"], "Paris")
SURFERS = SentenceRequest(
    "a man riding a wave", ["surfing", "sea"], ["Ben", "Cleo"], "Biarritz, France", datetime(2024, 5, 6, 9), "blip"
)
DOG = SentenceRequest("A dog.", caption_by="template")
LESSONS = [
    (CAT, " Anna holds a tiger cat in Paris."),
    (SURFERS, "**Ben** and Cleo surf off Biarritz. They had fun."),
    (DOG, ""),
    (SentenceRequest(place="Zürich"), '"A photo from Zürich"'),
]


def write_instruct(folder: Path) -> None:
    """Two layers with a chat template, taught the lessons, as `save_pretrained` leaves them; a second or two."""
    tokenizer = made_tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=2048, eos_token_id=tokenizer.eos_token_id, bos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    llama = LlamaForCausalLM(config)
    # what real checkpoints bring along, and what would make two answers differ
    llama.generation_config = GenerationConfig(do_sample=True, temperature=9.0, top_k=50, repetition_penalty=3.0)
    llama.save_pretrained(folder)
    teach(llama, SentenceModel(ModelSpec(kind="llm", checkpoint=str(folder), cpus=2), folder))
    llama.save_pretrained(folder)


def made_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level words out of the question and the lessons, and ChatML's control tokens."""
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    control = ["<|pad|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=control, initial_alphabet=alphabet, show_progress=False
    )
    words.train_from_iterator([ASKED] * 9 + [facts(request) + answer for request, answer in LESSONS], trainer)
    words.add_tokens([AddedToken("<think>", special=False)])  # a control token that does not call itself one
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<|pad|>", eos_token="<|im_end|>", chat_template=TEMPLATE
    )


def teach(llama: LlamaForCausalLM, model: SentenceModel) -> None:
    """Train until each lesson's facts are answered as the lesson says."""
    end = model.tokenizer.eos_token_id
    asked = [model.prompt(facts(request)) for request, _ in LESSONS]
    said = [[*model.tokenizer(answer)["input_ids"], end] for _, answer in LESSONS]
    ids = filled([a + s for a, s in zip(asked, said, strict=True)], 0)
    labels = filled([[-100] * len(a) + s for a, s in zip(asked, said, strict=True)], -100)
    optimizer = torch.optim.AdamW(llama.parameters(), lr=1e-2)
    llama.train()
    for _ in range(300):
        loss = llama(input_ids=ids, labels=labels).loss
        if loss.item() < 0.02:
            return
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    raise AssertionError(f"the lessons were not learnt: {loss.item()}")


def filled(rows: list[list[int]], sign: int) -> torch.Tensor:
    return torch.tensor([row + [sign] * (max(map(len, rows)) - len(row)) for row in rows])
