"""Learns with Ray Train to tell which half of a vector weighs more, in several workers; goes on from its newest checkpoint."""

import argparse
import json
import os
import tempfile
from pathlib import Path

# A busy computer takes longer to bring the workers up than Ray Train waits.
os.environ.setdefault("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "300")

import ray
import ray.train
import torch
import torch.nn.functional as F
from ray.train import Checkpoint, CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer, get_device, prepare_model
from torch import nn

BATCH = 64


def network(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1))


def batch(step: int, rank: int, workers: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What one worker learns from in one step: the same after a new start, and another in each worker."""
    chance = torch.Generator().manual_seed(step * workers + rank)
    vectors = torch.randn(BATCH, width, generator=chance)
    half = width // 2
    heavier = (vectors[:, :half].sum(1) > vectors[:, half:].sum(1)).float().unsqueeze(1)
    return vectors, heavier


def loop(config: dict) -> None:
    """Runs in each worker. `ray.train.report` keeps a checkpoint and has all workers wait for each other."""
    context = ray.train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    torch.manual_seed(0)
    model = prepare_model(network(config["width"]))
    bare = model.module if hasattr(model, "module") else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=config["learning_rate"])
    step = 0
    before = ray.train.get_checkpoint()
    if before is not None:
        with before.as_directory() as folder:
            saved = torch.load(os.path.join(folder, "state.pt"), map_location=get_device(), weights_only=True)
        bare.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        step = saved["step"]
        if rank == 0:
            print(json.dumps({"resumed_from": step}), flush=True)

    while step < config["steps"]:
        step += 1
        vectors, heavier = (part.to(get_device()) for part in batch(step, rank, workers, config["width"]))
        loss = F.binary_cross_entropy_with_logits(model(vectors), heavier)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if rank == 0:
            print(json.dumps({"step": step, "loss": round(loss.item(), 6)}), flush=True)
        if step % config["save_every"] == 0 or step == config["steps"]:
            report(step, loss.item(), rank, bare, optimizer)


def report(step: int, loss: float, rank: int, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """The weights are the same in all workers: the first one's are kept."""
    if rank != 0:
        ray.train.report({"step": step, "loss": loss})
        return
    with tempfile.TemporaryDirectory() as folder:
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
        torch.save(state, os.path.join(folder, "state.pt"))
        ray.train.report({"step": step, "loss": loss}, checkpoint=Checkpoint.from_directory(folder))


def place(storage: str) -> str:
    """A bucket by its address, a folder by its whole path."""
    return storage if "://" in storage else str(Path(storage).absolute())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--workers", type=int, required=True, help="0: one for each GPU, two where there is none")
    parser.add_argument("--save-every", type=int, required=True)
    parser.add_argument("--storage", required=True)
    options = parser.parse_args()

    # With RAY_ADDRESS this is the cluster's Ray, without it one of its own.
    ray.init()
    gpus = int(ray.cluster_resources().get("GPU", 0))
    result = TorchTrainer(
        loop,
        train_loop_config={
            "steps": options.steps,
            "width": options.width,
            "learning_rate": options.learning_rate,
            "save_every": options.save_every,
        },
        scaling_config=ScalingConfig(
            num_workers=options.workers or gpus or 2,
            use_gpu=gpus > 0,
            # Two workers fit beside each other on a small computer too.
            resources_per_worker=None if gpus > 0 else {"CPU": 0.5},
        ),
        run_config=RunConfig(
            # The same name in the same place is the same run: it goes on from the newest checkpoint there.
            name="run",
            storage_path=place(options.storage),
            failure_config=FailureConfig(max_failures=2),
            checkpoint_config=CheckpointConfig(num_to_keep=2),
        ),
    ).fit()
    with result.checkpoint.as_directory() as folder:
        saved = torch.load(os.path.join(folder, "state.pt"), map_location="cpu", weights_only=True)
    model = Path("out") / "model.pt"
    model.parent.mkdir(exist_ok=True)
    beside = model.with_suffix(".part")
    torch.save(saved["model"], beside)
    os.replace(beside, model)
    print(json.dumps({"step": saved["step"], "loss": round(result.metrics["loss"], 6)}), flush=True)


if __name__ == "__main__":
    main()
