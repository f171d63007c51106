/**
 * Reads a file of requirements as pip and uv do (https://pip.pypa.io/en/stable/reference/requirements-file-format/), with the line
 * of each. Pure: what is wrong is answered, all of it.
 */

export interface RequirementLine {
  /** The first is 1. */
  readonly line: number;
  /** Without comment and hashes, on one line. */
  readonly text: string;
  /** As the index spells it: lower case, single hyphens. */
  readonly name: string;
  readonly extras: readonly string[];
  /** The exact version; null: it has none. */
  readonly version: string | null;
  /** Such as `sys_platform == 'win32'`; '' for everywhere. */
  readonly marker: string;
  readonly hashes: readonly string[];
}

export interface Mistake {
  /** Null: of the file as a whole. */
  readonly line: number | null;
  readonly message: string;
}

export interface Requirements {
  readonly lines: readonly RequirementLine[];
  /** Lines such as `--extra-index-url https://…` that belong into the lock too. */
  readonly options: readonly string[];
  readonly mistakes: readonly Mistake[];
}

/** Options that say where packages come from; each takes an address. */
const INDEX_OPTIONS = ['--index-url', '--extra-index-url', '--find-links', '-i', '-f'];
/** Options that change nothing of what a lock is. */
const NO_MATTER = ['--prefer-binary', '--only-binary', '--require-hashes', '--pre', '--trusted-host'];

export const canonicalName = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, '-');

export interface Entry {
  readonly line: number;
  readonly text: string;
}

export const readRequirements = (text: string): Requirements => readEntries(logicalLines(text));

/** Requirements that stand in a file of another kind, each with its line there. */
export function readEntries(entries: readonly Entry[]): Requirements {
  const lines: RequirementLine[] = [];
  const options: string[] = [];
  const mistakes: Mistake[] = [];
  for (const { line, text: whole } of entries) {
    const option = /^(-{1,2}[a-zA-Z][\w-]*)(?:[ =]+(.*))?$/.exec(whole);
    if (option !== null) {
      const [, name = '', value = ''] = option;
      const message = optionMistake(name, value);
      if (message !== null) {
        mistakes.push({ line, message });
      } else if (INDEX_OPTIONS.includes(name)) {
        options.push(`${name} ${value.trim()}`);
      }
      continue;
    }
    const read = readLine(line, whole);
    if ('message' in read) {
      mistakes.push(read);
    } else {
      lines.push(read);
    }
  }
  return { lines, options, mistakes };
}

/** Lines with their continuations joined and comments taken out. */
function logicalLines(text: string): readonly Entry[] {
  const found: { line: number; text: string }[] = [];
  let open: { line: number; text: string } | null = null;
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = raw.replace(/(^|\s)#.*$/, '').trim();
    const goesOn = line.endsWith('\\');
    const part = (goesOn ? line.slice(0, -1) : line).trim();
    if (open === null) {
      open = { line: index + 1, text: part };
    } else {
      open.text = `${open.text} ${part}`.trim();
    }
    if (!goesOn) {
      found.push(open);
      open = null;
    }
  }
  return [...found, ...(open === null ? [] : [open])].filter(each => each.text !== '');
}

function optionMistake(name: string, value: string): string | null {
  if (INDEX_OPTIONS.includes(name)) {
    return addressMistake(name, value.trim());
  }
  if (NO_MATTER.includes(name)) {
    return null;
  }
  switch (name) {
    case '-r':
    case '--requirement':
    case '-c':
    case '--constraint':
      return `“${name} ${value}” names another file, which is not read: write its lines here.`;
    case '-e':
    case '--editable':
      return `“${name} ${value}” is a folder of your own: it is not on the machine. Send it there and add it with pip install -e.`;
    default:
      return `“${name}” is not read in an environment: take the line out.`;
  }
}

/** What is fetched from there is fetched by machines of strangers too. */
function addressMistake(name: string, value: string): string | null {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    return `“${name} ${value}” is no address of a package index (https://…).`;
  }
  return new URL(value).username === ''
    ? null
    : `“${name}” has a password in its address, which would go to the rented machine: use an index that needs none.`;
}

const REQUIREMENT = /^([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*([^;@]*?)\s*(?:;\s*(.*))?$/;
const EXACT = /^\(?={2,3}\s*([^\s,*()]+)\)?$/;
const VERSIONS = /^\(?\s*(?:(?:~=|={2,3}|!=|<=|>=|<|>)\s*[^\s,]+\s*(?:,\s*|$))*\)?$/;

function readLine(line: number, whole: string): RequirementLine | Mistake {
  const hashes = [...whole.matchAll(/--hash[= ](\S+)/g)].map(([, hash = '']) => hash.toLowerCase());
  const text = whole.replace(/\s*--hash[= ]\S+/g, '').trim();
  if (/@|:\/\//.test(text.split(';')[0] ?? '')) {
    return {
      line,
      message: `“${text}” comes from an address and not from a package index: publish it, or send it to the cluster and install it there.`,
    };
  }
  if (/^[./~]|[\\/]/.test(text)) {
    return { line, message: `“${text}” is a file of your own, which is not on the machine: name a package.` };
  }
  const [, name, extras = '', versions = '', marker = ''] = REQUIREMENT.exec(text) ?? [];
  if (name === undefined || !VERSIONS.test(versions)) {
    return { line, message: `“${text}” is no requirement; write it as name==1.2.3 or name>=1.2.` };
  }
  return {
    line,
    text,
    name: canonicalName(name),
    extras: extras
      .split(',')
      .map(extra => canonicalName(extra.trim()))
      .filter(extra => extra !== ''),
    version: EXACT.exec(versions)?.[1] ?? null,
    marker: marker.trim(),
    hashes,
  };
}
