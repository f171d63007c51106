/**
 * Tries a template on this computer: its test preset in a copy of its folder, with its lock. One with checkpoints is ended
 * in the middle, as a machine that is taken away ends it, and has to go on from where it was.
 */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, sep } from 'node:path';
import { HitchError, templateProblemLine } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { formProblem, formValues, templateForm } from '@hitch/contract/src/templates/form.ts';
import { parameterVariables, renderCommand } from '@hitch/contract/src/templates/render.ts';
import { timeMs, type Template } from '@hitch/contract/src/templates/schema.ts';
import { checkFolder } from './check-folder.ts';
import type { FolderFile } from './folder.ts';
import { oneRun, type RunEnd } from './one-run.ts';
import { wholeness } from './whole-checkpoint.ts';

export interface Trial {
  readonly ok: boolean;
  readonly template: string;
  readonly preset: string;
  readonly seconds: number;
  /** Null: it printed no loss, or one alone. */
  readonly lossFell: boolean | null;
  readonly firstLoss: number | null;
  readonly lastLoss: number | null;
  /** The step that it went on from after it was ended; null: it names no checkpoints. */
  readonly resumedFromStep: number | null;
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[];
  /** What the test does not show, a sentence each. */
  readonly notes: readonly string[];
  /** The end of what it printed, where something is wrong. */
  readonly tail: readonly string[];
}

export interface TrialTools {
  readonly hitch: string;
  readonly clock: Clock;
  readonly environment: NodeJS.ProcessEnv;
  /** The interpreter for a Python and a lock; without a lock Hitch's own. */
  readonly python: (wish: { readonly python: string; readonly lock: string } | null) => Promise<string>;
  readonly onLine: (line: string) => void;
  /** Ends it with all that it started, and removes its copy of the folder. */
  readonly signal: AbortSignal;
}

/** @throws HitchError BAD_INPUT for a template that has mistakes or no test. */
export async function tryHere(folder: string, tools: TrialTools): Promise<Trial> {
  const { template, check, listed } = await checkFolder(folder, { hitch: tools.hitch, offers: () => [] });
  const [first] = check.problems;
  if (template === null) {
    throw new HitchError(
      'BAD_INPUT',
      first === undefined ? 'It cannot be read.' : templateProblemLine(first),
      {
        next: 'Look at all of it with hitch template check.',
      },
    );
  }
  if (template.test === undefined || template.run === undefined) {
    throw new HitchError('BAD_INPUT', `The template ${template.name} names no test.`, {
      next: 'Add test: {preset: smoke, within: 5m} and a preset of that name.',
    });
  }
  const lock = template.environment?.locks.cpu;
  if (template.environment !== undefined && lock === undefined) {
    throw new HitchError(
      'BAD_INPUT',
      `The template ${template.name} has no lock for cpu to be tried with here.`,
      {
        next: 'Add one under environment.locks and run hitch template lock.',
      },
    );
  }
  const python = await tools.python(
    template.environment === undefined || lock === undefined
      ? null
      : { python: template.environment.python, lock: await readFile(join(folder, lock), 'utf8') },
  );
  const work = await mkdtemp(join(tmpdir(), 'hitch-template-test-'));
  try {
    await copyFiles(folder, work, listed.files);
    return await inFolder(template, work, python, tools);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function copyFiles(from: string, to: string, files: readonly FolderFile[]): Promise<void> {
  for (const { path } of files) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await copyFile(join(from, path), join(to, path));
  }
}

async function inFolder(template: Template, work: string, python: string, tools: TrialTools): Promise<Trial> {
  const { test, run, prepare, checkpoints } = template;
  if (test === undefined || run === undefined) {
    throw new RangeError('a template without a test');
  }
  const form = templateForm(template, { preset: test.preset });
  const wrong = formProblem(form);
  if (wrong !== null) {
    throw new HitchError('BAD_INPUT', wrong, { field: 'test.preset' });
  }
  const values = formValues(form);
  const file = join(work, '.hitch-params.json');
  await writeFile(file, JSON.stringify(values));
  const { clock } = tools;
  const from = clock.monotonic();
  const left = (): number => Math.max(1, (timeMs(test.within) ?? 0) - (clock.monotonic() - from));
  const start = (what: typeof run, endsHere?: () => boolean): Promise<RunEnd> => {
    const rendered = renderCommand(template, what, values);
    return oneRun({
      command: rendered.work,
      folder: join(work, rendered.folder),
      environment: jobEnvironment(tools.environment, python, parameterVariables(values)),
      mark: { HITCH_PARAMS_FILE: file },
      withinMs: left(),
      clock,
      signal: tools.signal,
      onLine: tools.onLine,
      ...(endsHere === undefined ? {} : { endsHere }),
    });
  };
  const runs: RunEnd[] = [];
  if (prepare !== undefined) {
    runs.push(await start(prepare));
  }
  let brokenOff: RunEnd | null = null;
  if (runs.every(isGood)) {
    if (checkpoints !== undefined && checkpoints.resume === 'by-itself') {
      const seen = new Watched(join(work, checkpoints.folder), clock);
      brokenOff = await start(run, () => seen.hasWhole());
      seen.close();
    }
    if (brokenOff === null || brokenOff.how === 'ended') {
      runs.push(await start(run));
    } else {
      runs.push(brokenOff);
    }
  }
  return judged(template, { runs, brokenOff, work, seconds: (clock.monotonic() - from) / 1000 });
}

const isGood = ({ how, code }: RunEnd): boolean => how === 'exit' && code === 0;

/** What counts as written where nothing else follows it, and no framework says so. */
const QUIET_MS = 2_000;

/**
 * Whether a whole checkpoint lies in a folder yet: its framework says so, or another one came after it, or it has stood for a
 * while. Asked of the disk in its own time.
 */
class Watched {
  readonly #folder: string;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #since = new Map<string, number>();
  #whole = false;
  #asking = false;
  #closed = false;

  constructor(folder: string, clock: Pick<Clock, 'monotonic'>) {
    this.#folder = folder;
    this.#clock = clock;
  }

  hasWhole(): boolean {
    const nowMs = this.#clock.monotonic();
    if (!this.#asking && !this.#closed) {
      this.#asking = true;
      void this.#look(nowMs).finally(() => (this.#asking = false));
    }
    const moments = new Set(this.#since.values());
    return this.#whole || moments.size > 1 || [...moments].some(atMs => nowMs - atMs >= QUIET_MS);
  }

  async #look(nowMs: number): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    // What a framework keeps beside its checkpoints, such as Ray Train's snapshot, counts with them.
    const all = wholeness(await filesBelow(this.#folder));
    this.#whole = all === 'whole';
    for (const name of all === 'unknown' ? names : []) {
      this.#since.set(name, this.#since.get(name) ?? nowMs);
    }
  }

  close(): void {
    this.#closed = true;
  }
}

/** Those that are there now: a training removes its older checkpoints meanwhile. */
async function filesBelow(folder: string): Promise<readonly { path: string; modifiedAtMs: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
  const found = await Promise.all(
    files.map(async path => ({ path, found: await stat(path).catch(() => null) })),
  );
  return found.flatMap(({ path, found: file }) =>
    file === null ? [] : [{ path: path.split(sep).join('/'), modifiedAtMs: file.mtimeMs }],
  );
}

/** What a job of a cluster has in its environment, as far as this computer can give it. */
function jobEnvironment(
  own: NodeJS.ProcessEnv,
  python: string,
  more: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  const kept = ['HOME', 'LANG', 'LC_ALL', 'TMPDIR', 'USER', 'SYSTEMROOT', 'TEMP', 'TMP', 'USERPROFILE'];
  return {
    ...Object.fromEntries(kept.flatMap(name => (own[name] === undefined ? [] : [[name, own[name]]]))),
    PATH: [dirname(python), own['PATH'] ?? ''].join(delimiter),
    PYTHONUNBUFFERED: '1',
    // Several threads that wait for each other on a busy computer take many times as long as one.
    OMP_NUM_THREADS: '1',
    GLOO_SOCKET_IFNAME: 'lo',
    HF_HUB_OFFLINE: '1',
    RAY_DEDUP_LOGS: '0',
    ...more,
  };
}

interface Tried {
  readonly runs: readonly RunEnd[];
  /** The run that was ended in the middle; null: there was none. */
  readonly brokenOff: RunEnd | null;
  readonly work: string;
  readonly seconds: number;
}

async function judged(template: Template, { runs, brokenOff, work, seconds }: Tried): Promise<Trial> {
  const within = template.test?.within ?? '';
  const problems = runs.flatMap(run => endProblem(run, within) ?? []);
  const good = problems.length === 0;
  const last = runs.at(-1);
  const losses = [...(brokenOff === last ? [] : (brokenOff?.losses ?? [])), ...(last?.losses ?? [])];
  const [firstLoss = null] = losses;
  const lastLoss = losses.at(-1) ?? null;
  const lossFell = losses.length < 2 || firstLoss === null || lastLoss === null ? null : lastLoss < firstLoss;
  if (lossFell === false) {
    problems.push(`The loss did not fall: ${String(firstLoss)} at first, ${String(lastLoss)} at the end.`);
  }
  const reached = brokenOff?.steps.at(-1);
  const begins = last?.steps[0];
  let resumedFromStep: number | null = null;
  const notes: string[] = [];
  if (good && brokenOff !== null && brokenOff.how !== 'ended') {
    notes.push(
      'It was done before it could be ended in the middle, so that it goes on from a checkpoint is not shown. Give the test more steps.',
    );
  } else if (good && brokenOff !== null && begins === undefined) {
    notes.push(
      'When it was ended it had done its last step, so that it goes on from a checkpoint is not shown. Give the test more steps.',
    );
  } else if (good && brokenOff !== null && reached !== undefined && begins !== undefined) {
    const [firstStep = 0] = brokenOff.steps;
    resumedFromStep = begins;
    if (begins <= firstStep) {
      problems.push(
        `After it was ended at step ${reached} it began anew at step ${begins}, instead of going on from its checkpoint.`,
      );
      resumedFromStep = null;
    }
  }
  for (const [name, { path }] of Object.entries(template.outputs)) {
    if (good && (await stat(join(work, path)).catch(() => null)) === null) {
      problems.push(`The output “${name}” is not there: nothing was written to ${path}.`);
    }
  }
  return {
    ok: problems.length === 0,
    template: template.name,
    preset: template.test?.preset ?? '',
    seconds: Math.round(seconds * 10) / 10,
    lossFell,
    firstLoss,
    lastLoss,
    resumedFromStep,
    problems,
    notes,
    tail: problems.length === 0 ? [] : (last?.tail ?? []),
  };
}

function endProblem({ how, code, signal }: RunEnd, within: string): string | null {
  switch (how) {
    case 'missing':
      return 'The program that it starts is not there.';
    case 'late':
      return `It was not done within ${within}, and was ended.`;
    case 'ended':
      return null;
    case 'exit':
      return code === 0
        ? null
        : code === null
          ? `It was ended by ${signal ?? 'a signal'}.`
          : `It ended with exit code ${code}.`;
  }
}
