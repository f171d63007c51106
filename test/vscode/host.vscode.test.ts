/**
 * The suites below `suite/` in a real extension host, with a real daemon, agent and Jupyter and a stand-in for Jupyter's
 * extension. The extension is installed from its package. Each of the suites' results is one result here.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import Mocha from 'mocha';
import type { Browser } from 'playwright-core';
import * as z from 'zod';
import { chromiumOrSkip, launchChromium } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { keepPages, rememberPages } from '../support/failed-page.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { buildSuite } from './support/build-suite.ts';
import { serverIsInstalled, startServer, type VscodeServer } from './support/server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, '.cache/vscode-tests');
const KEYRING = 'dist/hitch/node_modules/@napi-rs/keyring';
const SUITE_WITHIN_MS = 12 * 60_000;

const resultSchema = z.object({
  title: z.string(),
  state: z.enum(['passed', 'skipped', 'failed', 'ended']),
  durationMs: z.number(),
  message: z.string().optional(),
});
type Result = z.infer<typeof resultSchema>;

/** Packs it as `npm run package` does. @returns the .vsix. */
const packagedExtension = (): string =>
  join(
    root,
    execFileSync(process.execPath, [join(root, 'scripts/package-extension.ts')], { encoding: 'utf8' }).trim(),
  );

const filesIn = (place: string): string[] =>
  readdirSync(place, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(place, join(entry.parentPath, entry.name)))
    .sort();

const readResults = (file: string): Result[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(line => line !== '')
        .map(line => resultSchema.parse(JSON.parse(line)))
    : [];

/** Shows each result of the inner run as a test of this suite. */
function adopt(suite: Mocha.Suite, results: readonly Result[]): void {
  for (const { title, state, message } of results) {
    if (state !== 'ended') {
      suite.addTest(
        state === 'skipped'
          ? new Mocha.Test(title)
          : new Mocha.Test(title, () => assert.ok(state === 'passed', message)),
      );
    }
  }
}

describe('the extension in a real extension host', function suite() {
  this.timeout(SUITE_WITHIN_MS + 120_000);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  let folder = '';
  let server: VscodeServer | null = null;
  let browser: Browser | null = null;
  let results: Result[] = [];
  let exit: number | string = 'nothing was run';

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    if (!serverIsInstalled()) {
      skip(this, 'VS Code’s server is not installed');
      return;
    }
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'host-'));
    const built = await buildSuite(folder);
    const file = join(folder, 'results.jsonl');
    const grep = process.env['HITCH_TEST_GREP'] ?? '';
    server = await startServer({
      data: join(folder, 'data'),
      install: [built.jupyter, packagedExtension()],
      environment: home.environment({ HITCH_TEST_RESULTS: file, HITCH_TEST_GREP: grep }),
    });
    browser = await launchChromium(executable);
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    rememberPages(page.context());
    const ended = new Promise<number>(resolve => {
      void page.exposeFunction('codeAutomationExit', resolve);
    });
    await page.exposeFunction('codeAutomationLog', (_type: string, args: readonly unknown[]) => {
      // VS Code logs a lot that is none of ours; what a suite measures begins with this word.
      if (typeof args[0] === 'string' && args[0].startsWith('measured')) {
        console.log(`      ${args[0]}`);
      }
    });
    const workspace = join(folder, 'workspace');
    mkdirSync(workspace);
    await page.goto(
      server.url(workspace, [
        ['extensionDevelopmentPath', server.remote(built.carrier)],
        ['extensionTestsPath', server.remote(built.tests)],
      ]),
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>(resolve => {
      timer = setTimeout(() => resolve('it did not end in time'), SUITE_WITHIN_MS);
    });
    exit = await Promise.race([ended, late]);
    clearTimeout(timer);
    if (exit !== 0) {
      const kept = await keepPages('vscode-host', page.context(), {
        daemon: home.said,
        vscode: server.said(),
      });
      console.log(`      what its page showed is in ${kept}`);
    }
    results = readResults(file);
    if (this.test?.parent !== undefined) {
      adopt(this.test.parent, results);
    }
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
    await home.dispose();
    if (folder !== '') {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });

  it('is a package of exactly these files', () => {
    const chunks = /^dist\/hitch\/hitch-[A-Z0-9]{8}\.mjs$/;
    const isPage = (file: string): boolean => file.startsWith('docs/');
    const files = filesIn(join(root, '.cache/vsix')).filter(
      file => !chunks.test(file) && !file.startsWith(KEYRING),
    );
    assert.ok(files.some(isPage));
    assert.deepEqual(
      files.filter(file => isPage(file) && !/^docs\/[\w/-]+\.(?:md|png)$/.test(file)),
      [],
    );
    assert.deepEqual(
      files.filter(file => !isPage(file)),
      [
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'THIRD_PARTY_LICENSES.txt',
        'dist/extension.cjs',
        'dist/hitch/agent.mjs',
        'dist/hitch/hitch.mjs',
        'dist/hitch/python/requirements.hashes.txt',
        'dist/hitch/python/requirements.lock.txt',
        'dist/hitch/python/uv.hashes.txt',
        'dist/hitch/store-worker.mjs',
        'dist/page/page.js',
        'media/gpus.svg',
        'media/icon.png',
        'media/icon.svg',
        'media/screen.png',
        'media/walkthrough-connect.svg',
        'media/walkthrough-rent.svg',
        'media/walkthrough-run.svg',
        'media/walkthrough-stop.svg',
        'package.json',
      ],
    );
    const licences = readFileSync(join(root, '.cache/vsix/THIRD_PARTY_LICENSES.txt'), 'utf8');
    for (const name of ['zod', 'ws', 'lit', 'node-fetch', 'kysely']) {
      assert.match(licences, new RegExp(`^${name} \\d`, 'm'));
    }
    // A PNG says its size at a fixed place.
    const icon = readFileSync(join(root, 'extension/media/icon.png'));
    assert.deepEqual([icon.readUInt32BE(16), icon.readUInt32BE(20)], [128, 128]);
  });

  it('brings the keychain’s native module for each system, beside the program that loads it', () => {
    const installed = readdirSync(join(folder, 'data', 'extensions')).find(name => /^hitch\./.test(name));
    const programs = join(folder, 'data', 'extensions', installed ?? '', 'dist', 'hitch');
    assert.equal(
      readdirSync(join(programs, 'node_modules', '@napi-rs')).filter(name => name !== 'keyring').length,
      5,
    );
    const { AsyncEntry } = z
      .looseObject({ AsyncEntry: z.unknown() })
      .parse(createRequire(join(programs, 'hitch.mjs'))('@napi-rs/keyring'));
    assert.equal(typeof AsyncEntry, 'function');
  });

  it('runs to its end', () => {
    const end = results.at(-1)?.state;
    assert.equal(end, 'ended', `${String(exit)}\n${server?.said().slice(-3000) ?? ''}\n${home.lastWords()}`);
    assert.ok(results.length > 1, 'no test ran inside');
  });
});
