/** Which of the kernels on a cluster a notebook gets. */
import { HitchError } from '@hitch/contract';
import * as z from 'zod';
import type { Notebook } from './format.ts';

export const kernelspecsSchema = z.object({
  default: z.string(),
  kernelspecs: z.record(
    z.string(),
    z.looseObject({
      spec: z.looseObject({ display_name: z.string().default(''), language: z.string().default('') }),
    }),
  ),
});
export type Kernelspecs = z.output<typeof kernelspecsSchema>;

/** What a notebook says about its kernel; null where it does not say. */
export interface WantedKernel {
  readonly file: string;
  readonly name: string | null;
  readonly title: string | null;
  readonly language: string | null;
}

/** Of code that is no notebook. */
export const NO_WISH: WantedKernel = { file: '', name: null, title: null, language: null };

export interface ChosenKernel {
  readonly name: string;
  /** For the person, where it is not the one that was named. */
  readonly notice: string | null;
}

const textSchema = z.string().trim().min(1).nullable().catch(null);
const metadataSchema = z.object({
  kernelspec: z
    .object({ name: textSchema, display_name: textSchema, language: textSchema })
    .partial()
    .catch({}),
  language_info: z.object({ name: textSchema }).partial().catch({}),
});

export function wantedBy(file: string, { metadata }: Notebook): WantedKernel {
  const { kernelspec, language_info: info } = metadataSchema.parse({
    kernelspec: metadata['kernelspec'] ?? {},
    language_info: metadata['language_info'] ?? {},
  });
  const name = kernelspec.name ?? null;
  const title = kernelspec.display_name ?? null;
  // Environments of conda and old notebooks name a Python and no language.
  const isPython = [name, title].some(text => text !== null && /\bpy(?:thon)?(?:\b|\d)/i.test(text));
  return { file, name, title, language: info.name ?? kernelspec.language ?? (isPython ? 'python' : null) };
}

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** `Python 3 (ipykernel), Julia 1.11`. */
const titles = ({ kernelspecs }: Kernelspecs): string =>
  Object.entries(kernelspecs)
    .map(([name, { spec }]) => spec.display_name || name)
    .join(', ');

/**
 * The kernel that the notebook names, or one of its language. A notebook that says nothing gets the usual one.
 * @throws HitchError NOT_FOUND when there is none: code of one language run by another does something, and not what it says.
 */
export function chooseKernel(cluster: string, wanted: WantedKernel, specs: Kernelspecs): ChosenKernel {
  const { file, name, title, language } = wanted;
  if (name !== null && Object.hasOwn(specs.kernelspecs, name)) {
    return { name, notice: null };
  }
  if (name === null && language === null) {
    return { name: specs.default, notice: null };
  }
  const fitting = Object.entries(specs.kernelspecs).filter(
    ([, { spec }]) => language !== null && same(spec.language, language),
  );
  const [found] = fitting.find(([other]) => other === specs.default) ?? fitting[0] ?? [];
  if (found === undefined) {
    throw noKernel(cluster, wanted, titles(specs));
  }
  const given = specs.kernelspecs[found]?.spec.display_name || found;
  return {
    name: found,
    notice:
      name === null
        ? null
        : `${file} names the kernel ${title ?? name}, which ${cluster} does not have. It runs with ${given}.`,
  };
}

/** For a kernel that runs already. @throws HitchError NOT_FOUND */
export function checkLanguage(
  cluster: string,
  wanted: WantedKernel,
  kernelName: string,
  specs: Kernelspecs,
): void {
  const spec = Object.hasOwn(specs.kernelspecs, kernelName) ? specs.kernelspecs[kernelName]?.spec : undefined;
  if (wanted.name === kernelName || wanted.language === null || spec === undefined || spec.language === '') {
    return;
  }
  if (!same(spec.language, wanted.language)) {
    throw noKernel(cluster, wanted, spec.display_name || kernelName);
  }
}

function noKernel(cluster: string, wanted: WantedKernel, there: string): HitchError {
  const { file, name, title, language } = wanted;
  const what =
    language === null ? `needs the kernel ${title ?? name ?? 'that it names'}` : `is written in ${language}`;
  return new HitchError(
    'NOT_FOUND',
    `${file} ${what}, and ${cluster} has no kernel for it. There is: ${there}.`,
    {
      field: 'notebook',
      next: `Install its kernel in a terminal (hitch ssh ${cluster}), or change the notebook's kernel.`,
    },
  );
}
