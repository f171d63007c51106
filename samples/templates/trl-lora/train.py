"""Teaches a Llama answers with TRL's SFTTrainer and a LoRA adapter; goes on from its newest checkpoint."""

import argparse
import json
import os
import re
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    PrinterCallback,
    TrainerCallback,
)
from trl import SFTConfig, SFTTrainer

OUTPUT = Path("out")
ANSWERS = Path(__file__).with_name("answers.jsonl")
END = "<|end|>"
PAD = "<|pad|>"


def tiny(texts: list[str]) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """A Llama of two layers that knows nothing yet, and a tokenizer of these texts."""
    pairs = Tokenizer(models.BPE())
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pairs.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    pairs.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=512, special_tokens=[END, PAD], initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=pairs, eos_token=END, pad_token=PAD)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    return LlamaForCausalLM(config), tokenizer


class Lines(TrainerCallback):
    """A JSON object a step, in the place of the trainer's bars."""

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
    parser.add_argument("--model", required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--save-every", type=int, required=True)
    options = parser.parse_args()

    rows = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]
    if options.model == "tiny":
        os.environ["HF_HUB_OFFLINE"] = "1"
        model, tokenizer = tiny([row["prompt"] + row["completion"] for row in rows])
    else:
        tokenizer = AutoTokenizer.from_pretrained(options.model)
        model = AutoModelForCausalLM.from_pretrained(options.model, dtype="auto")

    has_gpu = torch.cuda.is_available()
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=str(OUTPUT),
            max_steps=options.steps,
            learning_rate=options.learning_rate,
            per_device_train_batch_size=8,
            max_length=128,
            logging_steps=1,
            save_steps=options.save_every,
            save_total_limit=2,
            report_to=[],
            disable_tqdm=True,
            # It asks for bf16 by itself, which a computer without a GPU refuses.
            use_cpu=not has_gpu,
            bf16=has_gpu and torch.cuda.is_bf16_supported(),
            seed=0,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=options.rank, lora_alpha=2 * options.rank, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        callbacks=[Lines()],
    )
    trainer.remove_callback(PrinterCallback)
    checkpoint = newest()
    if checkpoint is not None:
        print(json.dumps({"resumed_from": int(checkpoint.name.rsplit("-", 1)[1])}), flush=True)
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    trainer.save_model(str(OUTPUT / "adapter"))


if __name__ == "__main__":
    main()
