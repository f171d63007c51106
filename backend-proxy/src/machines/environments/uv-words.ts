/** What uv says of requirements that it cannot pin, as sentences with the lines that they are about. Pure. */
import { cutText, shownName } from '@hitch/contract';
import { canonicalName, type Mistake, type RequirementLine } from './requirement-lines.ts';

const LONGEST_REASON = 600;

export interface Refused extends Mistake {
  /** The package that it is about; null: nobody knows. */
  readonly name: string | null;
}

/** @param lines of the file; empty where uv read it by itself. */
export function refusalOf(said: string, lines: readonly RequirementLine[], python: string): Refused {
  const text = joined(said);
  const about = (name: string, message: string): Refused => {
    const line = lines.find(each => each.name === canonicalName(name))?.line ?? null;
    return { line, message, name: canonicalName(name) };
  };
  const missing = /there (?:is|are) no versions? of ([\w.-]+)(\[[^\]]*\])?([=<>~!][^\s]*)/.exec(text);
  const unknown = /([\w.-]+) was not found in the (?:package registry|provided package locations)/.exec(text);
  const tags =
    /([\w.-]+)(==\S+)? has no (?:wheels with a matching (Python ABI|Python implementation|Python version|platform) tag|usable wheels)/.exec(
      text,
    );
  const pythons =
    /requested Python version \(([^)]*)\) does not satisfy Python([^\s]*) and ([\w.-]+?)((?:[=<>~!])\S*)? depends on/.exec(
      text,
    );
  if (unknown?.[1] !== undefined) {
    return about(
      unknown[1],
      `There is no package ${shownName(unknown[1])} on the package index: correct its name.`,
    );
  }
  if (missing?.[1] !== undefined && !text.includes('depends on')) {
    return about(
      missing[1],
      `There is no ${shownName(missing[1])}${shownName(missing[3] ?? '')} on the package index: choose a version that exists.`,
    );
  }
  const newest = /only ([\w.-]+)((?:[<>]=?)[^\s]+) (?:is|are) available and you require ([\w.-]+)(\S*),/.exec(
    text,
  );
  if (newest?.[1] !== undefined && newest[1] === newest[3]) {
    return about(
      newest[1],
      `There is no ${shownName(newest[1])}${shownName(newest[4] ?? '')} on the package index, only ${shownName(newest[2] ?? '')}: choose a version that exists.`,
    );
  }
  if (tags?.[1] !== undefined) {
    const available =
      /Wheels are available for `[^`]*` (?:\([^)]*\) )?(?:on|with) the following (?:platforms?|Python ABI tags?|ABI tags?): ([^\n]*)/.exec(
        text,
      )?.[1];
    const version = tags[2] ?? '';
    const why =
      tags[3] === undefined
        ? 'has no wheel, only sources, which would have to be built'
        : tags[3] === 'platform'
          ? 'has no wheel for the machine’s platform'
          : `has no wheel for Python ${python}`;
    const there = available === undefined ? '' : ` (there are: ${shownName(available.replaceAll('`', ''))})`;
    return about(
      tags[1],
      `${shownName(`${tags[1]}${version}`)} ${why}${there}: choose another version${tags[3] !== undefined && tags[3] !== 'platform' ? ' or another Python (--python)' : ''}.`,
    );
  }
  if (pythons?.[3] !== undefined) {
    return about(
      pythons[3],
      `${shownName(`${pythons[3]}${pythons[4] ?? ''}`)} needs Python ${shownName(pythons[2] ?? '')}, and this is for Python ${python}: choose another version, or another Python (--python).`,
    );
  }
  const reason = /cause: ([\s\S]*)$/.exec(text)?.[1] ?? text;
  const named = lines.find(each =>
    new RegExp(`\\b${each.name.replaceAll('-', '[-_.]')}\\b`, 'i').test(reason),
  );
  return {
    line: named?.line ?? null,
    name: null,
    message: `The packages do not fit together: ${cutText(shownName(reason.trim()), LONGEST_REASON)}`,
  };
}

/** Whether uv reached no index, which is no fault of the file. */
export const isOffline = (said: string): boolean =>
  /error sending request|dns error|Connection refused|tcp connect|timed out|Network is unreachable|Failed to fetch/i.test(
    said,
  );

/** uv breaks its sentences into lines that begin with blanks. */
const joined = (said: string): string =>
  said
    .split('\n')
    .filter(line => !/^(?:Using|Resolved|warning:)/.test(line))
    .join('\n')
    .replace(/\n {4,}/g, ' ')
    .trim();
