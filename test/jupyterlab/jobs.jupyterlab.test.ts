/** Jobs in JupyterLab: a file is run as one, its log is followed in a tab, and it stands in the list beside the clusters. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabCluster } from '../support/lab-cluster.ts';
import { look } from '../support/lab-looks.ts';
import { until } from '../support/waiting.ts';

const SLOW_MS = 120_000;

describe('Jobs in JupyterLab', function suite() {
  this.timeout(5 * 60_000);
  this.bail(true);
  const at = new LabCluster();

  before(async function start() {
    await at.start(this);
    const folder = join(at.lab.work, 'code');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(at.lab.work, 'requirements.txt'), 'iniconfig==2.1.0\nipykernel==7.4.0\n');
    writeFileSync(
      join(folder, 'train.py'),
      'import sys, time\nprint("arguments", sys.argv[1:])\nwhile True: time.sleep(0.1)\n',
    );
  });

  after(() => at.dispose());

  it('runs a file with the arguments that a person types, and follows what it prints', async () => {
    const { page } = at.page;
    await at.page.begin('hitch:run-as-job', { path: 'code/train.py' });
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').fill('--lr "3 e-4"');
    await page.keyboard.press('Enter');
    const tab = page.locator('hitch-job');
    await tab.getByText("arguments ['--lr', '3 e-4']").waitFor({ timeout: SLOW_MS });
    await tab.getByText(/^Running, /).waitFor({ timeout: SLOW_MS });
    await look(at.page, 'jobs-tab', 'hitch-job');
    // Its colours are JupyterLab's, also where it is the first view of ours on the page.
    const [ours, theirs] = await tab.evaluate(view => [
      getComputedStyle(view).getPropertyValue('--vscode-button-secondaryBackground').trim(),
      getComputedStyle(document.body).getPropertyValue('--jp-layout-color2').trim(),
    ]);
    assert.equal(ours, theirs);
  });

  it('shows it beside the clusters, with how it stands', async () => {
    await at.page.command('hitch:open-panel');
    const row = at.page.page
      .getByRole('region', { name: 'Jobs' })
      .getByRole('button', { name: /^train\s+Running/ });
    await row.waitFor({ timeout: SLOW_MS });
    await look(at.page, 'jobs-list', '.jp-Hitch-jobs');
    await row.click();
  });

  it('is named before its cluster is stopped', async () => {
    await at.page.begin('hitch:stop', { clusterId: at.cluster.id });
    const dialog = at.page.page.getByRole('dialog');
    await dialog.getByText(/^1 job is running: train\. A stop ends what runs/).waitFor({ timeout: SLOW_MS });
    await look(at.page, 'jobs-stop', '.jp-Dialog');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });

  it('ends it when it is told to', async () => {
    await at.page.page.locator('hitch-job').getByRole('button', { name: 'Stop job' }).click();
    await at.page.page
      .locator('hitch-job')
      .getByText(/^Stopped after /)
      .waitFor({ timeout: SLOW_MS });
    const [job] = await at.home.api.jobs.list({});
    assert.equal(job?.runs[0]?.cause, 'stopped');
    await until('it can be run again', async () =>
      at.page.page.locator('hitch-job').getByRole('button', { name: 'Run again' }).isVisible(),
    );
  });

  it('compares it with another run, chosen in the list', async () => {
    const { page } = at.page;
    await page.locator('hitch-job').getByRole('button', { name: 'Run again' }).click();
    const list = page.getByRole('region', { name: 'Jobs' });
    const choices = list.getByRole('checkbox', { name: /^Compare train/ });
    await until('there are two', async () => (await choices.count()) === 2);
    const compare = list.getByRole('button', { name: 'Compare the two that are chosen' });
    assert.ok(await compare.isDisabled());
    await choices.first().press('Space');
    await choices.last().press('Space');
    await compare.press('Enter');
    const tab = page.locator('hitch-job-compare');
    const results = tab.getByRole('table', { name: 'Results' });
    await results.getByRole('row', { name: /^state .*stopped/ }).waitFor({ timeout: SLOW_MS });
    await look(at.page, 'jobs-compare', 'hitch-job-compare');
    const [, second] = await at.home.api.jobs.list({});
    assert.ok(second !== undefined);
    await at.home.api.jobs.stop({ jobId: second.id });
  });

  it('changes the packages that its cluster has, after a yes', async () => {
    const { page } = at.page;
    await at.page.begin('hitch:change-environment', { clusterId: at.cluster.id });
    const dialog = page.getByRole('dialog');
    await dialog
      .getByRole('combobox')
      .selectOption({ label: 'Those of requirements.txt' }, { timeout: SLOW_MS });
    await look(at.page, 'environment-choice', '.jp-Dialog');
    await dialog.getByRole('button', { name: 'Pin the packages…' }).click();
    await dialog.getByText(/^requirements\.txt, Python 3\.\d+, \d+ packages/).waitFor({ timeout: SLOW_MS });
    await dialog.getByText('Kernels that run keep the old one until they are restarted.').waitFor();
    await look(at.page, 'environment-confirm', '.jp-Dialog');
    await dialog.getByRole('button', { name: 'Change it' }).click();
    const section = page.getByRole('region', { name: 'Packages' });
    await section.getByText(/^requirements\.txt, Python 3\.\d+, \d+ packages$/).waitFor({ timeout: SLOW_MS });
    await look(at.page, 'environment-changed', '.jp-Hitch-tab');
    const { environment } = await at.home.api.clusters.get({ clusterId: at.cluster.id });
    assert.equal(environment?.file, 'requirements.txt');
  });
});
