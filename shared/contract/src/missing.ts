/** What a failed cell missed, read from its error: a file, or a package. */

export interface CellError {
  readonly ename: string;
  readonly evalue: string;
}

/** The path that a `FileNotFoundError` names, as the cell wrote it; null for every other error. */
export function missingPath({ ename, evalue }: CellError): string | null {
  if (ename !== 'FileNotFoundError') {
    return null;
  }
  // Python writes the path as it would write the string in code.
  const quoted = /No such file or directory: b?(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/.exec(evalue);
  const path = quoted?.[1] ?? quoted?.[2];
  return path === undefined || path === '' ? null : path.replace(/\\(.)/g, '$1');
}

/**
 * The module that a `ModuleNotFoundError` names; null for every other error, and where a package is there and only a part of
 * it is not: another package of that name would not bring it.
 */
export function missingModule({ ename, evalue }: CellError): string | null {
  const [, name] =
    ename === 'ModuleNotFoundError' ? (/^No module named '([A-Za-z_]\w*)'$/.exec(evalue) ?? []) : [];
  return name ?? null;
}

/** Where a module of the person's own would lie, beside the notebook. */
export const modulePaths = (module: string): readonly string[] => [`${module}.py`, module];

/** Modules whose packages on PyPI have another name. */
const PACKAGES: ReadonlyMap<string, string> = new Map([
  ['attr', 'attrs'],
  ['Bio', 'biopython'],
  ['bs4', 'beautifulsoup4'],
  ['Crypto', 'pycryptodome'],
  // The other one needs a display's libraries, which rented machines lack.
  ['cv2', 'opencv-python-headless'],
  ['dateutil', 'python-dateutil'],
  ['docx', 'python-docx'],
  ['dotenv', 'python-dotenv'],
  ['faiss', 'faiss-cpu'],
  ['fitz', 'pymupdf'],
  ['git', 'gitpython'],
  ['hydra', 'hydra-core'],
  ['imblearn', 'imbalanced-learn'],
  ['jwt', 'pyjwt'],
  ['magic', 'python-magic'],
  ['mpl_toolkits', 'matplotlib'],
  ['MySQLdb', 'mysqlclient'],
  ['open_clip', 'open-clip-torch'],
  ['OpenSSL', 'pyopenssl'],
  ['ot', 'pot'],
  ['PIL', 'pillow'],
  ['pkg_resources', 'setuptools'],
  ['pptx', 'python-pptx'],
  ['psycopg2', 'psycopg2-binary'],
  ['ruamel', 'ruamel.yaml'],
  ['serial', 'pyserial'],
  ['skimage', 'scikit-image'],
  ['sklearn', 'scikit-learn'],
  ['slugify', 'python-slugify'],
  ['umap', 'umap-learn'],
  ['usb', 'pyusb'],
  ['websocket', 'websocket-client'],
  ['yaml', 'pyyaml'],
  ['zmq', 'pyzmq'],
]);

/** What people call files of their own; and NVIDIA's apex and OpenAI's CLIP, whose names on PyPI are other people's. */
const NO_PACKAGES: ReadonlySet<string> = new Set([
  'apex',
  'clip',
  'common',
  'config',
  'data',
  'dataset',
  'helpers',
  'lib',
  'model',
  'models',
  'src',
  'test',
  'tests',
  'train',
  'utils',
]);

/** The package that most likely brings a module; null: a guess would do harm. A person looks at it before it is installed. */
export const packageOf = (module: string): string | null =>
  NO_PACKAGES.has(module) ? null : (PACKAGES.get(module) ?? module.replaceAll('_', '-'));

/** PEP 508's name, extras and versions: no option of pip, no path and no address. */
const REQUIREMENT =
  /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9,._-]+\])?(?: *(?:[<>=!~]=?|===) *[A-Za-z0-9.*+!_-]+(?: *, *(?:[<>=!~]=?|===) *[A-Za-z0-9.*+!_-]+)*)?$/;

/** What is to be installed, as a person typed it; null: it is no package's name, with or without versions. */
export function readRequirement(text: string): string | null {
  const plain = text.trim();
  return plain.length <= 200 && REQUIREMENT.test(plain) ? plain.replaceAll(' ', '') : null;
}

export const NO_REQUIREMENT = 'Enter a package of PyPI, such as einops or einops>=0.8.';

/** For the question before a package of this name is installed, a sentence each. */
export const installQuestion = (module: string, cluster: string, nodes: number): readonly string[] => [
  `The package on PyPI that brings the module “${module}”.`,
  'Anybody may publish there under a name that looks like another: check it.',
  nodes === 1
    ? `It is installed on ${cluster}, and again at its next start; kernels go on.`
    : `It is installed on all ${nodes.toString()} machines of ${cluster}, and again at its next start; kernels go on.`,
];
