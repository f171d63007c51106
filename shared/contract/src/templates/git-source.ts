/**
 * A template's source as it is written down: `git+https://host/owner/repository#ref:path` or `git+ssh://git@host/…`. Whatever
 * git could read as an option, as another program to start or as a file of this computer is refused here, before git is asked.
 */

export interface GitSource {
  /** `https://…` or `ssh://…`, without a password. */
  readonly url: string;
  /** A tag, a branch or a whole commit; null: what the repository shows first. */
  readonly ref: string | null;
  /** Of the template's folder in the repository, with `/`; '': its root. */
  readonly path: string;
}

export type ReadSource =
  { readonly ok: true; readonly source: GitSource } | { readonly ok: false; readonly sentence: string };

const EXAMPLE = 'git+https://github.com/OWNER/REPOSITORY#v1.0.0:FOLDER';
const LONGEST = 1000;

const refused = (sentence: string): ReadSource => ({ ok: false, sentence });

/** Whether a text is meant as a repository and not as a folder. */
export const looksLikeGit = (text: string): boolean =>
  /^[a-z][a-z0-9+.-]*:(?:\/\/|:)/i.test(text) || /^[\w.-]+@[\w.-]+:/.test(text);

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/i;
const USER = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const REPOSITORY = /^\/[A-Za-z0-9._~/+@-]*[A-Za-z0-9._~+@-]$/;
const REF = /^[A-Za-z0-9_][A-Za-z0-9._/+-]*$/;

export function readGitSource(text: string): ReadSource {
  if (text.length > LONGEST) {
    return refused(`A source has at most ${LONGEST.toString()} characters.`);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase() ?? '';
  if (scheme !== 'git+https' && scheme !== 'git+ssh') {
    const meant = /^https:\/\//.test(text)
      ? `git+${text}`
      : text.replace(/^([\w.-]+@[\w.-]+):\/?(?!\/)/, 'git+ssh://$1/');
    return refused(
      `A repository is read by https or ssh alone. Write ${meant.startsWith('git+') ? meant.slice(0, 200) : EXAMPLE}.`,
    );
  }
  let url: URL;
  try {
    url = new URL(text.slice(4));
  } catch {
    return refused(`“${text.slice(0, 200)}” is no address of a repository. Write ${EXAMPLE}.`);
  }
  if (url.password !== '' || (url.protocol === 'https:' && url.username !== '')) {
    return refused(
      'A source holds no name and no password, since it is written down and shown. Let git log in by itself: with a credential helper, or by git+ssh.',
    );
  }
  const { ref, path, problem } = fragmentOf(url.hash.slice(1));
  if (problem !== null) {
    return refused(problem);
  }
  if (
    !HOST.test(url.hostname) ||
    (url.username !== '' && !USER.test(url.username)) ||
    !REPOSITORY.test(url.pathname) ||
    url.pathname.split('/').some(part => part.startsWith('-')) ||
    url.search !== ''
  ) {
    return refused(`“${text.slice(0, 200)}” is no address of a repository. Write ${EXAMPLE}.`);
  }
  url.hash = '';
  return { ok: true, source: { url: url.href, ref, path } };
}

interface Fragment {
  readonly ref: string | null;
  readonly path: string;
  readonly problem: string | null;
}

function fragmentOf(hash: string): Fragment {
  const none = { ref: null, path: '' };
  let text: string;
  try {
    text = decodeURIComponent(hash);
  } catch {
    return { ...none, problem: `“#${hash.slice(0, 100)}” is no text in UTF-8.` };
  }
  const at = text.indexOf(':');
  const ref = at < 0 ? text : text.slice(0, at);
  const path = at < 0 ? '' : text.slice(at + 1).replace(/\/+$/, '');
  if (ref !== '' && !isRef(ref)) {
    return {
      ...none,
      problem: `“${ref.slice(0, 100)}” is no tag, branch or commit. Write it after #, such as #v1.0.0.`,
    };
  }
  if (path !== '' && !isInside(path)) {
    return {
      ...none,
      problem: `“${path.slice(0, 100)}” is no folder inside the repository. Write it after the tag, such as #v1.0.0:templates/mine.`,
    };
  }
  return { ref: ref === '' ? null : ref, path, problem: null };
}

/** What git itself allows as a name of a ref (git-check-ref-format), and nothing that it could read as more than one. */
const isRef = (ref: string): boolean =>
  REF.test(ref) &&
  !ref.includes('..') &&
  !ref.includes('//') &&
  !/(?:\.lock|[/.])$/.test(ref) &&
  !ref.split('/').some(part => part.startsWith('.') || part.endsWith('.lock'));

const isInside = (path: string): boolean =>
  path
    .split('/')
    .every(
      part => part !== '' && part !== '.' && part !== '..' && !/[\0-\x1F\\:]/.test(part) && part !== '.git',
    ) && !path.startsWith('-');

/** As it is written down; the same source is always the same text. */
export const gitSourceText = ({ url, ref, path }: GitSource): string =>
  `git+${url}${ref === null && path === '' ? '' : `#${ref ?? ''}${path === '' ? '' : `:${path}`}`}`;
