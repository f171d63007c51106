"""Logs one loss curve with the client that is named, as its own documentation has it; knows nothing of Hitch."""

import json
import math
import sys

STEPS = 60


def loss(step):
    return 2 * math.exp(-step / 9) + 0.1


def tensorboard():
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.scalar import summary_v2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter("runs/keras")
    for step in range(STEPS):
        writer.add_event(Event(wall_time=1.8e9 + step, step=step, summary=summary_v2.scalar_pb("loss", loss(step))))
    writer.close()


def tensorboardX():
    from tensorboardX import SummaryWriter

    with SummaryWriter("runs/torch") as writer:
        for step in range(STEPS):
            writer.add_scalar("loss", loss(step), step)


def mlflow():
    import mlflow

    mlflow.set_experiment("demo")
    with mlflow.start_run():
        mlflow.log_params({"lr": 0.1, "layers": 3})
        mlflow.set_tag("kind", "test")
        for step in range(0, STEPS, 2):
            mlflow.log_metric("loss", loss(step), step=step)
            mlflow.log_metrics({"loss": loss(step + 1), "odd": 1.0}, step=step + 1)
        mlflow.log_text("weights", "model.txt")
        with mlflow.start_run(nested=True, run_name="child"):
            mlflow.log_metric("loss", 7, step=0)


def wandb():
    import wandb

    with wandb.init(project="demo", config={"lr": 0.1}) as run:
        for step in range(STEPS):
            run.log({"loss": loss(step)}, step=step)


def trackio():
    import trackio

    trackio.init(project="demo", config={"lr": 0.1})
    for step in range(STEPS):
        trackio.log({"loss": loss(step)}, step=step)
    trackio.finish()


def output():
    for step in range(STEPS):
        print(json.dumps({"step": step, "loss": loss(step)}), flush=True)


globals()[sys.argv[1]]()
