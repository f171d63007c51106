/**
 * JupyterLab's side of a cluster's files and terminals, without JupyterLab: its drive, its copies and its terminals
 * against a real cluster and a real Jupyter server on this computer.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Cluster,
  type ClusterId,
  type Conflict,
  type Copy,
  type CopyRequest,
  type CopyRun,
  HitchClient,
  HitchError,
  missingCount,
  runCopy,
} from '@hitch/contract';
import { ContentsManager, ServerConnection } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import WebSocket from 'ws';
import { ClusterDrives } from '../../jupyter-plugin/src/files/drives.ts';
import { type ClusterDrive } from '../../jupyter-plugin/src/files/drive.ts';
import { localEntry } from '../../jupyter-plugin/src/files/local-files.ts';
import { fetchInto, sendAs, sendInto } from '../../jupyter-plugin/src/files/requests.ts';
import { ClusterTerminal } from '../../jupyter-plugin/src/terminals/connection.ts';
import { ClusterTerminals } from '../../jupyter-plugin/src/terminals/places.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { refusal } from '../support/refusal.ts';
import { Screen } from '../support/terminal-screen.ts';
import { delay, until } from '../support/waiting.ts';

const TOKEN = 'of-a-test';
const BIG_BYTES = 21 * 1024 * 1024 + 7;

const specOf = (content: unknown): unknown =>
  (content as { metadata: { kernelspec?: { name: string } } }).metadata.kernelspec?.name;

describe('the files and terminals of a cluster, as JupyterLab has them', function () {
  this.timeout(300_000);
  const home = new DaemonHome();
  const here = join(home.root, 'notebooks');
  const changed = new Signal<object, void>({});
  let server: ChildProcess;
  let localSettings: ServerConnection.ISettings;
  let clusters: Cluster[] = [];
  let cluster: Cluster;
  let clusterId: ClusterId;
  let contents: ContentsManager;
  let drives: ClusterDrives;
  let drive: ClusterDrive;

  /** A page's client, whose bridge says which folder the Jupyter server shows. */
  const pageWith = (localRoot: string): HitchClient =>
    new HitchClient({
      baseUrl: () => home.place().baseUrl,
      token: () => home.place().token,
      clientId: 'test',
      fetch: async request => {
        const headers = new Headers(request.headers);
        headers.set('x-hitch-local-root', localRoot.split('/').map(encodeURIComponent).join('/'));
        return fetch(new Request(request, { headers }));
      },
    });
  const page = pageWith(here);

  /** A copy as JupyterLab begins and follows it. */
  const copied = (
    request: CopyRequest,
    options: Partial<Pick<CopyRun, 'ask' | 'signal' | 'onState'>> = {},
    { api }: HitchClient = page,
  ): Promise<Copy> =>
    runCopy({
      api,
      start: () => api.copies.start(request),
      ask: () => assert.fail('something stands in the way'),
      sleep: ms => delay(ms),
      ...options,
    });

  async function copiedWhole(...asked: Parameters<typeof copied>): Promise<Copy> {
    const copy = await copied(...asked);
    assert.equal(copy.state, 'done', copy.problem?.message);
    assert.equal(missingCount(copy.account), 0, JSON.stringify(copy.account));
    return copy;
  }

  /** The daemon as the bridge shows it: its bearer is no business of the page. */
  const bridged = (path: string): ServerConnection.ISettings =>
    ServerConnection.makeSettings({
      baseUrl: `${home.place().baseUrl}${path}/`,
      wsUrl: `${home.place().baseUrl.replace('http', 'ws')}${path}/`,
      fetch: async (input, init) => {
        const request = new Request(input, init);
        request.headers.set('authorization', `Bearer ${home.place().token}`);
        return fetch(request);
      },
    });

  before(async function () {
    needsRealNodes(this);
    const python = process.env['HITCH_PYTHON'] ?? '';
    await home.start();
    mkdirSync(here);
    server = spawn(
      python,
      [
        '-m',
        'jupyter_server',
        '--no-browser',
        '--allow-root',
        '--ip=127.0.0.1',
        '--port=0',
        `--IdentityProvider.token=${TOKEN}`,
        `--ServerApp.root_dir=${here}`,
        '--FileContentsManager.delete_to_trash=False',
      ],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {
          ...process.env,
          JUPYTER_CONFIG_DIR: join(home.root, 'jupyter'),
          JUPYTER_RUNTIME_DIR: join(home.root, 'jupyter', 'runtime'),
        },
      },
    );
    let said = '';
    server.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const rented = await home.rent({ filter: { practice: 'only' } }, 'llm-dev');
    cluster = await home.untilKernel(rented.id);
    clusterId = cluster.id;
    clusters = [cluster];
    const baseUrl = await until(
      'Jupyter on this computer listens',
      () => {
        assert.equal(server.exitCode, null, said);
        return /http:\/\/127\.0\.0\.1:\d+\//.exec(said)?.[0];
      },
      120_000,
    );
    localSettings = ServerConnection.makeSettings({ baseUrl, token: TOKEN });
    await until('Jupyter on this computer answers', () =>
      ServerConnection.makeRequest(`${localSettings.baseUrl}api/status`, {}, localSettings).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    contents = new ContentsManager({ serverSettings: localSettings });
    drives = new ClusterDrives({
      hitch: {
        get clusters() {
          return clusters;
        },
        changed,
        settingsFor: ({ jupyterPath }) => bridged(jupyterPath),
      },
      contents,
      sentence: (state, name) => `${name} is ${state}.`,
    });
    const [first] = drives.drives;
    assert.ok(first);
    drive = first;
  });

  after(async () => {
    drives?.dispose();
    contents?.dispose();
    if (server?.exitCode === null && server.signalCode === null) {
      const gone = new Promise(resolve => server.once('exit', resolve));
      server.kill('SIGKILL');
      await gone;
    }
    await home.dispose();
  });

  const names = async (path: string): Promise<string[]> =>
    ((await contents.get(path)).content as { name: string }[]).map(({ name }) => name).sort();

  it('makes, edits, renames and removes through JupyterLab’s own contents', async () => {
    const folder = await contents.newUntitled({ path: 'llm-dev:', type: 'directory' });
    await contents.rename(folder.path, 'llm-dev:data');
    const made = await contents.newUntitled({ path: 'llm-dev:data', type: 'file', ext: '.py' });
    assert.equal(made.path, 'llm-dev:data/untitled.py');
    await contents.save(made.path, { type: 'file', format: 'text', content: 'print(1)\n' });
    const opened = await contents.get(made.path, { content: true, type: 'file', format: 'text', hash: true });
    assert.equal(opened.content, 'print(1)\n');
    assert.ok(Date.parse(opened.last_modified) > 0, 'JupyterLab tells conflicts by it');
    assert.match(opened.hash ?? '', /^[0-9a-f]{64}$/);

    const checkpoint = await contents.createCheckpoint(made.path);
    await contents.save(made.path, { type: 'file', format: 'text', content: 'print(2)\n' });
    await contents.restoreCheckpoint(made.path, checkpoint.id);
    assert.equal((await contents.get(made.path)).content, 'print(1)\n');

    await contents.copy(made.path, 'llm-dev:');
    await contents.rename(made.path, 'llm-dev:data/two.py');
    await contents.delete('llm-dev:untitled.py');
    assert.deepEqual(await names('llm-dev:'), ['data']);
    assert.deepEqual(await names('llm-dev:data'), ['two.py']);
  });

  it('lets a browser save a file under its own name, and never show it', async () => {
    const url = await contents.getDownloadUrl('llm-dev:data/two.py');
    const answer = await fetch(url, { headers: { authorization: `Bearer ${home.place().token}` } });
    assert.equal(answer.headers.get('content-disposition'), "attachment; filename*=UTF-8''two.py");
    assert.equal(answer.headers.get('content-type'), 'application/octet-stream');
    assert.equal(await answer.text(), 'print(1)\n');
  });

  it('keeps the cluster’s own kernel name in a notebook that is edited here', async () => {
    const made = await contents.newUntitled({ path: 'llm-dev:', type: 'notebook' });
    const seen = await contents.get(made.path, { type: 'notebook', content: true });
    assert.equal(specOf(seen.content), 'hitch-llm-dev--python3');
    await contents.save(made.path, { type: 'notebook', format: 'json', content: seen.content as unknown });
    const raw = await home.client.raw(`/clusters/${clusterId}/raw-files?path=Untitled.ipynb`);
    assert.equal(specOf(await raw.json()), 'python3');
  });

  it('sends a folder with a large file, and nothing twice', async () => {
    mkdirSync(join(here, 'set/.git'), { recursive: true });
    mkdirSync(join(here, 'set/deep'));
    const big = Buffer.alloc(BIG_BYTES, 'Hitch! ');
    writeFileSync(join(here, 'set/big.bin'), big);
    writeFileSync(join(here, 'set/deep/für "uns".txt'), 'klein');
    writeFileSync(join(here, 'set/empty'), '');
    writeFileSync(join(here, 'set/.git/config'), 'no');
    const { account } = await copiedWhole(sendInto(clusterId, ['set'], 'in'));
    assert.deepEqual([account.copiedFiles, account.copiedBytes], [3, BIG_BYTES + 5]);
    assert.deepEqual(await names('llm-dev:in/set'), ['big.bin', 'deep', 'empty']);
    assert.deepEqual(await names('llm-dev:in/set/deep'), ['für "uns".txt']);
    const { sha256 } = await home.api.files.checksum({ clusterId, path: 'in/set/big.bin' });
    assert.equal(sha256, createHash('sha256').update(big).digest('hex'));

    const again = await copiedWhole(sendInto(clusterId, ['set'], 'in'));
    assert.deepEqual([again.account.copiedFiles, again.account.sameFiles], [0, 3]);
  });

  it('ends a copy that is cancelled, and has all of it when it is asked for again', async () => {
    const cut = new AbortController();
    const request = sendInto(clusterId, ['set/big.bin'], 'later');
    const ended = await copied(request, { signal: cut.signal, onState: () => cut.abort() });
    // The whole of it may have been quicker than the word.
    assert.ok(['cancelled', 'done'].includes(ended.state), ended.state);
    await copiedWhole(request);
    const [first, second] = await Promise.all(
      ['in/set/big.bin', 'later/big.bin'].map(path => home.api.files.checksum({ clusterId, path })),
    );
    assert.equal(second?.sha256, first?.sha256);
  });

  it('sends what a cell missed to exactly where it looked', async () => {
    assert.equal((await localEntry(localSettings, 'set'))?.type, 'directory');
    assert.equal((await localEntry(localSettings, 'set/empty'))?.size, 0);
    assert.equal(await localEntry(localSettings, 'set/nothing'), null);
    await copiedWhole(sendAs(clusterId, 'set/deep/für "uns".txt', 'a/b/other.txt'));
    const raw = await home.client.raw(`/clusters/${clusterId}/raw-files?path=a/b/other.txt`);
    assert.equal(await raw.text(), 'klein');
  });

  it('fetches all of it, and does with what is here as it is told', async () => {
    const request = fetchInto(clusterId, ['in/set'], 'out');
    await copiedWhole(request);
    assert.deepEqual(readFileSync(join(here, 'out/set/big.bin')), readFileSync(join(here, 'set/big.bin')));
    assert.equal(readFileSync(join(here, 'out/set/deep/für "uns".txt'), 'utf8'), 'klein');
    assert.deepEqual(readdirSync(join(here, 'out/set')).sort(), ['big.bin', 'deep', 'empty']);

    const empty = join(here, 'out/set/empty');
    const again = async (answer: Conflict | null): Promise<Copy> => {
      writeFileSync(empty, 'mine');
      return copied(request, {
        ask: async ({ inTheWay }) => {
          assert.equal(inTheWay.count, 1);
          return answer;
        },
      });
    };
    assert.equal((await again(null)).state, 'cancelled');
    assert.equal(readFileSync(empty, 'utf8'), 'mine');
    assert.equal((await again('skip')).account.outcomes.skipped?.count, 1);
    assert.equal(readFileSync(empty, 'utf8'), 'mine');
    await again('replace');
    assert.equal(readFileSync(empty).length, 0);
    assert.equal((await again('keep-both')).account.outcomes.keptBeside?.count, 1);
    assert.equal(readFileSync(empty).length, 0);
    const beside = readdirSync(join(here, 'out/set')).filter(name => /^empty.+/.test(name));
    assert.equal(beside.length, 1);
    assert.equal(readFileSync(join(here, 'out/set', beside[0] ?? ''), 'utf8'), 'mine');
  });

  it('reads and writes no file outside the folder that the Jupyter server shows', async () => {
    const secret = join(home.root, 'secret.txt');
    writeFileSync(secret, 'secret');
    for (const source of ['../secret.txt', secret]) {
      const ended = await copied(sendInto(clusterId, [source], 'stolen')).catch(refusal);
      assert.ok(ended === null || ended.state === 'failed' || missingCount(ended.account) > 0, source);
    }
    const stolen = await home.api.files.list({ clusterId, path: 'stolen' }).catch(refusal);
    assert.deepEqual(stolen ?? [], []);
    for (const target of ['../elsewhere', join(home.root, 'elsewhere')]) {
      await copied(fetchInto(clusterId, ['in/set/empty'], target)).catch(refusal);
    }
    assert.ok(!existsSync(join(home.root, 'elsewhere')));
  });

  it('says why nothing can be copied where the Jupyter server’s files lie on no disk', async () => {
    const ended = copied(sendInto(clusterId, ['set'], 'in'), {}, pageWith(''));
    await assert.rejects(ended, (error: unknown) => error instanceof HitchError && /\.$/.test(error.message));
  });

  it('brings a terminal back with its screen after the daemon was away', async () => {
    const terminals = new ClusterTerminals({
      client: home.client,
      serverSettings: terminalSettings(),
      cluster: () => cluster,
    });
    const name = await terminals.create(clusterId);
    const screen = new Screen(new ClusterTerminal(place(terminals, name)));
    await screen.says('setup done', () => screen.type('echo setup" "done\r'));
    await screen.says('n-set', () => screen.type('n=42; echo n-"set"\r'));
    await home.kill();
    await until('the terminal has noticed', () => screen.terminal.connectionStatus === 'connecting');
    screen.type('echo n-is-$n\r');
    await home.start();
    await screen.says('n-is-42');
    assert.equal(screen.shown.split('setup done').length, 2, 'what was shown is shown once');

    const other = new Screen(new ClusterTerminal(place(terminals, name)));
    await other.says('n-is-42');
    other.terminal.dispose();
    assert.deepEqual(await terminals.names(clusterId), [name], 'leaving it does not end it');
    screen.type('exit\r');
    await until('it is over', () => screen.terminal.isDisposed);
    await until('it is over there', async () => (await terminals.names(clusterId)).length === 0);
  });

  it('shows folders as last seen while there is no answer, and complains once about each file', async () => {
    await contents.get('llm-dev:data');
    await home.stop();
    const last = await contents.get('llm-dev:data', { content: true });
    assert.deepEqual(
      (last.content as { path: string }[]).map(({ path }) => path),
      ['llm-dev:data/two.py'],
    );
    assert.equal(drive.state, 'unreachable');
    assert.equal(drive.sentence, 'llm-dev is unreachable.');
    const save = () => contents.save('llm-dev:data/two.py', { type: 'file', format: 'text', content: '3' });
    await assert.rejects(save(), { name: 'Error', message: 'llm-dev is unreachable.' });
    await assert.rejects(save(), { name: 'ModalCancelError' });
    await home.start();
    await until('it answers', () =>
      save().then(
        () => true,
        () => false,
      ),
    );
  });

  it('says of a cluster that ended that its files ended with it', async () => {
    await home.stopCluster(clusterId);
    clusters = [await home.cluster(clusterId)];
    let told = 0;
    drives.changed.connect(() => {
      told += 1;
    });
    const mine = drives.byName('llm-dev');
    changed.emit();
    assert.equal(told > 0, true);
    assert.deepEqual(drives.drives, []);
    assert.equal(mine?.sentence, 'llm-dev is gone.');
    await assert.rejects(contents.get('llm-dev:data'), /llm-dev is gone/);
    assert.deepEqual(home.leftovers(clusters), []);
  });

  /** The socket carries the bearer, as the bridge's would. */
  const terminalSettings = (): ServerConnection.ISettings => {
    class Bridged extends WebSocket {
      constructor(url: string) {
        super(url, { headers: { authorization: `Bearer ${home.place().token}` } });
        this.on('error', () => undefined);
      }
    }
    return ServerConnection.makeSettings({
      ...localSettings,
      WebSocket: Bridged as unknown as typeof globalThis.WebSocket,
    });
  };

  /** Without the bridge's own part of the path, and with the daemon's present port. */
  const place = (terminals: ClusterTerminals, name: string) => {
    const bridged = terminals.place(clusterId, name);
    const path = () => new URL(bridged.url()).pathname.replace('/hitch', '');
    return { ...bridged, url: () => `${home.place().baseUrl.replace('http', 'ws')}${path()}` };
  };
});
