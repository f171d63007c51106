"""Applies a network to every row of a folder of Parquet files with Ray Data; goes on with the files that have no answers yet."""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import ray
import torch
from torch import nn

DATA = Path("data")
OUTPUT = Path("out")
WIDTH = 16


def make_data(files: int, rows: int) -> None:
    """Vectors, and beside each whether its first half weighs more, by which the answers can be judged."""
    DATA.mkdir(exist_ok=True)
    for index in range(files):
        place = DATA / f"part-{index:05}.parquet"
        if place.exists():
            continue
        vectors = np.random.default_rng(index).normal(size=(rows, WIDTH)).astype(np.float32)
        half = WIDTH // 2
        heavier = vectors[:, :half].sum(1) > vectors[:, half:].sum(1)
        table = pd.DataFrame({"id": np.arange(rows) + index * rows, "vector": list(vectors), "heavier": heavier})
        put(table, place)


def put(table: pd.DataFrame, place: Path) -> None:
    """Writes beside its place and renames: whoever looks finds a whole file or none."""
    beside = place.with_name(f".{place.name}.part")
    table.to_parquet(beside, index=False)
    os.replace(beside, place)


def network() -> nn.Sequential:
    """Weights as a training leaves them: it knows which half is which. Load your own in its place."""
    layer = nn.Linear(WIDTH, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.cat([torch.ones(WIDTH // 2), -torch.ones(WIDTH // 2)]).unsqueeze(0))
    return nn.Sequential(layer, nn.Sigmoid())


class Predictor:
    """One for each actor: the network is loaded once, and answers file by file."""

    def __init__(self) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network().to(self.device).eval()

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        [path], [answers] = batch["path"], batch["answers"]
        table = pd.read_parquet(path)
        with torch.inference_mode():
            vectors = torch.from_numpy(np.stack(table["vector"])).to(self.device)
            likely = self.network(vectors).squeeze(1).cpu().numpy()
        put(pd.DataFrame({"id": table["id"], "heavier": likely > 0.5, "likely": likely}), Path(answers))
        right = int(((likely > 0.5) == table["heavier"]).sum()) if "heavier" in table else 0
        return {"rows": np.array([len(table)]), "right": np.array([right])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--actors", type=int, required=True, help="0: one for each GPU, one where there is none")
    options = parser.parse_args()

    if options.files > 0:
        make_data(options.files, options.rows)
    OUTPUT.mkdir(exist_ok=True)
    # Actors may run elsewhere than here: their paths are whole ones.
    files = sorted(DATA.absolute().glob("*.parquet"))
    left = [file for file in files if not (OUTPUT / file.name).exists()]
    if not files:
        parser.error(f"There are no Parquet files in {DATA.absolute()}.")
    done = len(files) - len(left)
    if done > 0:
        print(json.dumps({"resumed_from": done}), flush=True)

    ray.init(include_dashboard=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    gpus = int(ray.cluster_resources().get("GPU", 0))
    rows = right = 0
    if left:
        items = [{"path": str(file), "answers": str(OUTPUT.absolute() / file.name)} for file in left]
        answered = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
            Predictor,
            batch_size=1,
            num_cpus=0.5,
            num_gpus=1 if gpus > 0 else 0,
            compute=ray.data.ActorPoolStrategy(size=options.actors or gpus or 1),
        )
        for row in answered.iter_rows():
            done, rows, right = done + 1, rows + row["rows"], right + row["right"]
            print(json.dumps({"step": done, "rows": int(rows), "accuracy": round(float(right / rows), 4)}), flush=True)
    # Halves that weigh all but the same may be rounded to the other side.
    if options.files > 0 and right < 0.999 * rows:
        raise SystemExit(f"Of {rows} rows that are made up, {rows - right} have a wrong answer.")
    print(json.dumps({"files": len(files), "answered": len(list(OUTPUT.glob("*.parquet")))}), flush=True)


if __name__ == "__main__":
    main()
