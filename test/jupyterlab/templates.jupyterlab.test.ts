/**
 * Templates in JupyterLab: a form that the daemon judges as one types, the offers that fit, the price and the
 * yes; and one with a command from its form to its job's end. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lookAtWindow, sayYes, windowOpenedBy } from '../support/approval.ts';
import { chromiumOrSkip } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab, type LabPage } from '../support/jupyterlab.ts';
import { collectUncaught, look } from '../support/lab-looks.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const SLOW_MS = 120_000;

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

describe('Templates in JupyterLab', function suite() {
  this.timeout(5 * 60_000);
  this.bail(true);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  const problems: string[] = [];
  let lab: JupyterLab;
  let page: LabPage;

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    await home.start();
    lab = new JupyterLab({ home });
    const folder = join(lab.work, 'exploring');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'hitch.yaml'), SETTINGS_ONLY);
    writeFileSync(
      join(folder, 'start.ipynb'),
      '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    );
    writeFileSync(join(lab.work, 'requirements.txt'), 'iniconfig==2.1.0\nipykernel==7.4.0\n');
    writeFileSync(
      join(lab.work, 'wrong.py'),
      '# /// script\n# dependencies = ["no-such-package-of-anybody==1.0"]\n# ///\n',
    );
    await lab.start();
    page = await lab.open(executable);
    collectUncaught(page, problems);
  });

  afterEach(async function keep() {
    await (page as LabPage | undefined)?.keepFailure('templates', this.currentTest);
  });

  after(async () => {
    await (lab as JupyterLab | undefined)?.dispose();
    await home.dispose();
  });

  const templates = () => page.page.locator('hitch-templates');

  it('lists those that come with Hitch and those of its own folder, each with what it needs', async () => {
    await page.command('hitch:open-panel');
    await page.page
      .getByRole('region', { name: 'GPUs', exact: true })
      .getByRole('button', { name: 'Templates' })
      .click();
    await templates()
      .getByRole('button', { name: /^Exploring on one card needs 1× any GPU, 40 GB from the folder/ })
      .waitFor({ timeout: SLOW_MS });
    await templates()
      .getByRole('button', { name: /^Train a small classifier with NumPy needs 1 core; 2 GB memory/ })
      .click();
    await templates()
      .getByRole('textbox', { name: /^Steps/ })
      .waitFor({ timeout: SLOW_MS });
    // The lower of its own limits and those of the settings.
    await templates()
      .getByRole('textbox', { name: /^Spending limit/ })
      .waitFor();
    assert.match(await templates().locator('#run-cap input').inputValue(), /^1(\.00)?$/);
    await templates().getByRole('button', { name: 'Run…' }).waitFor();
    await look(page, 'templates-form', 'hitch-templates');
  });

  it('has each value judged by the daemon, and fills the form by a preset', async () => {
    const steps = templates().getByRole('textbox', { name: /^Steps/ });
    await steps.fill('0');
    await templates()
      .getByRole('alert')
      .filter({ hasText: '“Steps” is 0; it must be at least 1.' })
      .waitFor();
    await look(page, 'templates-mistake', 'hitch-templates');
    await templates().getByRole('combobox', { name: 'Preset' }).selectOption({ label: 'To the end' });
    await until('the preset’s value', async () => (await steps.inputValue()) === '2000');
    // Others on the list need the same.
    await templates().locator('dd', { hasText: '2 cores; 4 GB memory' }).waitFor();
  });

  it('says a mistake of the file with its place as soon as it is there, and no more once it is mended', async () => {
    const file = join(lab.work, 'exploring', 'hitch.yaml');
    writeFileSync(file, SETTINGS_ONLY.replace('title: Exploring', 'titel: Exploring'));
    const wrong = templates().getByRole('button', { name: /has a mistake|has 2 mistakes/ });
    await wrong.click({ timeout: SLOW_MS });
    await templates()
      .getByText(/^hitch\.yaml:4:1$/)
      .waitFor();
    writeFileSync(file, SETTINGS_ONLY);
    await templates()
      .getByRole('button', { name: /^Exploring on one card needs/ })
      .click({ timeout: SLOW_MS });
  });

  it('marks the mistakes of its file when it is saved there, each with its place, by keyboard too', async () => {
    await page.command('docmanager:open', { path: 'exploring/hitch.yaml', factory: 'Editor' });
    const text = page.page.locator('.jp-FileEditor .cm-content');
    await text.getByText('title:').first().waitFor({ timeout: SLOW_MS });
    await text.click();
    await page.page.keyboard.press('ControlOrMeta+Home');
    for (let line = 1; line < 4; line++) {
      await page.page.keyboard.press('ArrowDown');
    }
    await page.page.keyboard.press('Delete');
    await page.page.keyboard.press('ControlOrMeta+S');
    const marks = page.page.getByRole('region', { name: 'Mistakes in this template' });
    await marks
      .getByText('There is no key “itle” in a template. Did you mean “title”?')
      .waitFor({ timeout: SLOW_MS });
    await look(page, 'templates-marks', '.jp-Hitch-marks');
    await marks.getByRole('button', { name: 'hitch.yaml:4:1' }).focus();
    await page.page.keyboard.press('Enter');
    // The focus is in the text again, at the place.
    await page.page.keyboard.type('t');
    await page.page.keyboard.press('ControlOrMeta+S');
    await marks.getByText('This template has no mistakes.').waitFor({ timeout: SLOW_MS });
    await page.command('hitch:templates');
  });

  it('goes on to the offers that fit it, the form with its limits, and the price', async () => {
    await templates()
      .getByRole('textbox', { name: /^Batch size/ })
      .fill('16');
    await templates().getByRole('button', { name: 'Rent…' }).click();
    await page.page
      .getByText('For the template “Exploring on one card”: the offers that fit it.')
      .waitFor({ timeout: SLOW_MS });
    const table = page.page.locator('hitch-offer-table');
    await table.getByRole('button', { name: /^Remove filter ≥ 40 GB/ }).waitFor({ timeout: SLOW_MS });
    await look(page, 'templates-offers');
    await table
      .getByRole('gridcell', { name: /^Rent / })
      .first()
      .click();
    const form = page.page.locator('hitch-rent-form');
    await form.getByRole('combobox', { name: 'Set up' }).waitFor();
    await until('it is for the template', async () =>
      /Exploring on one card/.test(
        await form
          .locator('#set-up')
          .evaluate(select => (select as HTMLSelectElement).selectedOptions[0]?.label ?? ''),
      ),
    );
    assert.match(await form.locator('#cap input').inputValue(), /^1(\.00)?$/);
    const window = await windowOpenedBy(page, () =>
      form.getByRole('button', { name: 'Review and rent…' }).click(),
    );
    await page.page
      .locator('hitch-confirm')
      .getByText(/^Rent 1× /)
      .waitFor({ timeout: SLOW_MS });
    await window.close();
    await page.page.locator('hitch-confirm').getByRole('button', { name: 'Cancel' }).click();
    await page.page.locator('hitch-confirm').waitFor({ state: 'detached' });
    assert.equal((await home.api.clusters.list()).length, 0, 'nothing is rented without the yes');
    await page.page.getByRole('button', { name: 'Rent without it' }).click();
    await table.waitFor();
  });

  it('offers the packages of files beside the notebooks, pins them, and names them in the price', async () => {
    const table = page.page.locator('hitch-offer-table');
    await table
      .getByRole('gridcell', { name: /^Rent / })
      .first()
      .click();
    const form = page.page.locator('hitch-rent-form');
    const packages = form.getByRole('combobox', { name: 'Packages' });
    await packages.selectOption({ label: 'wrong.py' }, { timeout: SLOW_MS });
    await form
      .getByRole('alert')
      .filter({ hasText: /wrong\.py.*no-such-package-of-anybody|no-such-package-of-anybody/ })
      .waitFor({ timeout: SLOW_MS });
    await look(page, 'packages-wrong', 'hitch-rent-form');
    await packages.selectOption({ label: 'requirements.txt' });
    await form
      .getByText(/^Will be installed: requirements\.txt, Python 3\.\d+, \d+ packages/)
      .waitFor({ timeout: SLOW_MS });
    await look(page, 'packages-pinned', 'hitch-rent-form');
    const window = await windowOpenedBy(page, () =>
      form.getByRole('button', { name: 'Review and rent…' }).click(),
    );
    const confirm = page.page.locator('hitch-confirm');
    await confirm.getByText(/^Environment: requirements\.txt, Python 3/).waitFor({ timeout: SLOW_MS });
    await window.close();
    await confirm.getByRole('button', { name: 'Cancel' }).click();
    await confirm.waitFor({ state: 'detached' });
    assert.equal((await home.api.clusters.list()).length, 0);
  });

  it('runs one with a command: its price, one yes, and its job until the machine is gone', async function run() {
    this.timeout(10 * 60_000);
    await page.command('hitch:templates');
    await templates()
      .getByRole('button', { name: /^Train a small classifier with NumPy needs/ })
      .click();
    await templates()
      .getByRole('combobox', { name: 'Preset' })
      .selectOption({ label: 'Does it run?' }, { timeout: SLOW_MS });
    const steps = templates().getByRole('textbox', { name: /^Steps/ });
    await until('the preset’s value', async () => (await steps.inputValue()) === '300');
    await steps.fill('60');
    const run = templates().getByRole('button', { name: 'Run…' });
    const confirm = page.page.locator('hitch-confirm');
    const ask = () => windowOpenedBy(page, () => run.click());
    const refused = await ask();
    await confirm.getByText(/^For the job numpy-classifier\. Runs .*template numpy-classifier/).waitFor();
    await confirm.getByText(/^If the machine is lost: up to 3 others/).waitFor();
    await refused.close();
    await confirm.getByRole('button', { name: 'Cancel' }).click();
    await confirm.waitFor({ state: 'detached' });
    // One goes on by keyboard where one was.
    await page.page.waitForFunction(
      () => document.querySelector('hitch-templates')?.shadowRoot?.activeElement?.id === 'rent',
    );
    assert.deepEqual(await home.api.jobs.list({}), [], 'nothing is begun without the yes');
    const window = await ask();
    assert.deepEqual(await lookAtWindow(window, 'templates-run-window'), []);
    await sayYes(window, /^Run for up to \$1\.00$/);
    const job = page.page.locator('hitch-job');
    await job
      .getByRole('status')
      .filter({ hasText: /Waiting for a machine|Renting a machine|Sending its files|Starting|Running/ })
      .waitFor({ timeout: SLOW_MS });
    await look(page, 'templates-run-job', 'hitch-job');
    await job.getByText(/^Finished in .*; machine deleted$/).waitFor({ timeout: 4 * SLOW_MS });
    await job.getByText(/"step": 60/).waitFor();
    await job
      .getByText(/weights\.npz/)
      .first()
      .waitFor();
    await look(page, 'templates-run-over', 'hitch-job');
    const [ran, ...others] = await home.api.jobs.list({});
    assert.equal(others.length, 0);
    assert.equal(ran?.rental?.machinesLeft, 0);
    assert.deepEqual(problems, []);
  });
});
