"""dstack's adapters for Vast.ai and RunPod. Where they ask is a constant of theirs: it is set here, to `NETWORK_URL`."""

import os

import httpx
from answering import answer
from dstack._internal.core.backends.runpod import api_client as runpod
from dstack._internal.core.backends.vastai.api_client import VastAIAPIClient
from gpuhunt.providers import vastai as catalog

URL = os.environ["NETWORK_URL"]
KEY = os.environ["NETWORK_KEY"]

runpod.API_GRAPHQL_URL = f"{URL}/graphql"
runpod.API_V2_URL = f"{URL}/v2"
catalog.bundles_url = f"{URL}/api/v0/bundles/"

on_runpod = runpod.RunpodApiClient(KEY)
on_vast = VastAIAPIClient(KEY)
on_vast.s.base_url = httpx.URL(f"{URL}/api/")


def vast_offers():
    offers = catalog.VastAIProvider().get(balance_resources=False)
    return [{"id": offer.instance_name, "gpu": offer.gpu_name, "count": offer.gpu_count} for offer in offers]


answer(
    {
        "vast_offers": vast_offers,
        "vast_create": on_vast.create_instance,
        "vast_get": on_vast.get_instance,
        "vast_destroy": on_vast.destroy_instance,
        "runpod_validate": on_runpod.validate_api_key,
        "runpod_create": on_runpod.create_pod,
        "runpod_create_community": on_runpod.create_gpu_pod_graphql,
        "runpod_get": on_runpod.get_pod,
        "runpod_terminate": on_runpod.terminate_pod,
    }
)
