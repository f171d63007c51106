"""A language model behind an address: POST {"prompt": "…"} to /generate, GET /-/healthz."""

import argparse
import json
import time
import urllib.request

import ray
import torch
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

MOST_TOKENS = 512


def load(name: str) -> tuple[torch.nn.Module, PreTrainedTokenizerFast]:
    """A model of the Hub or of a folder; `tiny` is made on the spot, always with the same weights."""
    if name != "tiny":
        return AutoModelForCausalLM.from_pretrained(name, dtype="auto"), AutoTokenizer.from_pretrained(name)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    letters = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(alphabet)}, merges=[]))
    letters.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=letters)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=1024,
        bos_token_id=None,
        eos_token_id=None,
    )
    return LlamaForCausalLM(config), tokenizer


def answer(model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast, prompt: str, most: int) -> str:
    """What the model says after the prompt, the likeliest word each time."""
    asked = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False).to(model.device)
    with torch.inference_mode():
        told = model.generate(**asked, max_new_tokens=most, do_sample=False, pad_token_id=0)
    return tokenizer.decode(told[0, asked["input_ids"].shape[1] :], skip_special_tokens=True)


@serve.deployment
class Model:
    """A replica: the model is loaded once, and asked one prompt at a time."""

    def __init__(self, name: str) -> None:
        self.model, self.tokenizer = load(name)
        self.model.to("cuda" if torch.cuda.is_available() else "cpu").eval()

    async def __call__(self, request: Request) -> JSONResponse:
        try:
            asked = json.loads(await request.body())
            prompt, most = str(asked["prompt"]), int(asked.get("max_tokens", 32))
        except (ValueError, KeyError, TypeError, AttributeError):
            return JSONResponse({"error": 'Send {"prompt": "…", "max_tokens": 32}.'}, status_code=400)
        if prompt == "" or not 1 <= most <= MOST_TOKENS:
            problem = f"prompt is empty, or max_tokens is not between 1 and {MOST_TOKENS}."
            return JSONResponse({"error": problem}, status_code=400)
        return JSONResponse({"text": answer(self.model, self.tokenizer, prompt, most)})


def ask(address: str, prompt: str, most: int) -> str:
    body = json.dumps({"prompt": prompt, "max_tokens": most}).encode()
    request = urllib.request.Request(f"{address}/generate", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as reply:
        return json.loads(reply.read())["text"]


def check(address: str, name: str, times: int) -> None:
    """Asks the server as a client does, and the model itself beside it: they must say the same."""
    model, tokenizer = load(name)
    for number in range(1, times + 1):
        prompt = f"Question {number}:"
        began = time.monotonic()
        served, own = ask(address, prompt, 8), None
        seconds = time.monotonic() - began
        own = answer(model.eval(), tokenizer, prompt, 8)
        print(json.dumps({"step": number, "seconds": round(seconds, 3), "same": served == own}), flush=True)
        if served != own:
            raise SystemExit(f"The server says {served!r} to {prompt!r}, and the model {own!r}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--replicas", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--check", type=int, required=True, help="0: serves until it is stopped")
    options = parser.parse_args()

    ray.init(include_dashboard=False)
    has_gpu = ray.cluster_resources().get("GPU", 0) > 0
    # Loopback alone: whoever is to reach it comes through ssh.
    serve.start(http_options={"host": "127.0.0.1", "port": options.port})
    each = {"num_cpus": 0.5, "num_gpus": 1 if has_gpu else 0}
    served = Model.options(num_replicas=options.replicas, ray_actor_options=each).bind(options.model)
    serve.run(served, name="model", route_prefix="/generate")
    address = f"http://127.0.0.1:{options.port}"
    with urllib.request.urlopen(f"{address}/-/healthz", timeout=60) as reply:
        print(json.dumps({"serving": address, "health": reply.read().decode()}), flush=True)
    if options.check > 0:
        check(address, options.model, options.check)
        serve.shutdown()
        return
    while True:
        time.sleep(60)
        with urllib.request.urlopen(f"{address}/-/healthz", timeout=60) as reply:
            print(json.dumps({"health": reply.read().decode()}), flush=True)


if __name__ == "__main__":
    main()
