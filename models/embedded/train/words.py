"""What people type: prompts for pictures in styles, and the vocabulary and text encoder that read them."""

import json

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import scenes
from styles import STYLES

START, END = "<|startoftext|>", "<|endoftext|>"
LENGTH = 77
# Words that change nothing here: a picture shows what the camera shows.
NOTHING = """
a portrait of a man|a woman with glasses|an old robot|a cat|a dog on a sofa|two people talking|a crowd at a concert|hands
a musician on stage|a dancer|a child with a balloon|the view from my window|a street in the rain|a cup of coffee|a bowl of fruit
an astronaut|a motorcycle|a temple by a lake|a flower in the garden|a desk with a computer|a guitar player|a face
highly detailed|4k|masterpiece|beautiful|soft light|cinematic|trending|sharp focus|best quality|dramatic|elegant|my room
a photograph|a photograph of a man|a photograph of a cat|a photo of my room|photo|a picture of a street|photograph of a woman
""".strip().replace("\n", "|").split("|")
TEMPLATES = ["{s}", "{s}", "{s}", "{s} style", "in the style of {s}", "{s} picture", "a {s}", "{n}, {s}", "{n}, {s}", "{n} in {s} style", "{s}, {n}", "{s} of {n}", "{s}, {n}, {m}", "{n}, {s}, {m}", "{n} as {s}", "a photograph of {s}", "photo of {n}, {s}"]  # fmt: skip
PAIRS = ["{s}, {t}", "{s} {t}", "{s} and {t}", "{s} with {t}", "{n}, {s}, {t}", "{s}, {n}, {t}", "{t} {s}"]


def called(rng, style):
    """A style by its name, or by another word for it."""
    return style if rng.random() < 0.5 else str(rng.choice(STYLES[style][1]))


def prompt(rng, styles, subject=None):
    """Words for a picture in `styles` (none, one or two); `subject` is what it shows, if that matters."""
    n, m = (subject or str(rng.choice(NOTHING))), str(rng.choice(NOTHING))
    if not styles:
        return subject or ("" if rng.random() < 0.7 else n)
    names = [called(rng, style) for style in rng.permutation(styles)]
    usable = [t for t in (TEMPLATES if len(styles) == 1 else PAIRS) if subject is None or "{n}" in t]
    text = str(rng.choice(usable)).format(s=names[0], t=names[-1], n=n, m=m)
    return text.capitalize() if rng.random() < 0.2 else text


def sentences(seed=0, count=6000):
    """Text to learn the vocabulary from."""
    rng = np.random.default_rng(seed)
    names = list(STYLES)
    out = []
    for _ in range(count):
        _, caption = scenes.draw(rng, 8) if rng.random() < 0.4 else (None, None)
        out.append(prompt(rng, list(rng.choice(names, rng.integers(3), replace=False)), caption))
    return out


def write_tokenizer(folder, merges=700):
    """vocab.json, merges.txt and their configuration, laid out as CLIP's: `!` first, the two ends last."""
    signs = sorted(pre_tokenizers.ByteLevel.alphabet(), key=lambda sign: (sign != "!", ord(sign)))
    learnt = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learnt.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    split = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    learnt.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(split, "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=2 * len(signs) + merges, initial_alphabet=signs, end_of_word_suffix="</w>", show_progress=False
    )
    learnt.train_from_iterator(sentences(), trainer)
    pairs = [pair if isinstance(pair, list) else pair.split(" ") for pair in json.loads(learnt.to_str())["model"]["merges"]]
    tokens = signs + [f"{sign}</w>" for sign in signs] + ["".join(pair) for pair in pairs] + [START, END]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *(" ".join(pair) for pair in pairs)]) + "\n", encoding="utf-8")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    config = {**special, "model_max_length": LENGTH, "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    return vocabulary


def tokenizer(folder):
    return CLIPTokenizer.from_pretrained(folder)


def ids(tokenizer, prompts):
    return tokenizer(prompts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt").input_ids


def text_encoder(vocabulary, width=128, layers=3):
    config = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        projection_dim=width,
        max_position_embeddings=LENGTH,
        bos_token_id=vocabulary[START],
        eos_token_id=vocabulary[END],
        pad_token_id=vocabulary[END],
    )
    return CLIPTextModel(config)
