"""Logistic regression by gradient descent on made-up points; goes on from its newest checkpoint."""

import argparse
import json
import os
import re
from pathlib import Path

import numpy as np

EVERY = 20


def made_up(points: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds that overlap a little, with a column of ones for the offset: (points, 3) and (points,)."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, points)
    clouds = random.normal(size=(points, 2)) + np.where(labels[:, None] == 1, 1.2, -1.2)
    return np.column_stack([clouds, np.ones(points)]), labels.astype(float)


def newest(folder: Path) -> tuple[int, np.ndarray] | None:
    """The step and weights of the newest checkpoint that can be read; one that was cut short is passed over."""
    steps = sorted(
        (int(found[1]) for file in folder.glob("checkpoint-*.npz") if (found := re.search(r"-(\d+)\.npz$", file.name))),
        reverse=True,
    )
    for step in steps:
        try:
            with np.load(folder / f"checkpoint-{step}.npz") as saved:
                return step, saved["weights"]
        except (OSError, ValueError, KeyError, EOFError):
            continue
    return None


def save(path: Path, weights: np.ndarray) -> None:
    """Writes beside its place and renames: whoever looks finds the old one or the new one."""
    beside = path.with_suffix(".part.npz")
    np.savez(beside, weights=weights)
    os.replace(beside, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--points", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()

    options.output.mkdir(parents=True, exist_ok=True)
    inputs, labels = made_up(options.points, options.seed)
    begun = newest(options.output)
    step, weights = begun if begun is not None else (0, np.zeros(inputs.shape[1]))
    if begun is not None:
        print(json.dumps({"resumed_from": step}), flush=True)

    while step < options.steps:
        likely = 1 / (1 + np.exp(-inputs @ weights))
        loss = -np.mean(labels * np.log(likely + 1e-12) + (1 - labels) * np.log(1 - likely + 1e-12))
        weights = weights - options.learning_rate * inputs.T @ (likely - labels) / len(labels)
        step += 1
        if step % EVERY == 0 or step == options.steps:
            save(options.output / f"checkpoint-{step}.npz", weights)
        if step % 10 == 0 or step in (1, options.steps):
            print(json.dumps({"step": step, "loss": round(float(loss), 6)}), flush=True)

    save(options.output / "weights.npz", weights)
    right = float(np.mean((inputs @ weights > 0) == (labels == 1)))
    print(json.dumps({"step": step, "accuracy": round(right, 4)}), flush=True)


if __name__ == "__main__":
    main()
