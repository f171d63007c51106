"""
Fetches wheels for another machine with the pip of this Python, from wherever that is set to: only such as fit there, each
by its pinned hash. Or takes one program out of a wheel, or fetches one file by its hash.
"""
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
import zipfile


def requirements_for(text, version):
    """The pins that such a machine needs, without the conditions, which pip would ask of this computer."""
    from pip._vendor.packaging.markers import Marker

    there = {
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "python_version": ".".join(version.split(".")[:2]),
        "python_full_version": version,
    }
    for entry in re.split(r"\n(?=\S)", text):
        head, _, hashes = entry.partition(" \\\n")
        pin, _, condition = head.partition(" ; ")
        if re.match(r"[A-Za-z]", pin) and (not condition or Marker(condition).evaluate(there)):
            yield pin + " \\\n" + hashes + "\n"


def fetch(pins, folder, version, *platforms):
    with open(pins, encoding="utf-8") as file:
        wanted = list(requirements_for(file.read(), version))
    with tempfile.TemporaryDirectory() as scratch:
        listed = os.path.join(scratch, "requirements.txt")
        with open(listed, "w", encoding="utf-8") as file:
            file.writelines(wanted)
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
        command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--progress-bar=off"]
        command += ["--implementation", "cp", "--python-version", version, "--dest", folder, "--requirement", listed]
        for platform in platforms:
            command += ["--platform", platform]
        return subprocess.call(command)


def unpack(wheel, member, target):
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "wb") as file:
        for piece in iter(lambda: source.read(1 << 20), b""):
            file.write(piece)
    return 0


def download(url, sha256, target):
    found = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=60) as source, open(target, "wb") as file:
        for piece in iter(lambda: source.read(1 << 20), b""):
            found.update(piece)
            file.write(piece)
    if found.hexdigest() != sha256:
        os.remove(target)
        print("error: %s is not the file that was pinned" % url, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    sys.exit({"fetch": fetch, "unpack": unpack, "download": download}[what](*arguments))
