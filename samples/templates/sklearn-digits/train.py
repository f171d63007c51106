"""Learns handwritten digits with a small network, an epoch at a time; goes on from its newest checkpoint."""

import argparse
import json
import os
import re
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

OUTPUT = Path("out")


def newest() -> tuple[int, MLPClassifier] | None:
    """The epoch and network of the newest checkpoint that can be read; one that was cut short is passed over."""
    epochs = sorted(
        (
            int(found[1])
            for file in OUTPUT.glob("epoch-*.joblib")
            if (found := re.search(r"-(\d+)\.joblib$", file.name))
        ),
        reverse=True,
    )
    for epoch in epochs:
        try:
            return epoch, joblib.load(OUTPUT / f"epoch-{epoch}.joblib")
        except Exception as error:  # pickles that are cut short fail in many ways
            print(f"epoch-{epoch}.joblib cannot be read ({error}); an older one is taken.", flush=True)
    return None


def save(path: Path, network: MLPClassifier) -> None:
    """Writes beside its place and renames: whoever looks finds the old one or the new one."""
    beside = path.with_suffix(".part")
    joblib.dump(network, beside)
    os.replace(beside, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--hidden", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--activation", required=True)
    options = parser.parse_args()

    OUTPUT.mkdir(exist_ok=True)
    images, digits = load_digits(return_X_y=True)
    learn_images, test_images, learn_digits, test_digits = train_test_split(
        images / 16, digits, test_size=0.2, random_state=0
    )
    begun = newest()
    if begun is None:
        epoch = 0
        network = MLPClassifier(
            (options.hidden,), activation=options.activation, learning_rate_init=options.learning_rate, random_state=0
        )
    else:
        epoch, network = begun
        print(json.dumps({"resumed_from": epoch}), flush=True)

    while epoch < options.epochs:
        network.partial_fit(learn_images, learn_digits, classes=np.arange(10))
        epoch += 1
        save(OUTPUT / f"epoch-{epoch}.joblib", network)
        (OUTPUT / f"epoch-{epoch - 2}.joblib").unlink(missing_ok=True)
        accuracy = network.score(test_images, test_digits)
        print(
            json.dumps({"step": epoch, "loss": round(float(network.loss_), 6), "accuracy": round(accuracy, 4)}),
            flush=True,
        )

    save(OUTPUT / "model.joblib", network)


if __name__ == "__main__":
    main()
