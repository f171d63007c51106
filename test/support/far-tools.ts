/** Programs that stand for Node, Python and uv of a far machine: they answer at once, wait where a test wants it, and say that they were run. */
import {
  accessSync,
  appendFileSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { NVIDIA_SMI } from '../../backend-proxy/test/machines/far/looks.ts';

/** What a bare system has, and what the programs for far machines use of it. */
const SYSTEM =
  'sh cat dd tr grep sed awk mkdir mv rm rmdir ls df du uname id date getconf ldd nproc sort head tail cut wc touch chmod sleep find ln readlink setsid nohup env tar gzip'.split(
    ' ',
  );

const COMMON = `#!/bin/sh
AT=\${0%/*}
ran() { echo "$1" >>"$AT/../log/ran"; while [ -e "$AT/../log/hold-$1" ]; do sleep 0.1; done; }
`;
const STUBS: Readonly<Record<string, string>> = {
  node: `case $1 in --version) ran node; echo v24.1.0 ;; -p) echo true ;; esac`,
  python3: `case $1:$2 in
    */fetch.py:index | */fetch.py:certificates) ;;
    */fetch.py:*) [ ! -e "$AT/../log/offline" ] || { echo 'https://index.test: no route to host' >&2; exit 3; } ;;
    -c:*'import torch'*) ran torch; cat "$AT/../log/torch" ;; -c:*'has("ray")'*) ran python; cat "$AT/../log/python" ;; -c:*addsitedir*) echo 'the packages of the machine' ;; esac`,
  uv: `case $1 in
    --version) echo 'uv 0.9.9' ;;
    venv)
      for folder; do :; done
      ran venv
      [ ! -e "$AT/../log/no-downloads" ] || case " $* " in *' --managed-python '*) echo 'error: dns error'; exit 2 ;; esac
      mkdir -p "$folder/bin" "$folder/site" && printf '#!/bin/sh\\ncase $2 in *version_info*) echo 3.12.3 ;; *) echo "%s" ;; esac\\n' "$folder/site" >"$folder/bin/python" && chmod 755 "$folder/bin/python" ;;
    pip)
      case " $*" in *' --no-index '*) ;; *) [ ! -e "$AT/../log/offline" ] || { echo 'error: dns error' >&2; exit 2; } ;; esac
      case " $*" in *' -r '*) ran packages ;; *) ran pip ;; esac ;;
  esac`,
};
type Stub = 'node' | 'python' | 'torch' | 'venv' | 'packages' | 'pip';

export class FarTools {
  /** For the PATH of the machine. */
  readonly path: string;
  readonly #log: string;

  /** @param folder a folder that everybody may go through */
  constructor(folder: string) {
    this.path = join(folder, 'bin');
    this.#log = join(folder, 'log');
    mkdirSync(this.path);
    mkdirSync(this.#log);
    writeFileSync(join(this.#log, 'ran'), '');
    // The machine's user is another one, and a umask takes away what a mode at the making gives.
    chmodSync(join(this.#log, 'ran'), 0o666);
    for (const name of SYSTEM) {
      const found = ['/usr/bin', '/bin'].map(place => join(place, name)).find(isProgram);
      if (found !== undefined) {
        symlinkSync(found, join(this.path, name));
      }
    }
    for (const [name, text] of Object.entries(STUBS)) {
      writeFileSync(join(this.path, name), `${COMMON}${text}\n`, { mode: 0o755 });
    }
    this.python('plain 3.12.3');
  }

  /** How the machine's Python answers: `fits 3.12.3`, `old 3.8.18`. */
  python(answer: string): void {
    writeFileSync(join(this.#log, 'python'), `${answer}\n`);
  }

  /** The machine has GPUs, and a torch that answers so: `2.4.0 12.1 yes`. */
  gpus(torch: string): void {
    writeFileSync(join(this.#log, 'torch'), `torch ${torch}\n`);
    writeFileSync(join(this.path, 'nvidia-smi'), `#!/bin/sh\ncat <<'END'\n${NVIDIA_SMI}END\n`, {
      mode: 0o755,
    });
  }

  /** Nothing of the machine reaches a package index. */
  offline(): void {
    writeFileSync(join(this.#log, 'offline'), '');
  }

  /** Takes a program away from the machine. @returns a program that does the same, wherever it is put */
  takeAway(name: 'node' | 'uv'): string {
    const hidden = join(this.path, '..', 'hidden');
    mkdirSync(hidden, { recursive: true });
    renameSync(join(this.path, name), join(hidden, name));
    return `#!/bin/sh\nexec '${join(hidden, name)}' "$@"\n`;
  }

  /** uv can fetch no Python. */
  noDownloads(): void {
    appendFileSync(join(this.#log, 'no-downloads'), '');
  }

  /** A program that the machine does not have. */
  without(name: 'node' | 'uv' | 'python3'): void {
    rmSync(join(this.path, name));
  }

  hold(stub: Stub): void {
    writeFileSync(join(this.#log, `hold-${stub}`), '');
  }

  release(stub: Stub): void {
    rmSync(join(this.#log, `hold-${stub}`), { force: true });
  }

  /** How often it was run. */
  ran(stub: Stub): number {
    return readFileSync(join(this.#log, 'ran'), 'utf8')
      .split('\n')
      .filter(line => line === stub).length;
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return existsSync(path);
  } catch {
    return false;
  }
}
