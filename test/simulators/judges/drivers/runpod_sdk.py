"""RunPod's Python SDK, its GraphQL half. `RUNPOD_API_BASE_URL` and `RUNPOD_API_KEY` lead it."""

import os

import runpod
from answering import answer
from runpod.api.graphql import run_graphql_query

runpod.api_key = os.environ["RUNPOD_API_KEY"]

answer(
    {
        "get_gpus": runpod.get_gpus,
        "get_gpu": runpod.get_gpu,
        "get_pods": runpod.get_pods,
        "get_pod": runpod.get_pod,
        "get_user": runpod.get_user,
        "create_pod": runpod.create_pod,
        "terminate_pod": runpod.terminate_pod,
        "query": run_graphql_query,
    }
)
