/**
 * The Python program that makes a node's own environment, run by the interpreter that the node was given.
 *
 * The environment holds nothing at first: it finds what that interpreter has through one line of a `.pth` file. So it
 * is made in a moment and takes no room, and whatever is installed goes into it and changes nothing for anybody else.
 * Programs of Python packages (`ray`, `jupyter`) name their interpreter in their first line. Each is written again with
 * the environment's, because by its own it would not see what was installed here.
 */
export const MAKE_PYTHON_SOURCE = `\
import json
import os
import re
import site
import sys
import sysconfig
import venv

folder, name = sys.argv[1:]
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
# A program for both: to Python everything up to the third line's quotes is a text.
own = os.path.join(programs, "python").replace("'", "'\\\\''")
START = b"#!/bin/sh\\n'''exec' '%s' \\"$0\\" \\"$@\\"\\n' '''\\n" % os.fsencode(own)


def write(name, text):
    path = os.path.join(programs, name)
    if not os.path.lexists(path):
        with open(path, "wb") as file:
            file.write(text)
        os.chmod(path, 0o755)


def rest_of(path):
    """What follows the interpreter's name in a program of a Python package; None for every other file."""
    try:
        with open(path, "rb") as file:
            text = file.read(8192)
            first = FIRST.match(text)
            return text[first.end():] + file.read() if first and b"__main__" in text else None
    except OSError:
        return None


if windows:
    write("pip.cmd", b'@"%~dp0python.exe" -m pip %*\\r\\n')
else:
    scripts = sysconfig.get_path("scripts")
    for name in os.listdir(scripts) if os.path.isdir(scripts) else []:
        rest = rest_of(os.path.join(scripts, name))
        if rest is not None:
            write(name, START + rest)
    write("pip", START + b"import runpy\\nrunpy.run_module('pip', run_name='__main__', alter_sys=True)\\n")

print(json.dumps({"jupyterPath": os.path.join(sys.prefix, "share", "jupyter")}))
`;
