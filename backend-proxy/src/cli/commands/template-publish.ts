/** `hitch template publish`: checks a template, signs it, and gives its version a tag that others add it by. */
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { HitchError, templateProblemLine } from '@hitch/contract';
import { breakingWords } from '@hitch/contract/src/templates/changes.ts';
import { checkTemplate } from '@hitch/contract/src/templates/check.ts';
import { TEMPLATE_FILE, type Template } from '@hitch/contract/src/templates/schema.ts';
import * as z from 'zod';
import { listFolder, SIGNATURE_FILE } from '../../templates/folder.ts';
import { sign, verify } from '../../templates/sharing/signature.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import {
  commitFile,
  hasTag,
  isNewer,
  lastPublished,
  makeTag,
  notCommitted,
  type OwnRepository,
  push,
  repositoryOf,
  sourceFor,
  tagOf,
} from '../templates/own-repository.ts';

interface Published {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly signed: boolean;
  /** Null: the folder is in no repository. */
  readonly tag: string | null;
  readonly pushed: boolean;
  /** What others add it by; null: it is nowhere that they can read. */
  readonly source: string | null;
}

const never = new AbortController().signal;

/** @throws HitchError CONFLICT where that version is published, BAD_INPUT where it needs another number. */
async function checkVersion(repository: OwnRepository, template: Template): Promise<string> {
  const tag = tagOf(repository, template);
  if (await hasTag(repository, tag)) {
    throw new HitchError(
      'CONFLICT',
      `${template.name} ${template.version} is published: there is a tag ${tag}.`,
      {
        next: 'Raise “version” in hitch.yaml; what was published stays as it was.',
      },
    );
  }
  const last = await lastPublished(repository, template.name);
  if (last !== null && !isNewer(template.version, last.template.version)) {
    throw new HitchError(
      'BAD_INPUT',
      `The version ${template.version} is not newer than ${last.template.version}, which is published.`,
      { next: 'Raise “version” in hitch.yaml.' },
    );
  }
  const breaks = last === null ? [] : breakingWords(last.template, template);
  const first = (version: string): string => version.split('.')[0] ?? '';
  if (last !== null && breaks.length > 0 && first(template.version) === first(last.template.version)) {
    throw new HitchError(
      'BAD_INPUT',
      `Who uses ${last.template.version} could not use ${template.version} in the same way: ${breaks.join('; ')}.`,
      { next: `Raise the first number: ${(Number(first(template.version)) + 1).toString()}.0.0.` },
    );
  }
  return tag;
}

/** A signature that fits stays: ssh-keygen makes another one each time for some kinds of key. */
async function signed(folder: string, digest: string, key: string | undefined): Promise<boolean> {
  const place = join(folder, SIGNATURE_FILE);
  const before = await readFile(place).catch(() => null);
  const verdict = await verify(digest, before, { signers: [], revoked: null }, never);
  if (key === undefined) {
    if (verdict.kind === 'refused') {
      throw new HitchError('BAD_INPUT', `The signature in ${place} is of other files.`, {
        next: 'Sign it again with --key, or remove that file.',
      });
    }
    return verdict.kind !== 'unsigned';
  }
  const signature = await sign(digest, key, never);
  await writeFile(place, signature);
  return true;
}

/** @throws HitchError BAD_INPUT with the names of what others would not get as it is here. */
async function checkCommitted(repository: OwnRepository, folder: string): Promise<void> {
  const { files } = await listFolder(folder);
  const missing = await notCommitted(repository, files);
  if (missing.length > 0) {
    const [first = '', ...more] = missing;
    throw new HitchError(
      'BAD_INPUT',
      `Others would not get ${first}${more.length === 0 ? '' : ` and ${more.length.toString()} more`} as it is here: git has it not, or in another form.`,
      { next: 'Commit it, or name what is no part of the template in .hitchignore.' },
    );
  }
}

export const addPublish = defineCommand({
  usage: 'publish [folder]',
  summary: 'check a template, sign it, and give its version a tag by which others add it',
  examples: [
    ['hitch template publish --key ~/.ssh/id_ed25519', 'signs it, and tags what is committed'],
    ['hitch template publish --push', 'and pushes the branch and the tag to origin'],
  ],
  options: command =>
    command
      .option('--key <file>', 'the ssh key that signs it; its public half where ssh-agent holds it')
      .option('--push', 'push the branch and the tag to origin'),
  schema: z.object({
    folder: z.string().default('.'),
    key: z.string().min(1).optional(),
    push: z.boolean().default(false),
    json: z.boolean().default(false),
  }),
  run: async ({ io, session, cwd }, { folder, key, push: pushes, json: asJson }) => {
    const place = resolve(cwd, folder);
    const { api } = await session();
    const { problems, digest } = await api.templates.check({ folder: place });
    const source = await readFile(join(place, TEMPLATE_FILE)).catch(() => null);
    const template = source === null ? null : checkTemplate(source, { names: null, hitch: null }).template;
    if (problems.length > 0 || digest === null || template === null) {
      problems.forEach(problem => io.note(templateProblemLine(problem)));
      throw new HitchError('BAD_INPUT', 'The template has mistakes, and was not published.', {
        next: 'Correct them; hitch template check says them again.',
      });
    }
    const repository = await repositoryOf(place);
    if (repository === null && pushes) {
      throw new HitchError('BAD_INPUT', `${place} is in no git repository, so nothing can be pushed.`, {
        field: '--push',
      });
    }
    const tag = repository === null ? null : await checkVersion(repository, template);
    if (repository !== null) {
      await checkCommitted(repository, place);
    }
    const isSigned = await signed(place, digest, key === undefined ? undefined : resolve(cwd, key));
    const { name, version, title } = template;
    if (repository !== null && tag !== null) {
      if (isSigned && (await notCommitted(repository, [{ path: SIGNATURE_FILE }])).length > 0) {
        await commitFile(repository, SIGNATURE_FILE, `Sign ${name} ${version}`);
      }
      await makeTag(repository, tag, `${title} ${version}\n\n${digest}`);
      if (pushes) {
        await push(repository, tag);
      }
    }
    const published: Published = {
      name,
      version,
      digest,
      signed: isSigned,
      tag,
      pushed: pushes,
      source: repository === null || tag === null ? null : await sourceFor(repository, tag),
    };
    if (asJson) {
      io.json(published);
    } else {
      publishedLines(published).forEach(line => io.line(line));
    }
    return EXIT.ok;
  },
});

function publishedLines({
  name,
  version,
  digest,
  signed: isSigned,
  tag,
  pushed,
  source,
}: Published): readonly string[] {
  return [
    `${name} ${version}: ${digest}, ${isSigned ? 'signed' : 'not signed'}.`,
    ...(tag === null
      ? ['The folder is in no git repository; share it with its digest.']
      : [
          `The tag is ${tag}.${pushed ? '' : ` Push it with the commit: git push --atomic origin HEAD ${tag}.`}`,
        ]),
    ...(source === null ? [] : [`Others add it with: hitch template add '${source}'`]),
  ];
}
