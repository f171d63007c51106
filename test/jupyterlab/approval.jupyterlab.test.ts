/**
 * A hostile page: a script in JupyterLab's own page, with its cookie, its XSRF token and the bridge. It tries everything
 * that such a script can to spend without a person; then a person says yes in the daemon's window.
 */
import assert from 'node:assert/strict';
import type { Cluster } from '@hitch/contract';
import type { BrowserContext, Page } from 'playwright-core';
import * as z from 'zod';
import { sayYes, withdrawAll } from '../support/approval.ts';
import { chromiumOrSkip, launchChromium } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab, type LabPage } from '../support/jupyterlab.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

/** What the script has: all that the page has. */
const SCRIPT = `
  const config = JSON.parse(document.getElementById('jupyter-config-data').textContent);
  const xsrf = /_xsrf=([^;]+)/.exec(document.cookie)?.[1] ?? '';
  window.hostile = {
    async call(method, path, body, headers = {}) {
      const answer = await fetch(config.baseUrl + 'hitch/' + path, {
        method,
        headers: { 'Content-Type': 'application/json', 'X-XSRFToken': xsrf, ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: await answer.json().catch(() => null) };
    },
  };
`;
const answerSchema = z.object({ status: z.number(), body: z.unknown() });
const quoteSchema = z.object({ id: z.string() });
const approvalSchema = z.object({
  id: z.string(),
  code: z.string(),
  state: z.string(),
  windowUrl: z.string(),
});
type Approval = z.infer<typeof approvalSchema>;

const REQUEST = { filter: { practice: 'only', maxGpuCount: 1 } };
const SLOW_MS = 120_000;

describe('a hostile page in JupyterLab', function suite() {
  this.timeout(4 * 60_000);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  let executable: string;
  let lab: JupyterLab | undefined;
  let page: LabPage;

  before(async function start() {
    needsRealNodes(this);
    executable = chromiumOrSkip(this);
    await home.start();
    lab = await new JupyterLab({ home }).start();
    page = await lab.open(executable);
    await page.page.evaluate(SCRIPT);
  });

  after(async () => {
    await lab?.dispose();
    await home.dispose();
  });

  afterEach(async function keep() {
    await page.keepFailure('approval', this.currentTest);
    await withdrawAll(page, home);
  });

  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<z.infer<typeof answerSchema>> =>
    answerSchema.parse(
      await page.page.evaluate(
        `window.hostile.call(${[method, path, body, headers].map(value => JSON.stringify(value) ?? 'undefined').join(', ')})`,
      ),
    );
  const quoteId = async (more: object = {}): Promise<string> =>
    quoteSchema.parse((await call('POST', 'api/quotes', { ...REQUEST, ...more })).body).id;
  const ask = async (action: object): Promise<Approval> =>
    approvalSchema.parse((await call('POST', 'api/approvals', action)).body);
  const askToRent = async (name: string): Promise<Approval> =>
    ask({ kind: 'rent', name, quoteId: await quoteId() });
  const clusters = (): Promise<Cluster[]> => home.api.clusters.list();
  const names = async (): Promise<string[]> => (await clusters()).map(({ name }) => name).sort();

  /** A window that the script opens, as a person then sees it. */
  async function openedByScript({ windowUrl }: Approval): Promise<Page> {
    const opening = page.page.context().waitForEvent('page', { timeout: SLOW_MS });
    await page.page.evaluate(`void (window.opened = window.open(${JSON.stringify(windowUrl)}, 'theirs'))`);
    const opened = await opening;
    await opened.getByRole('button', { name: 'Cancel' }).waitFor({ timeout: SLOW_MS });
    return opened;
  }

  it('rents nothing through the bridge, whatever it says it is', async () => {
    const id = await quoteId();
    for (const headers of [
      {},
      { 'X-Hitch-Client': 'cli' },
      { 'X-Hitch-Local-Root': '/' },
      { Authorization: 'Bearer ' },
      { 'X-Forwarded-For': '127.0.0.1', Forwarded: 'for=127.0.0.1' },
    ]) {
      const { status } = await call('POST', 'api/clusters', { quoteId: id, name: 'stolen' }, headers);
      assert.equal(status, 403, JSON.stringify(headers));
    }
    for (const [path, body] of [
      ['api/daemon/stop', {}],
      ['api/ssh-config/include', { file: '/tmp/theirs', yes: true }],
      ['api/ssh-config/exclude', { file: '/tmp/theirs', yes: true }],
    ] as const) {
      assert.equal((await call('POST', path, body)).status, 403, path);
    }
    for (const [method, path, body] of [
      ['PUT', 'api/networks/sandbox/login', { values: { apiKey: 'theirs' } }],
      ['DELETE', 'api/networks/sandbox/login', undefined],
      ['POST', 'api/machines', { machine: 'theirs' }],
      ['DELETE', 'api/machines/theirs', undefined],
      ['POST', 'api/machines/theirs/clean', {}],
    ] as const) {
      assert.equal((await call(method, path, body)).status, 403, `${method} ${path}`);
    }
    assert.deepEqual(await names(), []);
  });

  it('does not answer its own request: by the bridge, by a fetch, by a form or by what it can read', async () => {
    const approval = await askToRent('stolen');
    assert.equal((await call('POST', `api/approvals/${approval.id}/answer`, { yes: true })).status, 403);
    for (const path of [
      `approvals/${approval.id}`,
      `api/../approvals/${approval.id}`,
      `api/%2e%2e/approvals/${approval.id}`,
      `clusters/..%2fapprovals/${approval.id}`,
    ]) {
      const { status } = await call('GET', path);
      assert.ok(status >= 400, `${path} answered ${status.toString()}`);
    }
    const said = await page.page.evaluate<Record<string, string>>(`(async () => {
      const at = ${JSON.stringify(approval.windowUrl)};
      const of = async (url, init) => {
        try {
          const answer = await fetch(url, init);
          return answer.type + ' ' + answer.status + ' ' + (await answer.text());
        } catch (error) {
          return 'refused';
        }
      };
      const body = JSON.stringify({ secret: '', yes: true });
      return {
        read: await of(at),
        readBlind: await of(at, { mode: 'no-cors' }),
        withCookies: await of(at, { mode: 'no-cors', credentials: 'include' }),
        json: await of(at + '/answer', { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
        text: await of(at + '/answer', { method: 'POST', mode: 'no-cors', body }),
        state: await of(at + '/state'),
      };
    })()`);
    for (const [how, what] of Object.entries(said)) {
      assert.match(what, /^(?:refused|opaque 0 )$/, how);
    }
    const posting = page.page.context().waitForEvent('page');
    await page.page.evaluate(`(() => {
      const form = document.createElement('form');
      Object.assign(form, { method: 'post', enctype: 'text/plain', target: '_blank' });
      form.action = ${JSON.stringify(approval.windowUrl)} + '/answer';
      const field = document.createElement('input');
      field.name = '{"secret":"","yes":true,"x":"';
      field.value = '"}';
      form.append(field);
      document.body.append(form);
      form.submit();
    })()`);
    await (await posting).waitForLoadState();
    assert.equal((await home.api.approvals.list()).length, 1);
    assert.deepEqual(await names(), []);
  });

  it('does not get the window into a frame', async () => {
    const { windowUrl } = await askToRent('stolen');
    await page.page.evaluate(`(() => {
      const frame = document.createElement('iframe');
      frame.id = 'framed';
      frame.src = ${JSON.stringify(windowUrl)};
      window.framed = new Promise(resolve => (frame.onload = () => resolve(null)));
      document.body.append(frame);
      return window.framed;
    })()`);
    const handle = await page.page.locator('#framed').elementHandle();
    const frame = await handle?.contentFrame();
    assert.ok(frame);
    await until('the frame shows that it is refused', () => frame.url().startsWith('chrome-error:'));
    assert.equal(await frame.locator('#yes').count(), 0);
    await page.page.evaluate(`document.getElementById('framed').remove()`);
    assert.deepEqual(await names(), []);
  });

  it('keeps no hold of the window that it opens: it cannot read, press, move, close or replace it', async () => {
    const opened = await openedByScript(await askToRent('stolen'));
    const has = () =>
      page.page.evaluate<string>(`(() => {
        try { return String(window.opened.document.body.dataset.secret); } catch { return 'refused'; }
      })()`);
    await until('the handle leads nowhere', async () => page.page.evaluate<boolean>('window.opened.closed'));
    assert.match(await has(), /^(?:refused|undefined)$/);
    await page.page.evaluate(`(() => {
      for (const does of [
        () => window.opened.postMessage({ yes: true }, '*'),
        () => window.opened.focus(),
        () => window.opened.resizeTo(100, 100),
        () => (window.opened.location = 'about:blank'),
        () => window.opened.close(),
        () => window.open('about:blank', 'theirs'),
      ]) {
        try { does(); } catch { /* It is refused, which is what is wanted. */ }
      }
    })()`);
    assert.equal(await opened.evaluate('window.opener'), null);
    assert.equal(opened.isClosed(), false);
    assert.match(opened.url(), /\/approvals\/apr_/);
    // Stands for a script that came into the window after all: what it presses is not a person.
    await opened.locator('#yes[aria-disabled=false]').waitFor({ timeout: SLOW_MS });
    await opened.evaluate(`(() => {
      const yes = document.getElementById('yes');
      yes.click();
      for (const name of ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click']) {
        yes.dispatchEvent(new MouseEvent(name, { bubbles: true, detail: 1 }));
      }
      yes.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    })()`);
    const closing = opened.waitForEvent('close');
    await opened.getByRole('button', { name: 'Cancel' }).click();
    await closing;
    assert.deepEqual(await names(), []);
  });

  describe('before a person who is not looking', () => {
    let context: BrowserContext;
    let window: Page;

    /** With time in the test's hands. */
    async function openWindow(
      { windowUrl }: Approval,
      viewport = { width: 560, height: 640 },
    ): Promise<void> {
      const browser = await launchChromium(executable);
      context = await browser.newContext({ viewport });
      await context.clock.install({ time: 0 });
      await context.clock.pauseAt(1_000);
      window = await context.newPage();
      await window.goto(windowUrl);
      await window.locator('#no:focus').waitFor();
    }

    afterEach(() => context.browser()?.close());

    it('gets no yes from a click, a double click or a key that was meant for what was there before', async () => {
      await openWindow(await askToRent('stolen'));
      const yes = window.locator('#yes');
      for (let press = 0; press < 4; press++) {
        await window.clock.runFor(900);
        await yes.dblclick({ force: true });
        await yes.focus();
        await window.keyboard.press('Enter');
        await window.keyboard.press('Space');
      }
      assert.equal(await yes.getAttribute('aria-disabled'), 'true');
      assert.ok(!(await names()).includes('stolen'));
      await window.clock.runFor(1_000);
      assert.equal(await yes.getAttribute('aria-disabled'), 'false');
    });

    it('gets no yes in a window that is too small to be read', async () => {
      await openWindow(await askToRent('stolen'), { width: 200, height: 120 });
      await window.clock.runFor(5_000);
      await window.getByText('Make this window larger to approve.').waitFor();
      await window.locator('#yes').click({ force: true });
      assert.ok(!(await names()).includes('stolen'));
      await window.setViewportSize({ width: 560, height: 640 });
      await window.getByText('Make this window larger to approve.').waitFor({ state: 'hidden' });
    });
  });

  it('gets what the person read and nothing else, when it asks for more at the same time', async () => {
    const cheap = await askToRent('wanted');
    const shown = await openedByScript(cheap);
    const dear = await ask({
      kind: 'rent',
      name: 'stolen',
      quoteId: await quoteId({ nodes: 2, capMicroUsd: '90000000' }),
    });
    await shown.getByText('It is called wanted').waitFor();
    await sayYes(shown);
    assert.deepEqual(await names(), ['wanted']);
    assert.deepEqual(
      (await home.api.approvals.list()).map(({ id }) => id),
      [dear.id],
    );
    const said = approvalSchema.parse((await call('GET', `api/approvals/${cheap.id}`)).body);
    assert.equal(said.state, 'done');
  });

  it('cannot use that yes again, change what it was for, or raise its limits; less it may ask for', async () => {
    const [cluster] = await clusters();
    assert.ok(cluster);
    const other = await quoteId({ nodes: 2 });
    const at = `api/clusters/${cluster.id}`;
    for (const [path, body] of [
      ['api/clusters', { quoteId: other, name: 'stolen' }],
      [`${at}/start`, { quoteId: other }],
      [`${at}/extend`, { capMicroUsd: '90000000' }],
      [`${at}/extend`, { idleMs: null }],
      [`${at}/extend`, { capMicroUsd: '1000000', idleMs: null }],
    ] as const) {
      assert.equal((await call('POST', path, body)).status, 403, `${path} ${JSON.stringify(body)}`);
    }
    assert.deepEqual((await home.cluster(cluster.id)).caps, cluster.caps);
    assert.deepEqual(await names(), ['wanted']);
    assert.equal((await call('POST', `${at}/extend`, { idleMs: 600_000 })).status, 200);
    assert.equal((await home.cluster(cluster.id)).caps.idleMs, 600_000);
  });

  it('is told when it asks too often, and asks nobody then', async () => {
    const id = await quoteId();
    const tried: number[] = [];
    for (let times = 0; times < 25; times++) {
      tried.push((await call('POST', 'api/approvals', { kind: 'rent', quoteId: id })).status);
    }
    assert.deepEqual([tried.filter(status => status === 200).length, tried.at(-1)], [20, 409]);
    assert.deepEqual(await names(), ['wanted']);
  });
});
