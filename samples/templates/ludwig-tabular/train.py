"""Learns what a flat costs from a table with Ludwig, from the model that model.yaml declares; goes on from its checkpoint."""

import argparse
import json
import logging
import os
import random
import shutil
from pathlib import Path

# Everything is made here: nothing is asked of the Hub.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pandas as pd
import yaml
from ludwig.api import LudwigModel
from ludwig.callbacks import Callback

OUTPUT = Path("out")
RUN = OUTPUT / "experiment_run"
MODEL = Path(__file__).with_name("model.yaml")
PRICES = {"Lagos": 20, "Lima": 25, "Oslo": 60}


def made_up(rows: int) -> pd.DataFrame:
    """Flats whose price follows from their size, rooms and town, give or take a little."""
    chance = random.Random(7)
    flats = []
    for _ in range(rows):
        town = chance.choice(sorted(PRICES))
        size, rooms = chance.uniform(20, 150), chance.randint(1, 6)
        price = size * PRICES[town] + 300 * rooms + chance.gauss(0, 100)
        flats.append({"size": size, "rooms": rooms, "town": town, "lift": chance.random() < 0.5, "price": price})
    return pd.DataFrame(flats)


class Lines(Callback):
    """A JSON object each time that Ludwig has looked at how well it does."""

    def on_eval_end(self, trainer, progress_tracker, save_path: str, **_more) -> None:
        # What was read back from a checkpoint is a list in the place of a named tuple: the figure is last in both.
        loss = progress_tracker.train_metrics["combined"]["loss"][-1][-1]
        print(json.dumps({"step": progress_tracker.steps, "loss": round(float(loss), 6)}), flush=True)


def can_go_on() -> bool:
    """Ludwig writes its progress last: without it there is nothing that it could go on from."""
    return (RUN / "model" / "training_progress.json").is_file() and (RUN / "description.json").is_file()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--save-every", type=int, required=True)
    options = parser.parse_args()

    table = made_up(2000) if options.data == "built-in" else pd.read_csv(options.data)
    config = yaml.safe_load(MODEL.read_text(encoding="utf-8"))
    config["trainer"] = {
        **config.get("trainer", {}),
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

    model = LudwigModel(config, logging_level=logging.WARNING, backend="local", callbacks=[Lines()])
    model.train(
        dataset=table,
        output_directory=str(OUTPUT),
        experiment_name="experiment",
        model_name="run",
        model_resume_path=str(RUN) if goes_on else None,
        skip_save_processed_input=True,
        random_seed=0,
    )

    shown = table.head(5)
    told, _ = model.predict(dataset=shown)
    [target] = [feature["name"] for feature in config["output_features"]]
    for is_so, says in zip(shown[target], told[f"{target}_predictions"], strict=True):
        print(json.dumps({target: round(float(is_so)), "predicted": round(float(says))}), flush=True)


if __name__ == "__main__":
    main()
