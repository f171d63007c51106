"""Learns to tell which of two halves of a vector weighs more, in several processes; goes on from its newest checkpoint."""

import argparse
import json
import os
import re
import shutil
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
import torch.nn.functional as F
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_state_dict,
    set_state_dict,
)
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

OUTPUT = Path("out")
BATCH = 64


def network(width: int, layers: int) -> nn.Sequential:
    """`layers` of `width`, and one number at the end."""
    hidden = [part for _ in range(layers) for part in (nn.Linear(width, width), nn.GELU())]
    return nn.Sequential(*hidden, nn.Linear(width, 1))


def shared(model: nn.Sequential, parallel: str, device: torch.device) -> nn.Module:
    """The model as the processes share it: whole in each (ddp), or each layer split over them (fsdp2)."""
    if parallel == "ddp":
        return DistributedDataParallel(model, device_ids=[device.index] if device.type == "cuda" else None)
    for part in model:
        if isinstance(part, nn.Linear):
            fully_shard(part)
    fully_shard(model)
    return model


def batch(step: int, rank: int, processes: int, width: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """What one process learns from in one step: the same after a new start, and another in each process."""
    chance = torch.Generator().manual_seed(step * processes + rank)
    vectors = torch.randn(BATCH, width, generator=chance)
    half = width // 2
    heavier = (vectors[:, :half].sum(1) > vectors[:, half:].sum(1)).float().unsqueeze(1)
    return vectors.to(device), heavier.to(device)


def newest() -> int:
    """The step of the newest checkpoint that is whole, 0 where there is none. Its `.metadata` is written last."""
    steps = [
        int(found[1])
        for folder in OUTPUT.glob("step-*")
        if (found := re.fullmatch(r"step-(\d+)", folder.name)) and (folder / ".metadata").is_file()
    ]
    return max(steps, default=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--parallel", choices=["ddp", "fsdp2"], required=True)
    parser.add_argument("--save-every", type=int, required=True)
    options = parser.parse_args()

    has_gpu = torch.cuda.is_available()
    dist.init_process_group("nccl" if has_gpu else "gloo")
    rank, processes = dist.get_rank(), dist.get_world_size()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if has_gpu else torch.device("cpu")
    if has_gpu:
        torch.cuda.set_device(device)
    torch.manual_seed(0)
    model = shared(network(options.width, options.layers).to(device), options.parallel, device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.learning_rate)

    def say(what: dict[str, float]) -> None:
        if rank == 0:
            print(json.dumps(what), flush=True)

    OUTPUT.mkdir(exist_ok=True)
    # One process looks and tells the others, so that all go on from the same.
    found = [newest()]
    dist.broadcast_object_list(found)
    step = found[0]
    if step > 0:
        weights, moments = get_state_dict(model, optimizer)
        dcp.load({"model": weights, "optimizer": moments}, checkpoint_id=str(OUTPUT / f"step-{step}"))
        set_state_dict(model, optimizer, model_state_dict=weights, optim_state_dict=moments)
        say({"resumed_from": step})

    while step < options.steps:
        step += 1
        vectors, heavier = batch(step, rank, processes, options.width, device)
        loss = F.binary_cross_entropy_with_logits(model(vectors), heavier)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % options.save_every == 0 or step == options.steps:
            weights, moments = get_state_dict(model, optimizer)
            dcp.save({"model": weights, "optimizer": moments}, checkpoint_id=str(OUTPUT / f"step-{step}"))
            if rank == 0:
                old = OUTPUT / f"step-{step - 2 * options.save_every}"
                shutil.rmtree(old, ignore_errors=True)
        say({"step": step, "loss": round(loss.item(), 6)})

    # One file that a single process loads. Every process takes part in gathering it.
    whole = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    if rank == 0:
        beside = OUTPUT / "model.pt.part"
        torch.save(whole, beside)
        os.replace(beside, OUTPUT / "model.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
