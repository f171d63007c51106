/**
 * What templates there are, by folder: a row for each, kept in memory and in a file, and read again only where the folder's
 * `hitch.yaml` changed. Reading one takes milliseconds, so that thousands are listed from the rows. The file is worth
 * nothing but the time it saves: trouble with it is logged, and it is made anew from the folders.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { writeFileAtomicAside } from '@hitch/platform/src/atomic-file.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import { checkTemplate } from '@hitch/contract/src/templates/check.ts';
import { TEMPLATE_FILE } from '@hitch/contract/src/templates/schema.ts';
import {
  templateInfoSchema,
  type TemplateInfo,
  type TemplateSource,
} from '@hitch/contract/src/templates/wire.ts';
import { LONGEST_FILE_BYTES } from '@hitch/contract/src/templates/yaml-file.ts';
import * as z from 'zod';
import { machineWords } from './template-words.ts';

const rowSchema = z.object({ stamp: z.string(), name: z.string(), info: templateInfoSchema });
const fileSchema = z.object({ version: z.literal(3), hitch: z.string(), rows: z.array(rowSchema) });
type Row = z.infer<typeof rowSchema>;

/** A folder with templates in it, or one that is a template itself. */
export interface TemplateRoot {
  readonly folder: string;
  readonly source: TemplateSource;
}

/** So many folders are looked at side by side. */
const AT_ONCE = 32;
/** A list answers from what is known after so long; what has changed since is in the next one. */
const ANSWER_AFTER_MS = 50;

export interface IndexParts {
  readonly file: string;
  /** This Hitch's version: rows that another one wrote are read again. */
  readonly hitch: string;
  readonly clock: Clock;
  readonly log: Log;
}

export class TemplateIndex {
  readonly #parts: IndexParts;
  /** By folder. */
  readonly #rows = new Map<string, Row>();
  #loaded: Promise<boolean> | null = null;
  /** The look at each root that is under way. */
  readonly #looking = new Map<string, Promise<void>>();
  readonly #looked = new Set<string>();

  constructor(parts: IndexParts) {
    this.#parts = parts;
  }

  /** Every template below the roots, from memory where their folders have been looked at before. */
  async list(roots: readonly TemplateRoot[]): Promise<readonly TemplateInfo[]> {
    this.#loaded ??= this.#load();
    await this.#loaded;
    const looks = roots.map(root => this.#look(root));
    const known = roots.every(({ folder }) => this.#looked.has(folder));
    await (known ? Promise.race([Promise.all(looks), this.#pause()]) : Promise.all(looks));
    return this.#infos(roots);
  }

  /** One folder's row, read now where it changed; null: it has no `hitch.yaml`. */
  async row(root: TemplateRoot): Promise<TemplateInfo | null> {
    await this.#read(root.folder, root.source);
    return this.#rows.get(root.folder)?.info ?? null;
  }

  /** One folder as it is now, which does not stay. */
  async once(root: TemplateRoot): Promise<TemplateInfo | null> {
    const info = await this.row(root);
    this.#rows.delete(root.folder);
    return info;
  }

  async #pause(): Promise<void> {
    await this.#parts.clock.sleep(ANSWER_AFTER_MS);
  }

  #infos(roots: readonly TemplateRoot[]): readonly TemplateInfo[] {
    const taken = new Set<string>();
    return roots.flatMap(({ folder, source }) =>
      [...this.#rows.values()]
        .filter(({ info }) => info.source === source && isBelow(folder, info.folder))
        .sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0))
        .flatMap(({ name, info }) => {
          if (taken.has(info.folder)) {
            return [];
          }
          // A name that is taken is asked for by its folder, so that none stands for another.
          const id = source !== 'folder' && !taken.has(name) ? name : info.folder;
          taken.add(info.folder).add(id);
          return [{ ...info, id }];
        }),
    );
  }

  #look(root: TemplateRoot): Promise<void> {
    const going =
      this.#looking.get(root.folder) ?? this.#lookNow(root).finally(() => this.#looking.delete(root.folder));
    this.#looking.set(root.folder, going);
    return going;
  }

  async #lookNow({ folder, source }: TemplateRoot): Promise<void> {
    const below = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const folders = [
      folder,
      ...below
        .filter(entry => entry.isDirectory() && !entry.name.startsWith('.'))
        .map(({ name }) => join(folder, name)),
    ];
    let changed = false;
    for (let at = 0; at < folders.length; at += AT_ONCE) {
      const read = await Promise.all(folders.slice(at, at + AT_ONCE).map(each => this.#read(each, source)));
      changed ||= read.includes(true);
    }
    const present = new Set(folders);
    for (const known of [...this.#rows.keys()]) {
      if (isBelow(folder, known) && !present.has(known)) {
        changed = this.#rows.delete(known) || changed;
      }
    }
    this.#looked.add(folder);
    if (changed) {
      await this.#save();
    }
  }

  /** @returns whether its row is another than before. */
  async #read(folder: string, source: TemplateSource): Promise<boolean> {
    const file = join(folder, TEMPLATE_FILE);
    const found = await stat(file).catch(() => null);
    if (found?.isFile() !== true) {
      return this.#rows.delete(folder);
    }
    const stamp = `${source}:${found.mtimeMs}:${found.size}`;
    if (this.#rows.get(folder)?.stamp === stamp) {
      return false;
    }
    // More is refused by its check, which needs no more than this to say so.
    const content =
      found.size > LONGEST_FILE_BYTES
        ? 'x'.repeat(LONGEST_FILE_BYTES + 1)
        : await readFile(file).catch(() => null);
    if (content === null) {
      return this.#rows.delete(folder);
    }
    this.#rows.set(folder, { stamp, ...described(content, folder, source, this.#parts.hitch) });
    return true;
  }

  async #load(): Promise<boolean> {
    try {
      const kept = fileSchema.parse(JSON.parse(await readFile(this.#parts.file, 'utf8')));
      if (kept.hitch === this.#parts.hitch) {
        kept.rows.forEach(row => this.#rows.set(row.info.folder, row));
      }
      return true;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
        this.#parts.log.warn('The list of templates could not be read and is made anew', {
          error: errorText(error),
        });
      }
      return false;
    }
  }

  async #save(): Promise<void> {
    const { file, hitch, log } = this.#parts;
    const text = JSON.stringify({ version: 3, hitch, rows: [...this.#rows.values()] });
    await writeFileAtomicAside(file, text).catch((error: unknown) => {
      log.warn('The list of templates could not be kept for a later start', { error: errorText(error) });
    });
  }
}

/** The folder itself, or one right below it. */
const isBelow = (folder: string, other: string): boolean =>
  other === folder ||
  (other.startsWith(folder) && other[folder.length] === sep && !other.includes(sep, folder.length + 1));

/** What a list shows of a template, also of one whose file is wrong. */
function described(
  content: Uint8Array | string,
  folder: string,
  source: TemplateSource,
  hitch: string,
): Omit<Row, 'stamp'> {
  const { template, problems } = checkTemplate(content, { names: null, hitch });
  const nodes = template?.cluster.nodes ?? 1;
  const name = template?.name ?? basename(folder);
  const [first] = problems;
  const machine = template?.resources[0];
  return {
    name,
    info: {
      id: folder,
      source,
      folder,
      title: template?.title ?? name,
      description: template?.description ?? first?.sentence ?? '',
      version: template?.version ?? '',
      tags: template?.tags ?? [],
      engine: template?.cluster.engine === 'ray' ? 'ray' : 'single',
      minNodes: typeof nodes === 'number' ? nodes : nodes.min,
      needs: machine === undefined ? '' : machineWords(machine),
      runs: template?.run !== undefined,
      problems: problems.length,
      ...(template?.deprecated === undefined
        ? {}
        : { deprecated: { why: template.deprecated.why, use: template.deprecated.use ?? null } }),
    },
  };
}
