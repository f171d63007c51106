/** Templates for the clients: which there are, one with its form, and what is wrong with a folder. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { cutText, HitchError, type OfferFilter, type QuoteRequest } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import { templateForm, type FormValues } from '@hitch/contract/src/templates/form.ts';
import type { DriverCeiling } from '@hitch/contract/src/templates/lock.ts';
import { timeMs, type Template } from '@hitch/contract/src/templates/schema.ts';
import { nearestKey } from '@hitch/contract/src/templates/values.ts';
import type {
  TemplateCheck,
  TemplateDetails,
  TemplateInfo,
  TemplateLook,
} from '@hitch/contract/src/templates/wire.ts';
import { localPath, toldPath } from '../copies/local-paths.ts';
import { checkFolder, type CheckedFolder } from './check-folder.ts';
import type { LookRequest, SharedTemplates } from './sharing/shared-templates.ts';
import { layOutShipped } from './shipped.ts';
import { TemplateIndex, type TemplateRoot } from './template-index.ts';
import { commandWords, lockWords, machineWords, rentWish } from './template-words.ts';

export interface TemplateParts {
  /** The user's own folder of templates. */
  readonly folder: string;
  /** Where those that come with Hitch are laid out. */
  readonly shipped: string;
  readonly indexFile: string;
  readonly hitch: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Those that were added from elsewhere. */
  readonly shared: Pick<SharedTemplates, 'all' | 'look' | 'take' | 'remove' | 'checkUse'>;
  /** Where they lie. */
  readonly sharedFolder: string;
  /** What is on offer now and fits a search, for the note on drivers. */
  readonly offers: (wanted: OfferFilter) => readonly DriverCeiling[];
}

export interface TemplateOnDisk extends Pick<
  CheckedFolder,
  'template' | 'check' | 'listed' | 'usesRayTrain'
> {
  readonly id: string;
  readonly folder: string;
}

export interface CheckRequest {
  readonly folder: string;
  readonly text?: string | undefined;
  readonly fileName?: string | undefined;
}

const LONGEST_README = 20_000;

export class Templates {
  readonly #parts: TemplateParts;
  readonly #index: TemplateIndex;
  #shippedThere: Promise<void> | null = null;

  constructor(parts: TemplateParts) {
    this.#parts = parts;
    const { indexFile: file, hitch, clock, log } = parts;
    this.#index = new TemplateIndex({ file, hitch, clock, log });
  }

  /** @param folders of a workspace: templates, or folders that templates lie in. */
  async list(folders: readonly string[], localRoot: string | null): Promise<readonly TemplateInfo[]> {
    await this.#shipped();
    const named = await Promise.all(folders.map(folder => localPath(folder, localRoot)));
    const { shipped, folder: own, sharedFolder } = this.#parts;
    const all = await this.#index.list([
      ...named.map((folder): TemplateRoot => ({ folder, source: 'folder' })),
      { folder: shipped, source: 'hitch' },
      { folder: own, source: 'user' },
      { folder: sharedFolder, source: 'user' },
    ]);
    const added = await this.#added();
    return all.flatMap(info => {
      const { shared } = added.get(info.folder) ?? {};
      // A folder there that nobody agreed to is no template.
      return shared !== undefined
        ? [{ ...info, shared }]
        : dirname(info.folder) === sharedFolder
          ? []
          : [info];
    });
  }

  /** What lies at a source now. Nothing of it is among the templates until {@link take}. */
  async look(asked: LookRequest): Promise<TemplateLook> {
    const { folder, ...look } = await this.#parts.shared.look(asked);
    const info = await this.#index.once({ folder, source: 'user' });
    if (info === null) {
      throw new HitchError('NOT_FOUND', `There is no hitch.yaml at ${look.shared.source}.`);
    }
    const details = await this.#details(info, await this.#checked(folder), {});
    return { ...look, details: { ...details, info: { ...details.info, shared: look.shared } } };
  }

  async take(id: string): Promise<TemplateInfo> {
    const folder = await this.#parts.shared.take(id);
    const found = (await this.list([], null)).find(each => each.folder === folder);
    if (found === undefined) {
      throw new HitchError('INTERNAL', 'A template that was added is not on the list.');
    }
    return found;
  }

  remove(name: string): Promise<void> {
    return this.#parts.shared.remove(name);
  }

  /** Trouble with the lock hides what was added, and nothing else; what is done with it says the trouble. */
  async #added(): ReturnType<SharedTemplates['all']> {
    try {
      return await this.#parts.shared.all();
    } catch (error) {
      this.#parts.log.warn('The templates that were added from elsewhere are not listed', {
        error: errorText(error),
      });
      return new Map();
    }
  }

  async check({ folder, text, fileName }: CheckRequest, localRoot: string | null): Promise<TemplateCheck> {
    const { check } = await this.#checked(await localPath(folder, localRoot), {
      ...(text === undefined ? {} : { text }),
      ...(fileName === undefined ? {} : { fileName }),
    });
    return check;
  }

  /** @throws HitchError NOT_FOUND with the names that there are. */
  async show(id: string, values: FormValues, localRoot: string | null): Promise<TemplateDetails> {
    const info = await this.#find(id, localRoot);
    const checked = await this.#checked(info.folder);
    return this.#details(info, checked, values);
  }

  /** One that is to run: what stands in its folder now. @throws HitchError NOT_FOUND, BAD_INPUT with the names there are. */
  async toRun(id: string, localRoot: string | null): Promise<TemplateOnDisk> {
    const info = await this.#find(id, localRoot);
    const checked = await this.#checked(info.folder);
    await this.#parts.shared.checkUse(info, checked);
    return { id: info.id, folder: info.folder, ...checked };
  }

  /** What a quote takes of a template: its engine, and its name as it is written down. */
  async forQuote(request: QuoteRequest, localRoot: string | null): Promise<QuoteRequest> {
    if (request.template === null) {
      return request;
    }
    const info = await this.#find(request.template, localRoot, ({ runs }) => !runs);
    const refused = refusal(info);
    if (refused !== null) {
      throw new HitchError('BAD_INPUT', refused.message, { field: 'template', next: refused.next });
    }
    if (request.nodes < info.minNodes) {
      throw new HitchError('BAD_INPUT', `The template ${info.id} needs at least ${info.minNodes} nodes.`, {
        field: 'nodes',
      });
    }
    await this.#parts.shared.checkUse(info, await this.#checked(info.folder));
    const engine = request.nodes > 1 || info.engine === 'ray' ? 'ray' : 'single';
    return { ...request, template: info.id, engine: request.engine ?? engine };
  }

  /** @param named which ones are offered instead of one that is not there. */
  async #find(
    id: string,
    localRoot: string | null,
    named: (template: TemplateInfo) => boolean = () => true,
  ): Promise<TemplateInfo> {
    if (isAbsolute(id) || id.includes('/') || id.includes('\\') || id.startsWith('.')) {
      const folder = await toldPath(id, localRoot);
      const info = await this.#index.row({ folder, source: 'folder' });
      if (info !== null) {
        return info;
      }
      throw new HitchError('NOT_FOUND', `There is no hitch.yaml in ${cutText(folder, 300)}.`, {
        field: 'template',
        next: 'Write one with hitch template init.',
      });
    }
    const all = await this.list([], localRoot);
    const found = all.find(template => template.id === id);
    if (found === undefined) {
      const names = all.filter(named).map(template => template.id);
      const near = nearestKey(id, names);
      throw new HitchError('BAD_INPUT', `There is no template “${cutText(id, 80)}”.`, {
        field: 'template',
        next:
          near === undefined ? `Choose one of: ${cutText(names.join(', '), 400)}.` : `Did you mean ${near}?`,
      });
    }
    return found;
  }

  #checked(folder: string, more: Pick<CheckRequest, 'text' | 'fileName'> = {}): Promise<CheckedFolder> {
    const { text, fileName } = more;
    return checkFolder(folder, {
      hitch: this.#parts.hitch,
      offers: this.#parts.offers,
      ...(text === undefined ? {} : { text }),
      ...(fileName === undefined ? {} : { fileName }),
    });
  }

  async #details(info: TemplateInfo, checked: CheckedFolder, values: FormValues): Promise<TemplateDetails> {
    const { template, check, locks } = checked;
    const found = { ...info, problems: check.problems.length };
    const chosen = values.preset === undefined ? undefined : template?.presets[values.preset];
    const resources = chosen?.resources ?? template?.resources ?? [];
    return {
      info: found,
      check,
      form: template === null ? null : templateForm(template, values),
      machines: resources.map(resource => ({ words: machineWords(resource) })),
      rent: template === null ? null : rentWish(template, resources),
      refusal: refusal(found),
      locks: lockWords(locks),
      secrets: Object.entries(template?.secrets ?? {}).map(([name, secret]) => ({ name, ...secret })),
      limits: limitsOf(template),
      outputs: Object.entries(template?.outputs ?? {}).map(([name, output]) => ({ name, ...output })),
      test:
        template?.test === undefined
          ? null
          : { preset: template.test.preset, withinMs: timeMs(template.test.within) ?? 0 },
      command: template?.run === undefined ? null : commandWords(template.run),
      notebook: template?.notebook ?? null,
      readme: await readmeOf(info.folder, template, checked),
    };
  }

  #shipped(): Promise<void> {
    return (this.#shippedThere ??= layOutShipped(this.#parts.shipped, this.#parts.log));
  }
}

/** Why nothing is rented for a template; null: it can be. */
function refusal({ id, folder, problems, runs }: TemplateInfo): TemplateDetails['refusal'] {
  if (problems > 0) {
    return {
      message: `The template ${id} has ${countOf(problems)}.`,
      next: `Look at them with hitch template check ${folder}.`,
    };
  }
  // A machine that somebody pays for while nothing of the template runs on it is not what was asked for.
  return runs
    ? {
        message: `Renting sets up a machine and starts nothing on it; the template ${id} has a command.`,
        next: `Run it as a job that rents its machine: “hitch job run --rent --template ${id}”.`,
      }
    : null;
}

const countOf = (problems: number): string => (problems === 1 ? 'a mistake' : `${problems} mistakes`);

const limitsOf = (template: Template | null): TemplateDetails['limits'] => ({
  perHour: template?.limits?.perHour ?? null,
  total: template?.limits?.total ?? null,
  time: template?.limits?.time ?? null,
  idle: template?.limits?.idle ?? null,
});

async function readmeOf(
  folder: string,
  template: Template | null,
  { listed }: CheckedFolder,
): Promise<string | null> {
  const file = template?.readme ?? 'README.md';
  if (!listed.files.some(({ path }) => path === file)) {
    return null;
  }
  const text = await readFile(join(folder, file), 'utf8').catch(() => null);
  return text === null ? null : cutText(text, LONGEST_README);
}

/** What a person names: a template's folder, or a file in it that stands for its `hitch.yaml`. */
export async function folderAndFile(path: string): Promise<CheckRequest> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true ? { folder: dirname(path), fileName: basename(path) } : { folder: path };
}
