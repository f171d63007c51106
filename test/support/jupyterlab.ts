/**
 * A real JupyterLab with Hitch in it, over a daemon's home: under a token and a base URL as on a hub, with the
 * labextension and the bridge loaded from this checkout. Nothing of the person who runs the tests is read or written.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'mocha';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type DaemonHome, HITCH_PROGRAM } from './daemon-home.ts';
import { launchChromium } from './chromium.ts';
import { keepFailedPages, rememberPages } from './failed-page.ts';
import { delay, until } from './waiting.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BRIDGE = join(root, 'jupyter-plugin', 'bridge');
const LABEXTENSIONS = join(root, 'jupyter-plugin', 'dist', 'labextensions');
const PICTURES = join(root, '.cache', 'screenshots');
const STARTS_WITHIN_MS = 120_000;
const ENDS_WITHIN_MS = 30_000;
/** For whatever waits in a page and says nothing else. */
const PAGE_WAITS_MS = 90_000;

export interface JupyterLabOptions {
  readonly home: DaemonHome;
  /** Below which everything lies, as on a hub. */
  readonly baseUrl?: string;
  /** Without Hitch, to compare with. */
  readonly bare?: boolean;
  /** A Python into which the wheel is installed; nothing of this checkout is used then. */
  readonly installedIn?: string;
  /** More variables for the server. */
  readonly environment?: Readonly<Record<string, string>>;
  /** More of Jupyter Server's own arguments. */
  readonly args?: readonly string[];
}

export class JupyterLab {
  /** The folder that the file browser shows. */
  readonly work: string;
  readonly token = 'token-of-a-test';
  readonly #folder: string;
  readonly #options: JupyterLabOptions;
  #server: ChildProcess | null = null;
  #origin = '';
  #said = '';
  #browser: Browser | null = null;

  constructor(options: JupyterLabOptions) {
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), 'hitch-lab-'));
    this.work = join(this.#folder, 'work');
    mkdirSync(this.work);
    // Else JupyterLab begins with a question about its news.
    this.settings('@jupyterlab/apputils-extension:notification', { fetchNews: 'false' });
  }

  /** Such as `/user/ann/`. */
  get baseUrl(): string {
    return this.#options.baseUrl ?? '/user/ann/';
  }

  /** A URL of the server, by a path below its base URL. */
  url(path: string): string {
    return `${this.#origin}${this.baseUrl}${path}`;
  }

  /** What the server has said. */
  get said(): string {
    return this.#said;
  }

  /** Starts the server and resolves once it answers. @throws Error with what it said. */
  async start(): Promise<this> {
    const { home, installedIn } = this.#options;
    const python = installedIn ?? process.env['HITCH_PYTHON'] ?? 'python3';
    const { HITCH_PYTHON, ...environment } = home.environment();
    const checkout = {
      HITCH_PYTHON,
      HITCH_PROGRAM,
      HITCH_NODE_PROGRAM: process.execPath,
      PYTHONPATH: BRIDGE,
    };
    const child = spawn(python, ['-m', 'jupyterlab', ...this.#arguments()], {
      env: {
        ...environment,
        ...(installedIn === undefined ? checkout : {}),
        ...this.#options.environment,
        ...this.#folders(),
      },
      cwd: this.work,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#server = child;
    const listen = (bytes: Buffer): void => {
      this.#said += bytes.toString();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    this.#origin = await until(
      'JupyterLab listens',
      () => {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`JupyterLab ended: ${this.#said}`);
        }
        return /https?:\/\/127\.0\.0\.1:\d+/.exec(this.#said)?.[0];
      },
      STARTS_WITHIN_MS,
    );
    return this;
  }

  /** Where Jupyter keeps what is a person's own. */
  #folders(): Record<string, string> {
    const data = (name: string): string => join(this.#folder, name);
    return {
      PYTHONDONTWRITEBYTECODE: '1',
      JUPYTER_CONFIG_DIR: data('config'),
      JUPYTER_DATA_DIR: data('data'),
      JUPYTER_RUNTIME_DIR: data('runtime'),
      JUPYTERLAB_SETTINGS_DIR: data('settings'),
      JUPYTERLAB_WORKSPACES_DIR: data('workspaces'),
      IPYTHONDIR: data('ipython'),
    };
  }

  /** Signs a notebook of {@link work}, as a person does who trusts it. */
  trust(name: string): void {
    const python = process.env['HITCH_PYTHON'] ?? 'python3';
    const env = { ...process.env, ...this.#folders() };
    execFileSync(python, ['-m', 'nbformat.sign', join(this.work, name)], { env, stdio: 'ignore' });
  }

  #arguments(): string[] {
    const hitch = [
      `--LabApp.extra_labextensions_path=${LABEXTENSIONS}`,
      '--ServerApp.jpserver_extensions={"jupyterlab_hitch": True}',
    ];
    return [
      '--no-browser',
      '--allow-root',
      '--ip=127.0.0.1',
      '--port=0',
      `--ServerApp.base_url=${this.baseUrl}`,
      `--IdentityProvider.token=${this.token}`,
      `--ServerApp.root_dir=${this.work}`,
      '--LabApp.expose_app_in_browser=True',
      '--LabApp.news_url=None',
      '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate',
      ...(this.#options.bare === true || this.#options.installedIn !== undefined ? [] : hitch),
      ...(this.#options.args ?? []),
    ];
  }

  /** Writes JupyterLab's settings of one plugin, as the settings editor would. */
  settings(plugin: string, values: Record<string, unknown>): void {
    const [name, part] = plugin.split(':');
    const folder = join(this.#folder, 'settings', ...(name ?? '').split('/'));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${part ?? ''}.jupyterlab-settings`), JSON.stringify(values));
  }

  useTheme(theme: 'light' | 'dark'): void {
    const name = theme === 'dark' ? 'JupyterLab Dark' : 'JupyterLab Light';
    this.settings('@jupyterlab/apputils-extension:themes', { theme: name });
  }

  /** A page of its own, logged in, with JupyterLab up. */
  async open(executable: string, path = 'lab?reset'): Promise<LabPage> {
    this.#browser ??= await launchChromium(executable);
    const context = await this.#browser.newContext({ viewport: { width: 1360, height: 850 } });
    context.setDefaultTimeout(PAGE_WAITS_MS);
    rememberPages(context);
    const page = await context.newPage();
    const separator = path.includes('?') ? '&' : '?';
    await page.goto(`${this.url(path)}${separator}token=${this.token}`, { waitUntil: 'domcontentloaded' });
    const lab = new LabPage(context, page, () => ({
      jupyterlab: this.#said,
      daemon: this.#options.home.said,
    }));
    await lab.untilReady();
    return lab;
  }

  async dispose(): Promise<void> {
    await this.#browser?.close();
    const server = this.#server;
    if (server !== null && server.exitCode === null && server.signalCode === null) {
      const gone = new Promise(resolve => server.once('exit', resolve));
      server.kill('SIGTERM');
      await Promise.race([gone, delay(ENDS_WITHIN_MS, undefined, { ref: false })]);
      if (server.exitCode === null && server.signalCode === null) {
        server.kill('SIGKILL');
        await gone;
      }
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A page on which JupyterLab runs. */
export class LabPage {
  readonly page: Page;
  readonly #context: BrowserContext;

  readonly #servers: () => Readonly<Record<string, string>>;

  /** @param servers what those behind the page have printed, by their names. */
  constructor(
    context: BrowserContext,
    page: Page,
    servers: () => Readonly<Record<string, string>> = () => ({}),
  ) {
    this.#context = context;
    this.#servers = servers;
    this.page = page;
  }

  /** Until the splash screen is gone. */
  async untilReady(): Promise<void> {
    await this.page.waitForFunction('window.jupyterapp !== undefined', undefined, { timeout: 120_000 });
    await this.page.evaluate('window.jupyterapp.restored.then(() => null)');
  }

  /** One of JupyterLab's commands; its result does not come back. */
  async command(id: string, args: Record<string, unknown> = {}): Promise<void> {
    await this.page.evaluate(
      `window.jupyterapp.commands.execute(${JSON.stringify(id)}, ${JSON.stringify(args)}).then(() => null)`,
    );
  }

  /** Begins a command that waits for a person. */
  async begin(id: string, args: Record<string, unknown> = {}): Promise<void> {
    await this.page.evaluate(
      `void window.jupyterapp.commands.execute(${JSON.stringify(id)}, ${JSON.stringify(args)}).catch(() => null)`,
    );
  }

  /** The page as a picture, in an ignored folder of the checkout. */
  async picture(name: string): Promise<void> {
    mkdirSync(PICTURES, { recursive: true });
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`) });
  }

  /** For an `afterEach`: what a test that failed has left on all pages, in a folder that the failure names. */
  async keepFailure(suite: string, test: Test | undefined): Promise<void> {
    await keepFailedPages(suite, test, this.#context, this.#servers());
  }

  /** JupyterLab saves what is open a while after it was opened; a page that is left before forgets it. */
  async untilLayoutKeeps(name: string): Promise<void> {
    await until(`the layout keeps ${name}`, async () => {
      const text = await this.page.evaluate(
        `window.jupyterapp.serviceManager.workspaces.list().then(({ values }) => JSON.stringify(values.map(({ data }) => data['layout-restorer:data'])))`,
      );
      return String(text).includes(name);
    });
  }

  async reload(): Promise<void> {
    // The address may still name the document that was in front before, which JupyterLab would open after a while.
    const address = this.page.url().replace(/\/tree\/[^?#]*/, '');
    await this.page.goto(address, { waitUntil: 'domcontentloaded' });
    await this.untilReady();
  }

  async close(): Promise<void> {
    await this.#context.close();
  }
}
