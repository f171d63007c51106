/** Links of Markdown pages that lead nowhere. */
import { dirname, join, normalize } from 'node:path';

/** Without what is shown as it is typed. */
const prose = (markdown: string): string =>
  markdown.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');

/** What a heading is called in an address: as the generator and the usual hosts of repositories have it for plain words. */
export const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replace(/\s+/g, '-');

const anchorsOf = (markdown: string): ReadonlySet<string> =>
  new Set(
    [...markdown.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      anchorOf(heading),
    ),
  );

/** @param pages texts by their paths. @returns a line for each link to a page, a file or a heading that is not there. */
export function deadLinks(pages: ReadonlyMap<string, string>, isFile: (path: string) => boolean): string[] {
  const dead: string[] = [];
  for (const [path, text] of pages) {
    for (const [, target = ''] of prose(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) {
        continue;
      }
      const [file = '', anchor = ''] = target.split('#');
      const to = file === '' ? path : normalize(join(dirname(path), file)).replaceAll('\\', '/');
      const page = pages.get(to);
      const isThere =
        page === undefined ? anchor === '' && isFile(to) : anchor === '' || anchorsOf(page).has(anchor);
      if (!isThere) {
        dead.push(`${path}: ${target}`);
      }
    }
  }
  return dead;
}
