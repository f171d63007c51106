"""SkyPilot's adapter for Vast.ai. `VAST_URL` and `VAST_API_KEY` lead the SDK below it."""

import json

from answering import answer
from sky.provision.vast import utils


def plain(value):
    """What of it is JSON."""
    return json.loads(json.dumps(value, default=str))


answer(
    {
        "list": lambda: plain(utils.list_instances()),
        "launch": lambda **order: utils.launch(ports=None, preemptible=False, secure_only=False, **order),
        "remove": utils.remove,
    }
)
