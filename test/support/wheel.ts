/** A Python package with one module and one program, made here: no index is asked for it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MAKE = `
import sys, zipfile
path, name = sys.argv[1:]
info = name + "-1.0.dist-info/"
files = {
    name + ".py": "def say():\\n    print('" + name + "-works')\\n",
    info + "METADATA": "Metadata-Version: 2.1\\nName: " + name + "\\nVersion: 1.0\\n",
    info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    info + "entry_points.txt": "[console_scripts]\\n" + name + " = " + name + ":say\\n",
}
with zipfile.ZipFile(path, "w") as wheel:
    for file, text in files.items():
        wheel.writestr(file, text)
    wheel.writestr(info + "RECORD", "".join(file + ",,\\n" for file in [*files, info + "RECORD"]))
`;

/** @returns the file; importing it and `name.say()`, or running the program `name`, prints `name-works`. */
export async function makeWheel(python: string, folder: string, name: string): Promise<string> {
  const file = join(folder, `${name}-1.0-py3-none-any.whl`);
  await promisify(execFile)(python, ['-c', MAKE, file, name]);
  return file;
}
