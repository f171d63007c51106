/** Reads what stands in a file without knowing yet that it is right, and names it in sentences. */
import { distance } from '../gpu-names.ts';

export type Path = readonly PropertyKey[];

export const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands at a path; undefined where nothing does. */
export const valueAt = (data: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, step) => {
    if (Array.isArray(value)) {
      return typeof step === 'number' ? value[step] : undefined;
    }
    return isGroup(value) && Object.hasOwn(value, step) ? value[String(step)] : undefined;
  }, data);

/** The entries of a group; none where there is no group. */
export const entriesAt = (data: unknown, path: Path): readonly (readonly [string, unknown])[] => {
  const value = valueAt(data, path);
  return isGroup(value) ? Object.entries(value) : [];
};

export const listAt = (data: unknown, path: Path): readonly unknown[] => {
  const value = valueAt(data, path);
  return Array.isArray(value) ? value : [];
};

export const textAt = (data: unknown, path: Path): string | undefined => {
  const value = valueAt(data, path);
  return typeof value === 'string' ? value : undefined;
};

export const numberAt = (data: unknown, path: Path): number | undefined => {
  const value = valueAt(data, path);
  return typeof value === 'number' ? value : undefined;
};

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

/** A value as a sentence calls it. */
export function called(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value === '' ? 'an empty text' : `the text “${cut(value.replaceAll(/\s+/g, ' '), 60)}”`;
    case 'number':
      return `the number ${value}`;
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return value === null || value === undefined
        ? 'empty'
        : Array.isArray(value)
          ? 'a list'
          : 'a group of keys';
  }
}

/** `resources[1].gpu`: lists count from one, as people do. */
export const shownPath = (path: Path): string =>
  cut(
    path
      .map(step => (typeof step === 'number' ? `[${step + 1}]` : String(step)))
      .join('.')
      .replaceAll('.[', '['),
    200,
  );

/** The word that is written most like one that is not among them; undefined where all are far. */
export function nearestKey(word: string, known: readonly string[]): string | undefined {
  if (word.length > 100) {
    return undefined;
  }
  const most = Math.max(1, Math.floor(word.length / 3));
  return known
    .map(candidate => ({ candidate, far: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ far }) => far <= most)
    .sort((one, other) => one.far - other.far)[0]?.candidate;
}

/** ` Did you mean “x”?`, or another end of a sentence where nothing is near. */
export const didYouMean = (word: string, known: readonly string[], otherwise = ''): string => {
  const near = nearestKey(word, known);
  return near === undefined ? otherwise : ` Did you mean “${near}”?`;
};
