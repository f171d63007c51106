"""
Runs a notebook as a job: `python notebook.py <notebook> <copy> [<first> <last>]`.

Outputs go into the copy, which is written anew after each cell, and every few seconds while one runs: who looks has what
there is so far, whatever ends the job. They are printed too, so that the job's log tells the same. Without a range all
cells run; the others of the notebook stand in the copy without outputs. Ends with 1 at the first cell that fails, and
says which.
"""

import os
import signal
import sys
import time

try:
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError
except ImportError as missing:
    sys.exit(f"This environment cannot run notebooks: {missing}. Run %pip install nbclient ipykernel on the cluster.")

SAVE_EVERY_S = 5


class Client(NotebookClient):
    """Says what happens while it happens."""

    def __init__(self, notebook, save, **options):
        super().__init__(notebook, **options)
        self.save, self.saved_at = save, time.monotonic()

    def output(self, outs, msg, display_id, cell_index):
        made = super().output(outs, msg, display_id, cell_index)
        content = msg["content"]
        if msg["msg_type"] == "stream":
            print(content["text"], end="", flush=True)
        elif msg["msg_type"] == "error":
            print("\n".join(content["traceback"]), flush=True)
        elif "data" in content:
            print(content["data"].get("text/plain", ""), flush=True)
        if time.monotonic() - self.saved_at >= SAVE_EVERY_S:
            self.save()
            self.saved_at = time.monotonic()
        return made


def write_whole(path, notebook):
    new = f"{path}.new"
    with open(new, "w", encoding="utf-8") as file:
        nbformat.write(notebook, file)
    os.replace(new, path)


def kernel_of(notebook):
    """Its own where it is no Python's; else this environment's, whatever it was called where it was written."""
    spec = notebook.metadata.get("kernelspec", {})
    language = spec.get("language") or notebook.metadata.get("language_info", {}).get("name", "python")
    return "python3" if language == "python" else spec.get("name", "python3")


def main(source, target, first=0, last=None):
    try:
        with open(source, encoding="utf-8") as file:
            notebook = nbformat.read(file, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        sys.exit(f"{os.path.basename(source)} cannot be read as a notebook: {error}")
    name = os.path.basename(source)
    cells = notebook.cells
    last = len(cells) - 1 if last is None else last
    if last >= len(cells):
        sys.exit(f"{name} has {len(cells)} cells: there is no cell {last + 1}.")
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None

    def save():
        write_whole(target, notebook)

    save()
    client = Client(
        notebook,
        save,
        timeout=None,
        kernel_name=kernel_of(notebook),
        resources={"metadata": {"path": os.path.dirname(source) or "."}},
        record_timing=True,
    )
    count = sum(cell.cell_type == "code" for cell in cells[first : last + 1])
    done = 0
    try:
        with client.setup_kernel():
            for at in range(first, last + 1):
                if cells[at].cell_type != "code":
                    continue
                done += 1
                print(f"[cell {at + 1}, {done} of {count}]", flush=True)
                try:
                    client.execute_cell(cells[at], at, execution_count=done)
                finally:
                    save()
            client.set_widgets_metadata()
    except CellExecutionError as error:
        sys.exit(f"Cell {at + 1} of {name} failed: {error.ename}: {error.evalue}")
    except DeadKernelError:
        sys.exit(f"The kernel ended in cell {at + 1} of {name}; as a rule its memory was used up.")
    finally:
        save()
    print(f"Outputs are in {os.path.basename(target)}.", flush=True)


def on_term(*_):
    raise SystemExit(143)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, on_term)
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:5]))
