/**
 * The Python program that makes a node's own environment, run by the interpreter that the node was given.
 *
 * The environment holds nothing at first: it finds what that interpreter has through one line of a `.pth` file. So it
 * is made in a moment and takes no room, and whatever is installed goes into it and changes nothing for anybody else.
 * Programs of Python packages (`ray`, `jupyter`) name their interpreter in their first line. Each is written again with
 * the environment's, because by its own it would not see what was installed here. So are kernels that name theirs.
 */
export const MAKE_PYTHON_SOURCE = `\
import importlib.util
import json
import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig
import venv

folder, name, uv = sys.argv[1:]
windows = os.name == "nt"
venv.EnvBuilder(symlinks=not windows, with_pip=False, prompt=name).create(folder)

scheme = "venv" if "venv" in sysconfig.get_scheme_names() else os.name if windows else "posix_prefix"
packages = sysconfig.get_path("purelib", scheme, {"base": folder, "platbase": folder})
found = site.getsitepackages() + ([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])
lines = ["import site; site.addsitedir(%s)\\n" % ascii(path) for path in found if os.path.isdir(path)]
with open(os.path.join(packages, "hitch-base.pth"), "w", encoding="ascii") as file:
    file.writelines(lines)

programs = os.path.join(folder, "Scripts" if windows else "bin")
FIRST = re.compile(rb"#![^\\n]*python[^\\n]*\\n|#!/bin/sh\\n'''exec'[^\\n]*python[^\\n]*\\n' '''\\n")
# A program for both: to Python everything up to the third line's quotes is a text. It runs the interpreter beside it,
# which is the right one in a copy too: Ray copies the environment for what a runtime_env brings.
START = b"#!/bin/sh\\n'''exec' \\"$(dirname -- \\"$(realpath -- \\"$0\\")\\")/python\\" \\"$0\\" \\"$@\\"\\n' '''\\n"


def write(name, text):
    path = os.path.join(programs, name)
    if not os.path.lexists(path):
        with open(path, "wb") as file:
            file.write(text)
        os.chmod(path, 0o755)


def rest_of(path, wanted):
    """What follows the interpreter's name in a program of a Python package; None for every other file."""
    try:
        with open(path, "rb") as file:
            text = file.read(8192)
            first = FIRST.match(text)
            if not first or b"__main__" not in text or not wanted(os.fsdecode(first.group()[2:]).strip()):
                return None
            return text[first.end():] + file.read()
    except OSError:
        return None


base_programs = [os.path.realpath(path) for path in (sysconfig.get_path("scripts"), os.path.dirname(sys.executable))]


def is_base(named):
    """Whether a path names that interpreter; a link to it from elsewhere is another environment's."""
    where = os.path.realpath(os.path.dirname(named))
    return where in base_programs and os.path.realpath(named) == os.path.realpath(sys.executable)


# Among the user's programs are those of other Pythons, and of tools with an environment of their own.
places = {sysconfig.get_path("scripts"): lambda named: True}
if site.ENABLE_USER_SITE:
    places.setdefault(os.path.join(site.getuserbase(), "bin"), is_base)
if importlib.util.find_spec("pip") is None and importlib.util.find_spec("ensurepip") is not None:
    # From a file of Python's own library: nothing is fetched. Its program of the plain name is written below.
    python = os.path.join(programs, "python.exe" if windows else "python")
    subprocess.run([python, "-m", "ensurepip", "--altinstall"], stdout=subprocess.DEVNULL)
if windows:
    write("pip.cmd", b'@"%~dp0python.exe" -m pip %*\\r\\n')
else:
    for place, wanted in places.items():
        for name in os.listdir(place) if os.path.isdir(place) else []:
            rest = rest_of(os.path.join(place, name), wanted)
            if rest is not None:
                write(name, START + rest)
    for name in ("pip", "pip3"):
        write(name, START + b"import runpy\\nrunpy.run_module('pip', run_name='__main__', alter_sys=True)\\n")

# The kernels of that interpreter may name it by its whole path, as conda's do: they would not be of this environment.
INTERPRETER = re.compile(r"python[w\\d.]*(\\.exe)?", re.IGNORECASE)
share = os.path.join(folder, "share", "jupyter")
bases = list(dict.fromkeys([sys.prefix, sysconfig.get_path("data")]))
bases += [site.getuserbase()] if site.ENABLE_USER_SITE else []


def copy_kernel(source, name):
    """A kernel of that interpreter, started by this environment's: Jupyter puts its own for the word 'python'."""
    target = os.path.join(share, "kernels", name)
    try:
        with open(os.path.join(source, "kernel.json"), encoding="utf-8") as file:
            spec = json.load(file)
        named = spec["argv"][0]
        where, program = os.path.split(named)
        is_python = INTERPRETER.fullmatch(program) and (name == "python3" or is_base(named))
        if where and is_python and not os.path.exists(target):
            spec["argv"][0] = "python"
            shutil.copytree(source, target)
            with open(os.path.join(target, "kernel.json"), "w", encoding="utf-8") as file:
                json.dump(spec, file, indent=1)
    except (OSError, ValueError, LookupError, TypeError) as error:
        print("The kernel in %s stays as it is: %s" % (source, error), file=sys.stderr)


for base in bases:
    kernels = os.path.join(base, "share", "jupyter", "kernels")
    for name in os.listdir(kernels) if os.path.isdir(kernels) else []:
        copy_kernel(os.path.join(kernels, name), name)

UV = '''\
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def find_uv_bin():
    with open(os.path.join(HERE, "program"), encoding="utf-8") as file:
        return file.read()


def main():
    arguments = sys.argv[1:]
    environment = {**os.environ, "VIRTUAL_ENV": os.environ.get("VIRTUAL_ENV") or sys.prefix}
    if arguments[:2] in (["pip", "install"], ["pip", "sync"]) and environment["VIRTUAL_ENV"] == sys.prefix:
        # uv sees what this environment has itself, and not what it finds in the one below: that is not to come in other versions.
        arguments[2:2] = ["--constraint", os.path.join(HERE, "below.txt")]
    command = [find_uv_bin(), *arguments]
    if os.name == "nt":
        sys.exit(subprocess.call(command, env=environment))
    os.execve(command[0], command, environment)
'''
if uv:
    import importlib.metadata

    place = os.path.join(packages, "uv")
    os.makedirs(place, exist_ok=True)
    below = {item.metadata["Name"]: item.version for item in importlib.metadata.distributions(path=found)}
    texts = {
        "__init__.py": UV,
        "__main__.py": "from uv import main\\n\\nmain()\\n",
        "program": uv,
        "below.txt": "".join("%s==%s\\n" % pair for pair in sorted(below.items()) if pair[0]),
    }
    for file_name, text in texts.items():
        with open(os.path.join(place, file_name), "w", encoding="utf-8") as file:
            file.write(text)
    if windows:
        write("uv.cmd", b'@"%~dp0python.exe" -m uv %*\\r\\n')
    else:
        write("uv", START + b"from uv import main\\nmain()\\n")

print(json.dumps({"jupyterPath": os.pathsep.join([share, os.path.join(sys.prefix, "share", "jupyter")])}))
`;
