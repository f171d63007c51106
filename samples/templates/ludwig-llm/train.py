"""Teaches a language model answers with Ludwig and a LoRA adapter, as model.yaml declares it; goes on from its checkpoint."""

import argparse
import json
import logging
import os
import shutil
from pathlib import Path

import pandas as pd
import yaml

OUTPUT = Path("out")
RUN = OUTPUT / "experiment_run"
TINY = Path("tiny-model")
HERE = Path(__file__).parent
END = "<|end|>"


def make_tiny(folder: Path, texts: list[str]) -> None:
    """A Llama of two layers that knows nothing yet, and a tokenizer of these texts, as a folder that any code of Hugging Face loads."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    pairs = Tokenizer(models.BPE())
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pairs.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    pairs.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=512, special_tokens=[END], initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=pairs, eos_token=END, pad_token=END, bos_token=END)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def can_go_on() -> bool:
    """Ludwig writes its progress last: without it there is nothing that it could go on from."""
    return (RUN / "model" / "training_progress.json").is_file() and (RUN / "description.json").is_file()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--save-every", type=int, required=True)
    options = parser.parse_args()

    data = HERE / "answers.jsonl" if options.data == "built-in" else Path(options.data)
    table = pd.read_json(data, lines=True)
    model = options.model
    if model == "tiny":
        # Everything is made here: nothing is asked of the Hub.
        os.environ["HF_HUB_OFFLINE"] = "1"
        model = str(TINY.absolute())
        if not (TINY / "tokenizer.json").exists():
            make_tiny(TINY, [prompt + answer for prompt, answer in zip(table["prompt"], table["completion"], strict=True)])

    # After the variable above, which is read when it is loaded.
    from ludwig.api import LudwigModel
    from ludwig.callbacks import Callback

    class Lines(Callback):
        """A JSON object each time that Ludwig has looked at how well it does."""

        def on_eval_end(self, trainer, progress_tracker, save_path: str, **_more) -> None:
            # What was read back from a checkpoint is a list in the place of a named tuple: the figure is last in both.
            loss = progress_tracker.train_metrics["combined"]["loss"][-1][-1]
            print(json.dumps({"step": progress_tracker.steps, "loss": round(float(loss), 6)}), flush=True)

    config = yaml.safe_load((HERE / "model.yaml").read_text(encoding="utf-8"))
    config["base_model"] = model
    config["adapter"]["r"] = options.rank
    config["trainer"] = {
        **config["trainer"],
        "train_steps": options.steps,
        "batch_size": options.batch_size,
        "learning_rate": options.learning_rate,
        "steps_per_checkpoint": options.save_every,
    }
    goes_on = can_go_on()
    if goes_on:
        done = json.loads((RUN / "model" / "training_progress.json").read_text(encoding="utf-8"))["steps"]
        print(json.dumps({"resumed_from": done}), flush=True)
    else:
        # Beside one that was cut short before its first checkpoint Ludwig would write into a folder of another name.
        shutil.rmtree(RUN, ignore_errors=True)
    LudwigModel(config, logging_level=logging.WARNING, backend="local", callbacks=[Lines()]).train(
        dataset=table,
        output_directory=str(OUTPUT),
        experiment_name="experiment",
        model_name="run",
        model_resume_path=str(RUN) if goes_on else None,
        skip_save_processed_input=True,
        random_seed=0,
    )


if __name__ == "__main__":
    main()
