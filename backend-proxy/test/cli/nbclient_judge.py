"""Says what in a notebook that `hitch run` saved is not what nbclient would have saved.

For each NAME.ipynb of a folder and its NAME.out.ipynb: nbclient runs the first in a kernel of its own, and the two
results are compared; nbformat reads and writes the second, which must change no byte of it.
"""

import json
import re
import sys
import warnings
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WIDGETS = "application/vnd.jupyter.widget-state+json"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def joined(outputs):
    """nbclient keeps each piece of a stream, JupyterLab and we join them."""
    result = []
    for output in outputs:
        last = result[-1] if result else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            result.append(dict(output))
    return result


def comparable(notebook):
    """The notebook without what no two runs have in common: ids that are made anew, and times."""
    value = json.loads(json.dumps(notebook))
    for cell in value["cells"]:
        if "outputs" in cell:
            cell["outputs"] = joined(cell["outputs"])
        times = cell["metadata"].get("execution", {})
        for key, time in times.items():
            times[key] = "a time" if TIME.fullmatch(time) else time
    models = value["metadata"].get("widgets", {}).get(WIDGETS, {}).pop("state", {})
    known = set(models)
    for reference in re.findall(r"IPY_MODEL_(\w+)", json.dumps(models)):
        assert reference in known, f"a widget names {reference}, which is not saved"
    value["models"] = sorted(ID.sub("an id", json.dumps(model, sort_keys=True)) for model in models.values())
    return json.loads(ID.sub("an id", json.dumps(value)))


def differences(one, other, where="notebook"):
    if type(one) is not type(other):
        yield f"{where}: nbclient has {one!r}, hitch has {other!r}"
    elif isinstance(one, dict):
        for key in sorted({*one, *other}):
            if key not in one or key not in other:
                yield f"{where}.{key}: only {'nbclient' if key in one else 'hitch'} has it"
            else:
                yield from differences(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list):
        if len(one) != len(other):
            yield f"{where}: nbclient has {len(one)}, hitch has {len(other)}: {one!r} {other!r}"
        for index, (left, right) in enumerate(zip(one, other)):
            yield from differences(left, right, f"{where}[{index}]")
    elif one != other:
        yield f"{where}: nbclient has {one!r}, hitch has {other!r}"


def execute(notebook, source: Path):
    """On sockets of its own, for ports that were free may be taken a moment later; and with patience."""
    sockets = {"KernelManager": {"transport": "ipc", "ip": str(source.with_suffix(".k"))}}
    NotebookClient(
        notebook,
        kernel_name="python3",
        config=Config(sockets),
        resources={"metadata": {"path": str(source.parent)}},
        startup_timeout=120,
        timeout=120,
        iopub_timeout=120,
        raise_on_iopub_timeout=True,
    ).execute()


def judge(source: Path):
    saved = source.with_suffix(".out.ipynb").read_text(encoding="utf-8")
    ours = nbformat.reads(saved, as_version=nbformat.NO_CONVERT)
    nbformat.validate(ours)
    if nbformat.writes(ours, version=nbformat.NO_CONVERT) + "\n" != saved:
        yield "to open and save it in Jupyter changes the file"
    theirs = nbformat.read(source, as_version=nbformat.NO_CONVERT)
    execute(theirs, source)
    yield from differences(comparable(theirs), comparable(ours))


warnings.simplefilter("ignore")
found = {}
for path in sorted(Path(sys.argv[1]).glob("*.ipynb")):
    if not path.name.endswith(".out.ipynb"):
        found[path.stem] = list(judge(path))
print(json.dumps(found))
