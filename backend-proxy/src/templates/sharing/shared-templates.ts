/**
 * Templates from elsewhere. A look reads what lies at a source into a folder of its own and says what it is; only a person's
 * yes puts it among the templates, as it was seen, under its digest. What was agreed to stands in `templates.lock`.
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cutText, HitchError } from '@hitch/contract';
import { templateChanges } from '@hitch/contract/src/templates/changes.ts';
import { gitSourceText, looksLikeGit, readGitSource } from '@hitch/contract/src/templates/git-source.ts';
import { templateProblemLine, type TemplateProblem } from '@hitch/contract/src/templates/problem.ts';
import type { SharedTemplate, TemplateInfo, TemplateLook } from '@hitch/contract/src/templates/wire.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { localPath } from '../../copies/local-paths.ts';
import type { CheckedFolder } from '../check-folder.ts';
import { type FolderFile, listFolder, SIGNATURE_FILE } from '../folder.ts';
import type { TeamPolicies } from '../team-policy.ts';
import { checkAllowed, fromOf, signatureIn } from './allowed.ts';
import { readGitFolder } from './git-folder.ts';
import { type Pin, Pins } from './pins.ts';
import { checkNotMoved, place } from './published.ts';
import { verify } from './signature.ts';

export interface SharedParts {
  /** Each template in a folder that its digest names. */
  readonly folder: string;
  readonly lockFile: string;
  /** Whose signature counts. */
  readonly signers: string;
  readonly policies: Pick<TeamPolicies, 'read'>;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly check: (folder: string) => Promise<CheckedFolder>;
  /** The daemon ends. */
  readonly ending: AbortSignal;
}

export type LookRequest =
  { readonly source: string } | { readonly template: string; readonly ref?: string | undefined };

/** What was read, before anything is judged. */
interface Incoming {
  readonly source: string;
  readonly kind: Pin['kind'];
  readonly commit: string | null;
  readonly files: readonly {
    readonly path: string;
    readonly content: Uint8Array;
    readonly executable: boolean;
  }[];
}

interface Looked {
  readonly pin: Pin;
  readonly folder: string;
  readonly atMs: number;
}

/** All of a look but its form and its words, which the list of templates makes. */
export type LookedAt = Omit<TemplateLook, 'details'> & { readonly folder: string };

/** Each holds a folder on the disk. */
const MOST_LOOKS = 8;
export const LOOK_VALID_MS = 10 * 60_000;
const MOST_SAID = 5;

export class SharedTemplates {
  readonly #parts: SharedParts;
  readonly #pins: Pins;
  readonly #looks = new Map<string, Looked>();
  #isClean = false;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(parts: SharedParts) {
    this.#parts = parts;
    this.#pins = new Pins(parts.lockFile);
  }

  /** By folder, for the list. */
  async all(): Promise<ReadonlyMap<string, { readonly name: string; readonly shared: SharedTemplate }>> {
    const { templates } = await this.#pins.read();
    return new Map(
      templates.map(pin => [this.#placeOf(pin.digest), { name: pin.name, shared: sharedOf(pin) }]),
    );
  }

  /** @throws HitchError with what is wrong with the source, its files, its signature, or by which policy it is refused. */
  async look(asked: LookRequest): Promise<LookedAt> {
    await this.#clean();
    const { templates, seen } = await this.#pins.read();
    const source =
      'source' in asked ? asked.source : sourceOf(this.#pinOf(templates, asked.template), asked.ref);
    const incoming = await this.#read(source);
    const id = this.#parts.newId();
    const folder = join(this.#parts.folder, '.looks', id);
    try {
      await layOut(folder, incoming.files);
      const { pin, checked, unknownKey } = await this.#judge(incoming, folder);
      const before = templates.find(({ name }) => name === pin.name) ?? null;
      if (before !== null && place(before.source) !== place(pin.source)) {
        throw new HitchError(
          'NAME_TAKEN',
          `There is a template ${pin.name} already, from ${before.source}.`,
          { next: `Remove that one first: hitch template remove ${pin.name}.` },
        );
      }
      checkNotMoved(pin, before, seen);
      this.#keepLook(id, { pin, folder, atMs: this.#parts.clock.now() });
      return {
        id,
        folder,
        shared: sharedOf(pin),
        unknownKey,
        before: before === null ? null : { version: before.version, shared: sharedOf(before) },
        changes: before === null ? [] : await this.#changes(before, checked),
      };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** @returns the folder in which it lies now. @throws HitchError NOT_FOUND where the look is over. */
  take(id: string): Promise<string> {
    return this.#alone(async () => {
      const look = this.#looks.get(id);
      if (look === undefined || this.#parts.clock.now() - look.atMs > LOOK_VALID_MS) {
        throw new HitchError(
          'NOT_FOUND',
          'That look at a template is over; its source may be another by now.',
          {
            next: 'Look at it again.',
          },
        );
      }
      const { pin } = look;
      const { templates, seen } = await this.#pins.read();
      const before = templates.find(({ name }) => name === pin.name);
      const to = this.#placeOf(pin.digest);
      if ((await stat(to).catch(() => null)) === null) {
        await rename(look.folder, to);
      } else {
        await rm(look.folder, { recursive: true, force: true });
      }
      this.#looks.delete(id);
      const addedAtMs = this.#parts.clock.now();
      const others = templates.filter(({ name }) => name !== pin.name);
      const where = place(pin.source);
      const isSeen = seen.some(each => each.place === where && each.version === pin.version);
      this.#pins.write({
        templates: [...others, { ...pin, addedAtMs }].sort((one, other) => (one.name < other.name ? -1 : 1)),
        seen:
          isSeen || pin.kind === 'folder'
            ? seen
            : [...seen, { place: where, version: pin.version, digest: pin.digest, atMs: addedAtMs }],
      });
      if (before !== undefined && before.digest !== pin.digest) {
        await this.#drop(before.digest, others);
      }
      return to;
    });
  }

  /** @throws HitchError NOT_FOUND with the names that there are. */
  remove(name: string): Promise<void> {
    return this.#alone(async () => {
      const { templates, seen } = await this.#pins.read();
      const pin = this.#pinOf(templates, name);
      const others = templates.filter(each => each !== pin);
      this.#pins.write({ templates: others, seen: seen.filter(each => each.place !== place(pin.source)) });
      await this.#drop(pin.digest, others);
    });
  }

  /** Before it is used: that it is what was agreed to, and that the team allows it. @throws HitchError CONFLICT, BAD_INPUT */
  async checkUse(info: TemplateInfo, { template, check: { digest } }: CheckedFolder): Promise<void> {
    const { shared, folder, id, source } = info;
    if (shared !== undefined && digest !== shared.digest) {
      throw new HitchError(
        'CONFLICT',
        `The files of ${id} in ${folder} are not those that were agreed to (${shared.digest}).`,
        { field: 'template', next: `Add it again: hitch template remove ${id}, then hitch template add.` },
      );
    }
    if (template !== null && digest !== null) {
      await checkAllowed(
        await this.#parts.policies.read(),
        {
          called: `The template ${id}`,
          from: fromOf(source, shared?.source),
          template,
          digest,
          signature: await signatureIn(folder),
        },
        this.#parts.ending,
      );
    }
  }

  async #read(text: string): Promise<Incoming> {
    if (!looksLikeGit(text)) {
      return fromFolder(await localPath(text, null));
    }
    const read = readGitSource(text);
    if (!read.ok) {
      throw new HitchError('BAD_INPUT', read.sentence, { field: 'source' });
    }
    const { environment, clock, ending: signal } = this.#parts;
    const source = gitSourceText(read.source);
    const { files, problems, ...rest } = await readGitFolder(read.source, { environment, clock, signal });
    refuse(source, problems);
    return { source, files, ...rest };
  }

  async #judge(
    { source, kind, commit }: Incoming,
    folder: string,
  ): Promise<{ readonly pin: Pin; readonly checked: CheckedFolder; readonly unknownKey: string | null }> {
    const { signers, policies, clock, ending } = this.#parts;
    const checked = await this.#parts.check(folder);
    const { template, check } = checked;
    refuse(source, check.problems);
    if (template === null || check.digest === null) {
      throw new HitchError('BAD_INPUT', `${source} is no template.`, { field: 'source' });
    }
    const { digest } = check;
    const signature = await signatureIn(folder);
    const all = await policies.read();
    await checkAllowed(
      all,
      { called: source, from: fromOf('user', source), template, digest, signature },
      ending,
    );
    const verdict = await verify(
      digest,
      signature,
      {
        signers: [signers, ...all.flatMap(policy => policy.signers ?? [])],
        revoked: all.find(({ revoked }) => revoked !== null)?.revoked ?? null,
      },
      ending,
    );
    if (verdict.kind === 'refused') {
      throw new HitchError('BAD_INPUT', `${source} is refused. ${verdict.sentence}`, {
        field: 'source',
        next: 'Ask its author; nothing of it is used.',
      });
    }
    return {
      pin: {
        name: template.name,
        source,
        version: template.version,
        commit,
        kind,
        digest,
        signedBy: verdict.kind === 'signed' ? verdict.by : null,
        addedAtMs: clock.now(),
      },
      checked,
      unknownKey: verdict.kind === 'unknown' ? verdict.key : null,
    };
  }

  async #changes(before: Pin, after: CheckedFolder): Promise<TemplateLook['changes']> {
    if (before.digest === after.check.digest) {
      return [];
    }
    const was = await this.#parts.check(this.#placeOf(before.digest)).catch(() => null);
    return was === null || was.template === null || after.template === null
      ? []
      : [
          ...templateChanges(
            { template: was.template, locks: was.locks, files: was.hashes },
            { template: after.template, locks: after.locks, files: after.hashes },
          ),
        ];
  }

  #keepLook(id: string, look: Looked): void {
    this.#looks.set(id, look);
    for (const [old, { folder }] of [...this.#looks].slice(0, Math.max(0, this.#looks.size - MOST_LOOKS))) {
      this.#looks.delete(old);
      void rm(folder, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** By its name, or by its folder where another template has that name too. */
  #pinOf(templates: readonly Pin[], named: string): Pin {
    const found = templates.find(({ name, digest }) => name === named || this.#placeOf(digest) === named);
    if (found === undefined) {
      const names = templates.map(({ name }) => name).join(', ');
      throw new HitchError('NOT_FOUND', `No template “${cutText(named, 80)}” was added from elsewhere.`, {
        field: 'template',
        next: names === '' ? 'None was.' : `There are: ${cutText(names, 400)}.`,
      });
    }
    return found;
  }

  #placeOf(digest: string): string {
    return join(this.#parts.folder, digest.replace('sha256:', ''));
  }

  async #drop(digest: string, others: readonly Pin[]): Promise<void> {
    if (!others.some(each => each.digest === digest)) {
      await rm(this.#placeOf(digest), { recursive: true, force: true });
    }
  }

  /** What an earlier daemon looked at. */
  async #clean(): Promise<void> {
    if (!this.#isClean) {
      this.#isClean = true;
      await rm(join(this.#parts.folder, '.looks'), { recursive: true, force: true });
    }
  }

  /** The file is read and written by one at a time. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#writing.then(work);
    this.#writing = mine.catch(() => undefined);
    return mine;
  }
}

const sharedOf = ({ source, kind, commit, digest, signedBy, addedAtMs }: Pin): SharedTemplate => ({
  source,
  kind,
  commit,
  digest,
  signedBy,
  addedAtMs,
});

/** Where one that is there came from, with another tag, branch or commit where one is named. */
function sourceOf({ source, name }: Pin, ref: string | undefined): string {
  if (ref === undefined) {
    return source;
  }
  const read = readGitSource(source);
  if (!read.ok) {
    throw new HitchError('BAD_INPUT', `${name} comes from a folder, which has no tags and branches.`, {
      field: 'ref',
    });
  }
  return gitSourceText({ ...read.source, ref });
}

/** @throws HitchError BAD_INPUT with the first few; how many more there are is said. */
function refuse(source: string, problems: readonly TemplateProblem[]): void {
  if (problems.length > 0) {
    const more = problems.length - MOST_SAID;
    const lines = problems.slice(0, MOST_SAID).map(templateProblemLine);
    throw new HitchError(
      'BAD_INPUT',
      `${source} is no template that can be used: ${lines.join('; ')}${more > 0 ? `; and ${more.toString()} more` : ''}`,
      { field: 'source', next: 'Nothing of it was written. Tell its author.' },
    );
  }
}

async function fromFolder(root: string): Promise<Incoming> {
  const { files, problems } = await listFolder(root);
  refuse(root, problems);
  const signature = await signatureIn(root);
  const read = async ({ path, executable }: FolderFile) => ({
    path,
    executable,
    content: await readFile(join(root, path)),
  });
  return {
    source: root,
    kind: 'folder',
    commit: null,
    files: [
      ...(await Promise.all(files.map(read))),
      ...(signature === null ? [] : [{ path: SIGNATURE_FILE, content: signature, executable: false }]),
    ],
  };
}

async function layOut(folder: string, files: Incoming['files']): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const { path, content, executable } of files) {
    const to = join(folder, path);
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, content, { flag: 'wx', mode: executable ? 0o755 : 0o644 });
  }
}
