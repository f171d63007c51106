"""Teaches a small GPT-2 the text of corpus.txt with transformers' Trainer; goes on from its newest checkpoint."""

import argparse
import json
import os
import re
from pathlib import Path

# Everything is made here: nothing is asked of the Hub.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.utils.data import Dataset
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

OUTPUT = Path("out")
TEXT = Path(__file__).with_name("corpus.txt")
CONTEXT = 64
END = "<|end|>"


def tokenizer_of(text: str) -> PreTrainedTokenizerFast:
    """Byte pairs as GPT-2 has them, of this text."""
    pairs = Tokenizer(models.BPE())
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pairs.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    pairs.train_from_iterator(
        [text],
        trainers.BpeTrainer(vocab_size=512, special_tokens=[END], initial_alphabet=alphabet, show_progress=False),
    )
    return PreTrainedTokenizerFast(tokenizer_object=pairs, eos_token=END, pad_token=END)


class Windows(Dataset):
    """Pieces of the text, each `CONTEXT` tokens long and half a piece further on."""

    def __init__(self, tokens: list[int]) -> None:
        self.tokens = torch.tensor(tokens)

    def __len__(self) -> int:
        return max(1, (len(self.tokens) - CONTEXT) // (CONTEXT // 2))

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        begin = index * (CONTEXT // 2)
        piece = self.tokens[begin : begin + CONTEXT]
        return {"input_ids": piece, "labels": piece}


class Lines(TrainerCallback):
    """A JSON object a step, in the place of the Trainer's bars."""

    def on_log(self, args, state, control, logs=None, **_more) -> None:
        if logs is not None and "loss" in logs:
            line = {"step": state.global_step, "loss": round(float(logs["loss"]), 6)}
            print(json.dumps(line), flush=True)


def newest() -> Path | None:
    """The newest checkpoint that is whole: what the Trainer writes last says the step of its name. None: there is none."""
    steps = [
        int(found[1]) for folder in OUTPUT.glob("checkpoint-*") if (found := re.fullmatch(r"checkpoint-(\d+)", folder.name))
    ]
    for step in sorted(steps, reverse=True):
        folder = OUTPUT / f"checkpoint-{step}"
        try:
            if json.loads((folder / "trainer_state.json").read_text())["global_step"] == step:
                return folder
        except (OSError, ValueError, KeyError):
            print(f"{folder} was cut short; an older one is taken.", flush=True)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--save-every", type=int, required=True)
    options = parser.parse_args()
    if options.width % 16 != 0:
        parser.error(f"--width is {options.width}; give a multiple of 16, as each head of attention is 16 wide.")

    text = TEXT.read_text(encoding="utf-8")
    tokenizer = tokenizer_of(text)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=CONTEXT,
        n_embd=options.width,
        n_layer=options.layers,
        n_head=options.width // 16,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(0)
    has_gpu = torch.cuda.is_available()
    trainer = Trainer(
        model=GPT2LMHeadModel(config),
        args=TrainingArguments(
            output_dir=str(OUTPUT),
            max_steps=options.steps,
            learning_rate=options.learning_rate,
            per_device_train_batch_size=16,
            logging_steps=1,
            save_steps=options.save_every,
            save_total_limit=2,
            report_to=[],
            disable_tqdm=True,
            use_cpu=not has_gpu,
            bf16=has_gpu and torch.cuda.is_bf16_supported(),
            seed=0,
        ),
        train_dataset=Windows(tokenizer.encode(text)),
        processing_class=tokenizer,
        callbacks=[Lines()],
    )
    trainer.remove_callback(PrinterCallback)
    checkpoint = newest()
    if checkpoint is not None:
        print(json.dumps({"resumed_from": int(checkpoint.name.rsplit("-", 1)[1])}), flush=True)
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    trainer.save_model(str(OUTPUT / "model"))

    asked = tokenizer("The ", return_tensors="pt").to(trainer.model.device)
    told = trainer.model.generate(**asked, max_new_tokens=24, do_sample=False, pad_token_id=tokenizer.eos_token_id)
    print(tokenizer.decode(told[0], skip_special_tokens=True), flush=True)


if __name__ == "__main__":
    main()
