/** What runs: commands, scripts, what is replaced in them, and what they leave behind. */
import type { Findings, FolderFiles } from './findings.ts';
import { didYouMean, entriesAt, listAt, numberAt, textAt, valueAt, type Path } from './values.ts';
import { TOKENS } from './tokens.ts';

const PLACEHOLDER = /\$\{\{\s*([^}]*?)\s*\}\}/g;
/** Environment variables whose names say that they are secret. */
const SECRET_VARIABLE = /\$\{?([A-Z][A-Z0-9_]*_?(?:TOKEN|KEY|SECRET|PASSWORD))\b/g;

export function sayCommands(findings: Findings, files: FolderFiles): void {
  for (const what of ['prepare', 'run']) {
    if (findings.has([what]) && findings.isSound([what])) {
      sayCommand(findings, what, files);
    }
  }
  if (!findings.has(['run']) && !findings.has(['notebook']) && findings.isSound(['run'])) {
    findings.rule([['notebook']], [], 'Nothing would run: add “run” with a command, or a “notebook”.');
  }
}

function sayCommand(findings: Findings, what: string, files: FolderFiles): void {
  const [command, script] = [
    valueAt(findings.data, [what, 'command']),
    valueAt(findings.data, [what, 'script']),
  ];
  const entries = listAt(findings.data, [what, 'command']);
  if (command !== undefined && script !== undefined) {
    findings.rule([], [what], `“${what}” has both “command” and “script”; keep one.`, 'key');
  } else if (command === undefined && script === undefined) {
    findings.rule(
      [
        [what, 'command'],
        [what, 'script'],
      ],
      [what],
      `“${what}” has neither “command” nor “script”; write one.`,
      'key',
    );
  } else if (Array.isArray(command) && (entries.length === 0 || entries[0] === '')) {
    findings.rule([], [what, 'command'], `“${what}.command” is empty; write the program and its arguments.`);
  } else if (typeof script === 'string' && script.trim() === '') {
    findings.rule([], [what, 'script'], `“${what}.script” is empty; write what is to run.`);
  } else if (typeof entries[0] === 'string') {
    sayProgram(findings, what, entries, files);
  }
  for (const [, name = ''] of typeof script === 'string' ? script.matchAll(SECRET_VARIABLE) : []) {
    const secrets = findings.namesIn(['secrets']);
    if (secrets !== null && !secrets.includes(name) && !name.startsWith('HITCH_')) {
      findings.rule(
        [[what, 'script']],
        [what, 'script'],
        `The script uses $${name}, which no machine would have: name it under “secrets”.${didYouMean(name, secrets)}`,
      );
    }
  }
}

const INTERPRETERS = /^(?:python[\d.]*|torchrun|bash|sh|node)$/;
const OPTIONS_WITH_VALUE = /^(?:-m|-c|-W|-X)$/;

/** The file that a program is started with must be in the folder. */
function sayProgram(findings: Findings, what: string, entries: readonly unknown[], files: FolderFiles): void {
  const [program] = entries;
  if (typeof program !== 'string') {
    return;
  }
  if (program.includes('${{')) {
    findings.rule(
      [],
      [what, 'command', 0],
      `“${program.slice(0, 60)}” cannot be the program that runs; write the program’s name, and values after it.`,
    );
    return;
  }
  const at = entries.findIndex(
    (entry, index) => index > 0 && typeof entry === 'string' && !entry.startsWith('-'),
  );
  const file = entries[at];
  if (
    files.names === null ||
    !INTERPRETERS.test(program) ||
    typeof file !== 'string' ||
    !/\.(?:py|sh|mjs|js)$/.test(file) ||
    (typeof entries[at - 1] === 'string' && OPTIONS_WITH_VALUE.test(String(entries[at - 1]))) ||
    file.startsWith('/') ||
    file.includes('${{')
  ) {
    return;
  }
  const folder = textAt(findings.data, [what, 'folder']);
  const place = folder === undefined ? file : `${folder}/${file}`;
  if (!files.names.has(place.replace(/^\.\//, ''))) {
    findings.rule(
      [],
      [what, 'command', at],
      `The file “${place}”, which “${what}.command” starts, is not in the template’s folder.${didYouMean(place, [...files.names])}`,
    );
  }
}

/** Each text of the file: tokens that do not belong there, and what is replaced where nothing is. */
export function sayTexts(findings: Findings): void {
  for (const { value, place, keys } of findings.texts) {
    for (const [pattern, what] of TOKENS) {
      if (pattern.test(value)) {
        findings.sayAt(
          place,
          `This looks like ${what}. A template holds no secret: name it under “secrets” and store its value with hitch secrets set NAME.`,
        );
      }
    }
    const isCommand = keys.length === 2 && (keys[0] === 'run' || keys[0] === 'prepare');
    for (const [all, inner = ''] of value.matchAll(PLACEHOLDER)) {
      const shown = `“${all.slice(0, 80)}”`;
      if (isCommand && keys[1] === 'script') {
        const name = inner
          .replace(/^params\./, '')
          .replaceAll(/[^A-Za-z0-9_]/g, '_')
          .toUpperCase();
        findings.sayAt(
          place,
          `${shown} cannot stand in a script, where its value could be read as a command. Use "$HITCH_PARAM_${name}".`,
        );
      } else if (!isCommand || keys[1] !== 'command') {
        findings.sayAt(place, `${shown} is replaced only in the arguments of “command”.`);
      } else {
        const problem = placeholderProblem(findings, inner, shown);
        if (problem !== null) {
          findings.sayAt(place, problem);
        }
      }
    }
  }
}

function placeholderProblem(findings: Findings, inner: string, shown: string): string | null {
  const [, group, name = ''] = /^(params|outputs|checkpoints|secrets)\.([A-Za-z0-9_-]+)$/.exec(inner) ?? [];
  switch (group) {
    case 'params':
      return notAmong(findings, ['parameters'], name, 'parameter');
    case 'outputs':
      return notAmong(findings, ['outputs'], name, 'output');
    case 'checkpoints':
      return name !== 'folder'
        ? `${shown} is not understood. Write \${{ checkpoints.folder }}.`
        : findings.has(['checkpoints']) || !findings.isSound(['checkpoints'])
          ? null
          : `${shown} stands for nothing: the template names no “checkpoints”.`;
    case 'secrets':
      return `${shown} would show the secret to every program on the machine. Read $${name.toUpperCase()} in the code; it is in the job’s environment.`;
    default:
      return `${shown} is not understood. Write \${{ params.NAME }}.`;
  }
}

function notAmong(findings: Findings, group: Path, name: string, noun: string): string | null {
  const names = findings.namesIn(group);
  return names === null || names.includes(name)
    ? null
    : `There is no ${noun} “${name}”.${didYouMean(name, names, ` There are: ${names.join(', ') || 'none'}.`)}`;
}

/** What is kept: checkpoints, outputs, and how it goes on after a machine is lost. */
export function sayKept(findings: Findings): void {
  const folder = textAt(findings.data, ['checkpoints', 'folder']);
  if (folder !== undefined && /^\.?\/*$/.test(folder)) {
    findings.rule(
      [],
      ['checkpoints', 'folder'],
      `“checkpoints.folder” is all of the work folder (“${folder}”), the code too; name one inside it, such as out.`,
    );
  }
  const places = new Map<string, string>();
  for (const [name] of entriesAt(findings.data, ['outputs'])) {
    const path = textAt(findings.data, ['outputs', name, 'path']);
    const other = path === undefined ? undefined : places.get(path);
    if (path !== undefined && other !== undefined) {
      findings.rule(
        [],
        ['outputs', name, 'path'],
        `The outputs “${other}” and “${name}” are both at “${path}”; give each a place of its own.`,
      );
    } else if (path !== undefined) {
      places.set(path, name);
    }
  }
  const lost = numberAt(findings.data, ['retry', 'lost']);
  const maySpot = listAt(findings.data, ['resources']).some((_, index) =>
    ['allowed', 'only'].includes(textAt(findings.data, ['resources', index, 'spot']) ?? 'never'),
  );
  if (lost !== undefined && lost > 0 && maySpot && !findings.has(['checkpoints'])) {
    findings.rule(
      [['checkpoints'], ['resources']],
      ['retry'],
      'It is to go on after a machine is lost, but names no checkpoints: it would begin anew each time. Add “checkpoints”, or set retry.lost to 0.',
    );
  }
  listAt(findings.data, ['retry', 'exitCodes']).forEach((code, index) => {
    if (code === 0) {
      findings.rule(
        [],
        ['retry', 'exitCodes', index],
        'Exit code 0 says that all went well; it cannot be a reason to try again.',
      );
    }
  });
  for (const [name] of entriesAt(findings.data, ['metrics'])) {
    sayMetric(findings, name);
  }
}

function sayMetric(findings: Findings, name: string): void {
  const path = ['metrics', name, 'line'];
  const pattern = textAt(findings.data, path);
  if (pattern === undefined) {
    return;
  }
  try {
    new RegExp(pattern, 'u');
  } catch {
    findings.rule([], path, `The pattern of the metric “${name}” is no regular expression.`);
    return;
  }
  if (!pattern.includes('(?<value>')) {
    findings.rule(
      [],
      path,
      `The pattern of the metric “${name}” does not say where its figure stands: write (?<value>…).`,
    );
  }
}
