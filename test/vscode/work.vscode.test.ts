/** What is worked with on a cluster, in the workbench: templates, jobs, environments; each screen is kept, dark and light. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Job } from '@hitch/contract';
import type { Frame, Locator } from 'playwright-core';
import { chromiumOrSkip, launchChromium } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';
import { buildSuite } from './support/build-suite.ts';
import { serverIsInstalled, startServer } from './support/server.ts';
import { Workbench, writeUserSettings } from './support/workbench.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, '.cache/vscode-tests');

/** Packages come from an index, and a cluster is set up. */
const SLOW_MS = 180_000;

/** It sets a machine up and runs nothing, so that it can be rented for. */
const SETTINGS_ONLY = `schema: hitch-template/1
name: exploring
version: 1.0.0
title: Exploring on one card
description: A notebook with room for a model.
license: Apache-2.0
parameters:
  batch: {type: integer, default: 8, min: 1, max: 64, title: Batch size}
resources:
  - {gpu: {vramGiB: 40}}
limits: {total: '$1', time: 2h}
notebook: start.ipynb
`;

describe('work on a cluster, in the workbench', function suite() {
  this.timeout(6 * 60_000);
  const close = new AsyncDisposableStack();
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  close.defer(() => home.dispose());
  let bench: Workbench;

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    if (!serverIsInstalled()) {
      skip(this, 'VS Code’s server is not installed');
      return;
    }
    await home.start();
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'work-'));
    close.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const built = await buildSuite(folder);
    const data = join(folder, 'data');
    const workspace = join(folder, 'workspace');
    const template = join(workspace, 'exploring');
    mkdirSync(template, { recursive: true });
    writeFileSync(join(template, 'hitch.yaml'), SETTINGS_ONLY);
    writeFileSync(
      join(template, 'start.ipynb'),
      '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    );
    const code = join(workspace, 'code');
    mkdirSync(code);
    writeFileSync(
      join(code, 'train.py'),
      'import sys, time\nprint("arguments", sys.argv[1:], flush=True)\nwhile True: time.sleep(0.1)\n',
    );
    writeFileSync(join(workspace, 'requirements.txt'), 'iniconfig==2.1.0\nipykernel==7.4.0\n');
    writeUserSettings(data);
    const server = await startServer({ data, install: [built.jupyter], environment: home.environment() });
    close.defer(() => server.stop());
    const browser = await launchChromium(executable);
    close.defer(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    bench = new Workbench(page, join(cache, 'pictures'));
    await page.goto(
      server.url(workspace, [['extensionDevelopmentPath', server.remote(join(root, 'extension'))]]),
      { timeout: 180_000 },
    );
  });

  afterEach(async function keep() {
    await bench.keepFailure('vscode-work', this.currentTest, { daemon: home.said });
    await bench.clear();
  });

  after(() => close.disposeAsync());

  const templates = (frame: Frame): Locator => frame.locator('hitch-templates');
  const inTemplates = (find: (view: Locator) => Locator): Promise<Locator> =>
    bench.inPage(frame => find(templates(frame)));

  it('shows a template’s form, whose values the daemon judges as one types', async () => {
    await bench.openView();
    await bench.text(/No clusters yet/);
    await bench.command('GPUs: Focus on Templates View');
    const row = /^Template Train a small classifier with NumPy: needs 1 core; 2 GB memory/;
    const steps = (view: Locator): Locator => view.getByRole('textbox', { name: /^Steps/ });
    await (await bench.row(row)).click();
    await (await inTemplates(steps)).fill('0');
    await inTemplates(view =>
      view.getByRole('alert').filter({ hasText: '“Steps” is 0; it must be at least 1.' }),
    );
    await inTemplates(view => view.getByRole('textbox', { name: /^Spending limit/ }));
    await inTemplates(view => view.getByRole('button', { name: 'Run…' }));
    await bench.standsOut(frame => templates(frame).locator('form'), 'main');
    await bench.picture('40-template');
    await bench.contrast('40-template');
  });

  it('goes on from the form to the offers that fit, the limits of the template, and the price', async () => {
    await bench.command('Hitch: Templates');
    const exploring = await inTemplates(view =>
      view.getByRole('button', { name: /^Exploring on one card needs 1× any GPU, 40 GB/ }),
    );
    await exploring.click();
    await (await inTemplates(view => view.getByRole('textbox', { name: /^Batch size/ }))).fill('16');
    const choose = await inTemplates(view => view.getByRole('button', { name: 'Rent…' }));
    await bench.bring(bench.picker.getByRole('option', { name: /The best available/ }), () => choose.click());
    await bench.picture('41-template-offer');
    await bench.choose(/The best available/);
    await bench.enter('exploring', /Name \(optional\)/);
    await bench.found(bench.picker.getByRole('option', { name: /At most \$1\.00/ }));
    await bench.found(bench.picker.getByRole('option', { name: /After 2 h\b/ }));
    await bench.choose(/Review and rent/);
    await bench.found(bench.dialog.getByText(/^Rent 1× /));
    await bench.picture('42-template-confirm');
    await bench.contrast('42-template-confirm');
    await bench.clear();
    assert.equal((await home.api.clusters.list()).length, 0, 'nothing is rented without the yes');
  });

  it('pins the packages of a file of the folder, and rents with them', async () => {
    await bench.command('Hitch: Rent GPUs…');
    await bench.choose(/Practice on this computer/);
    await bench.choose(/The best available/);
    await bench.choose(/Notebook/);
    await bench.enter('llm-dev', /Name \(optional\)/);
    await bench.choose(/Packages: Hitch’s own/);
    await bench.found(bench.picker.getByRole('option', { name: /Hitch’s own packages/ }));
    await bench.picture('43-packages');
    await bench.choose(/requirements\.txt/);
    await bench.found(
      bench.picker.getByRole('option', { name: /Packages: requirements\.txt, Python 3\.\d+, \d+ packages/ }),
      SLOW_MS,
    );
    await bench.picture('44-packages-pinned');
    await bench.choose(/Review and rent/);
    await bench.found(bench.dialog.getByText(/Environment: requirements\.txt, Python 3/));
    await bench.answer(/^Rent for up to/);
    await bench.row(/Cluster llm-dev/);
    await until('a notebook can run', async () => {
      const [cluster] = await home.api.clusters.list();
      return cluster?.conditions.kernel.status === 'yes' && cluster.environment?.file === 'requirements.txt';
    });
  });

  it('runs a file as a job, which stands in the list, and is named before the cluster is stopped', async () => {
    await bench.open('train.py', bench.page.locator('.editor-instance'));
    await bench.command('Hitch: Run as Job…');
    await bench.enter('--lr 3', /Arguments/);
    await bench.inPage(frame => frame.locator('hitch-job').getByText("arguments ['--lr', '3']"));
    await bench.standsOut(frame => frame.locator('hitch-job'), 'main');
    await bench.picture('45-job');
    await bench.command('GPUs: Focus on Jobs View');
    await bench.row(/^Job train on llm-dev: Running/);
    await bench.picture('46-jobs');
    await bench.openView();
    await bench.rowButton(
      /Cluster llm-dev/,
      /Stop/,
      bench.dialog.getByText(/1 job is running: train\. A stop ends/),
    );
    await bench.picture('47-stop-with-a-job');
    await bench.clear();
    await bench.command('GPUs: Focus on Jobs View');
    await bench.rowMenu(
      /^Job train on llm-dev/,
      'Stop Job',
      bench.page.getByRole('treeitem', { name: /^Job train on llm-dev: Stopp/ }),
    );
  });

  it('changes the packages of a cluster that runs, after a yes, and says when it is done', async () => {
    await bench.command('Hitch: Change Environment…');
    await bench.found(bench.picker.getByPlaceholder(/^Now: requirements\.txt, Python 3/));
    await bench.picture('48-environment');
    await bench.choose(/Those it has, and more/);
    await bench.enter('tomli==2.2.1', /More packages/);
    await bench.found(bench.dialog.getByText(/Change the environment of llm-dev\?/), SLOW_MS);
    await bench.found(bench.dialog.getByText(/Kernels that run keep the old one until they are restarted/));
    await bench.picture('49-environment-confirm');
    await bench.answer('Change It');
    await until(
      'it is changed',
      async () => {
        const environment = (await home.api.clusters.list())[0]?.environment;
        const id = environment?.id ?? null;
        if (id === null || environment?.change !== null) {
          return false;
        }
        const { packages } = await home.api.environments.get({ id });
        return packages.some(({ name }) => name === 'tomli');
      },
      SLOW_MS,
    );
    const messages = await bench.notifications();
    await bench.found(messages.getByText(/The environment of llm-dev is changed/));
    await bench.hideNotifications();
  });

  it('runs a template with a command: its price, the yes, and its job until the machine is gone', async function run() {
    this.timeout(10 * 60_000);
    const runs = async (): Promise<readonly Job[]> =>
      (await home.api.jobs.list({})).filter(({ name }) => name.startsWith('numpy-classifier'));
    await bench.command('Hitch: Templates');
    const classifier = await inTemplates(view =>
      view.getByRole('button', { name: /^Train a small classifier with NumPy needs/ }),
    );
    await classifier.click();
    await (
      await inTemplates(view => view.getByRole('combobox', { name: 'Preset' }))
    ).selectOption({ label: 'Does it run?' });
    await (await inTemplates(view => view.getByRole('textbox', { name: /^Steps/ }))).fill('60');
    const run = await inTemplates(view => view.getByRole('button', { name: 'Run…' }));
    // A quote that nobody answered keeps its name for a while: the next one is called otherwise.
    const priced = bench.dialog.getByText(
      /For the job numpy-classifier\S*\. Runs .*template numpy-classifier/,
    );
    await run.click();
    await bench.found(priced, SLOW_MS);
    await bench.picture('50-template-run');
    await bench.answer('Change…');
    assert.deepEqual(await runs(), [], 'nothing is begun without the yes');
    const again = await inTemplates(view => view.getByRole('button', { name: 'Run…' }));
    await again.click();
    await bench.found(priced, SLOW_MS);
    await bench.answer(/^Run for up to \$1\.00$/);
    await bench.inPage(frame =>
      frame
        .locator('hitch-job')
        .getByRole('status')
        .filter({ hasText: /Waiting for a machine|Renting a machine|Sending its files|Starting|Running/ }),
    );
    await bench.picture('51-template-job');
    await until('its machine is gone', async () => (await runs())[0]?.rental?.stage === 'over', 4 * SLOW_MS);
    await bench.inPage(frame => frame.locator('hitch-job').getByText(/^Finished in .*; machine deleted$/));
    await bench.inPage(frame => frame.locator('hitch-job').getByText(/"step": 60/));
    await bench.standsOut(frame => frame.locator('hitch-job'), 'main');
    await bench.picture('52-template-job-over');
    const [ran, ...others] = await runs();
    assert.equal(others.length, 0);
    assert.equal(ran?.rental?.machinesLeft, 0);
  });
});
