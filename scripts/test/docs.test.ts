import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import config from '../../docs/.vitepress/config.mjs';
import {
  FOR_DEVELOPERS,
  INTERNAL,
  OF_PRACTICE,
  OF_THE_DAEMON,
  ON_A_CLUSTER,
  URL_VARIABLE,
} from '../docs/environment.ts';
import { deadLinks } from '../docs/links.ts';
import { MOST_BYTES, PICTURES } from '../docs/pictures.ts';
import { madePages, writtenPages } from '../docs/pages.ts';

const root = join(import.meta.dirname, '..', '..');
const docs = join(root, 'docs');
describe('the documentation', () => {
  let pages: ReadonlyMap<string, string>;
  before(async () => {
    pages = new Map([...writtenPages(), ...(await madePages())]);
  });

  it('has no link that leads nowhere, and none out of its folder', () => {
    assert.ok(pages.size > 20);
    assert.deepEqual(
      deadLinks(pages, path => !path.startsWith('..') && existsSync(join(docs, path))),
      [],
    );
  });

  it('leads to every page from its side bar, or from the page of decisions', () => {
    const listed = config.themeConfig.sidebar.flatMap(({ items }) => items.map(({ link }) => link));
    const asPage = (link: string): string => `${link.slice(1)}${link.endsWith('/') ? 'index' : ''}.md`;
    const decisions = [...pages.keys()].filter(path => path.startsWith('decisions/'));
    for (const path of decisions.filter(each => each !== 'decisions/index.md')) {
      assert.ok(pages.get('decisions/index.md')?.includes(`(${path.slice('decisions/'.length)})`), path);
    }
    const beside = new Set(['index.md', ...decisions]);
    assert.deepEqual(
      [...pages.keys()].filter(path => !beside.has(path)).sort(),
      listed
        .map(asPage)
        .filter(path => !beside.has(path))
        .sort(),
    );
  });

  it('shows small pictures, each with words for those who do not see it', () => {
    const pictures = readdirSync(join(docs, 'pictures')).map(name => `pictures/${name}`);
    assert.deepEqual(
      pictures.sort(),
      Object.keys(PICTURES)
        .map(name => `pictures/${name}`)
        .sort(),
    );
    const text = [...pages.values()].join('\n');
    for (const picture of pictures) {
      assert.ok(statSync(join(docs, picture)).size <= MOST_BYTES, `${picture} is too large`);
      assert.match(
        text,
        new RegExp(String.raw`!\[[^\]]{10,}\]\([./]*${picture.replaceAll('.', String.raw`\.`)}\)`),
      );
    }
  });

  it('has every command with its examples, and every setting of both editors', () => {
    const commands = pages.get('reference/commands.md') ?? '';
    assert.match(commands, /^## hitch rent$/m);
    assert.match(commands, /^### hitch template check$/m);
    assert.match(commands, /Examples:\n {2}hitch offers/);
    const settings = pages.get('reference/settings.md') ?? '';
    assert.match(settings, /`hitch\.rent\.capDollars`/);
    assert.match(settings, /`onlyVerified`/);
  });

  it('has every variable that the sources read, or says that it is nobody’s to set', () => {
    const known = [OF_THE_DAEMON, OF_PRACTICE, ON_A_CLUSTER, FOR_DEVELOPERS].flatMap(each =>
      Object.keys(each),
    );
    const sources = globSync(
      [
        'backend-proxy/{src,python,far}/**/*.{ts,py,sh}',
        'shared/*/src/**/*.ts',
        'extension/src/**/*.ts',
        'jupyter-plugin/{src,bridge}/**/*.{ts,py}',
        'scripts/*.{ts,mjs}',
      ],
      { cwd: root, exclude: path => /(node_modules|[\\/]tests?)([\\/]|$)/.test(path) },
    );
    const read = new Set(
      sources.flatMap(
        path => readFileSync(join(root, path), 'utf8').match(/\bHITCH_[A-Z][A-Z_]*[A-Z]\b/g) ?? [],
      ),
    );
    assert.ok(read.has('HITCH_HOME'));
    const names = new Set([...known, ...INTERNAL]);
    assert.deepEqual(
      [...read].filter(
        name => !names.has(name) && !URL_VARIABLE.test(name) && !name.startsWith('HITCH_PARAM_'),
      ),
      [],
      'add them to scripts/docs/environment.ts',
    );
    const ofTests = new Set(Object.keys(FOR_DEVELOPERS));
    assert.deepEqual(
      [...names].filter(name => !read.has(name) && !ofTests.has(name) && !INTERNAL.includes(name)),
      [],
      'nothing reads them any more',
    );
  });
});

describe('the look at links', () => {
  const at = (text: string): string[] =>
    deadLinks(
      new Map([
        ['a/one.md', text],
        ['two.md', '# Two\n\n## What it is, and why\n'],
      ]),
      path => path === 'a/picture.png',
    );

  it('finds a page, a file and a heading that are not there', () => {
    assert.deepEqual(at('[x](gone.md) ![x](gone.png) [x](../two.md#gone) [x](#gone)'), [
      'a/one.md: gone.md',
      'a/one.md: gone.png',
      'a/one.md: ../two.md#gone',
      'a/one.md: #gone',
    ]);
  });

  it('is content with what is there, with addresses, and with what is shown as it is typed', () => {
    const fine =
      '[x](../two.md#what-it-is-and-why) ![x](picture.png) [x](https://example.org/y) `[x](gone.md)`';
    assert.deepEqual(at(`${fine}\n\n\`\`\`\n[x](gone.md)\n\`\`\`\n`), []);
  });
});
