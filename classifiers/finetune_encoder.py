"""Fine-tunes the encoder of the second stage. Needs PyTorch and transformers, which nothing else here does.

    python -m classifiers.finetune_encoder MINILM_FOLDER OUT.npz DATA.jsonl … [--layers 1,2,4,6] [--start WEIGHTS.npz]

Run it in an environment of its own, with the folder of all-MiniLM-L6-v2 (config.json, model.safetensors, vocab.txt;
Apache-2.0) at hand. Word embeddings stay frozen: that keeps words that the examples lack where pre-training put them.
What it writes goes into ``build_encoder.py``.
"""  # fmt: skip

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch  # type: ignore[import-not-found,unused-ignore]
from torch.nn import functional  # type: ignore[import-not-found,unused-ignore]
from transformers import AutoModel, AutoTokenizer  # type: ignore[import-not-found,unused-ignore]

from classifiers.examples import Example, read_examples
from classifiers.severity import LEVELS
from classifiers.taxonomy import SIGNAL_IDS

BATCH = 32
MOST_PIECES = 80
ENCODER_RATE, HEAD_RATE = 1.2e-4, 2e-3
WARM_UP, LAST_RATE = 0.06, 0.02
SEVERITY_WEIGHT = 0.5
_COUNT = len(SIGNAL_IDS)


class Tagger:
    """The encoder and its head: linear over the mean of the last states, signals first, then levels."""

    def __init__(self, folder: Path, layers: Sequence[int]) -> None:
        self.encoder = AutoModel.from_pretrained(folder)
        stack = self.encoder.encoder.layer
        self.encoder.encoder.layer = torch.nn.ModuleList([stack[number - 1] for number in layers])
        self.encoder.embeddings.requires_grad_(requires_grad=False)
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, _COUNT + LEVELS)

    def logits(self, rows: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(items, outputs) log-odds of padded items."""
        with torch.autocast("cpu", torch.bfloat16):
            states = self.encoder(input_ids=rows, attention_mask=mask).last_hidden_state
            wide = mask[..., None].to(states.dtype)
            mean = (states * wide).sum(1) / wide.sum(1)
            return self.head(functional.dropout(mean, 0.1)).float()

    def save(self, path: Path) -> None:
        """Writes all weights as plain float32 arrays."""
        arrays = {f"enc.{key}": value.float().numpy() for key, value in self.encoder.state_dict().items()}
        arrays |= {f"head.{key}": value.float().numpy() for key, value in self.head.state_dict().items()}
        np.savez(path, **arrays)

    def start_from(self, path: Path) -> None:
        """Takes over the weights of an earlier run of the same shape."""
        with np.load(path, allow_pickle=False) as stored:
            values = {key: torch.from_numpy(stored[key]) for key in stored.files}
        parts = {"enc.": self.encoder, "head.": self.head}
        for prefix, module in parts.items():
            module.load_state_dict({k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)})


def batches(lengths: Sequence[int], chooser: random.Random) -> Iterator[list[int]]:
    """All items once, in batches of like length and random order."""
    order = list(range(len(lengths)))
    chooser.shuffle(order)
    for start in range(0, len(order), BATCH * 64):
        chunk = sorted(order[start : start + BATCH * 64], key=lengths.__getitem__)
        cut = [chunk[i : i + BATCH] for i in range(0, len(chunk), BATCH)]
        chooser.shuffle(cut)
        yield from cut


def padded(items: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """One matrix of pieces and its mask."""
    longest = max(map(len, items))
    rows = torch.tensor([[*item, *[0] * (longest - len(item))] for item in items])
    mask = torch.tensor([[1] * len(item) + [0] * (longest - len(item)) for item in items])
    return rows, mask


def rate_at(step: int, total: int) -> float:
    """Learning rate's share: a warm-up, then down in a line."""
    return min(1.0, (step + 1) / (WARM_UP * total)) * max(LAST_RATE, 1 - step / total)


def finetune(tagger: Tagger, pieces: Sequence[Sequence[int]], examples: Sequence[Example], epochs: int) -> None:
    """Trains in place."""
    chooser = random.Random(1)  # noqa: S311 - order of examples, not a secret
    signals = torch.tensor([[float(s in e.signals) for s in SIGNAL_IDS] for e in examples])
    levels = torch.tensor([-1 if e.severity is None else e.severity for e in examples])
    learnt = [p for name, p in tagger.encoder.named_parameters() if p.requires_grad and "pooler" not in name]
    optimiser = torch.optim.AdamW(
        [{"params": learnt, "lr": ENCODER_RATE}, {"params": tagger.head.parameters(), "lr": HEAD_RATE}],
        weight_decay=0.01,
    )
    total = epochs * (len(pieces) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_at(step, total))
    for epoch in range(epochs):
        for number, batch in enumerate(batches([len(p) for p in pieces], chooser)):
            logits = tagger.logits(*padded([pieces[i] for i in batch]))
            loss = functional.binary_cross_entropy_with_logits(
                logits[:, :_COUNT], signals[batch], reduction="sum"
            ) / len(batch)
            loss = loss + SEVERITY_WEIGHT * functional.cross_entropy(logits[:, _COUNT:], levels[batch], ignore_index=-1)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learnt, 1.0)
            optimiser.step()
            schedule.step()
            if number % 50 == 0:
                print(f"epoch {epoch} batch {number} loss {loss.item():.3f}", flush=True)  # noqa: T201 - a tool


def main() -> None:
    """Entry point."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("minilm", type=Path)
    options.add_argument("out", type=Path)
    options.add_argument("data", type=Path, nargs="+")
    options.add_argument("--layers", default="1,2,4,6")
    options.add_argument("--epochs", type=int, default=2)
    options.add_argument("--start", type=Path)
    arguments = options.parse_args()
    torch.manual_seed(1)
    examples = [e for e in read_examples(arguments.data) if e.text.language in (None, "en")]
    tokeniser = AutoTokenizer.from_pretrained(arguments.minilm)
    pieces = tokeniser(
        [e.text.title for e in examples], [e.text.summary for e in examples], truncation=True, max_length=MOST_PIECES
    )["input_ids"]
    tagger = Tagger(arguments.minilm, [int(number) for number in arguments.layers.split(",")])
    if arguments.start:
        tagger.start_from(arguments.start)
    finetune(tagger, pieces, examples, arguments.epochs)
    tagger.save(arguments.out)


if __name__ == "__main__":
    main()
