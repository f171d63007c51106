/**
 * How fast the network of a rented machine is: measured with what set-up fetches anyway and what the machine sends here, and held
 * against what was offered. The index is a server of the test, which sends as fast as a test wants.
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Offer } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import type { Host, HostFacts } from '../../backend-proxy/src/access/host.ts';
import { checkMachine } from '../../backend-proxy/src/clusters/check-machine.ts';
import { FarHost } from '../../backend-proxy/src/machines/far/far-host.ts';
import { lookAt } from '../../backend-proxy/src/machines/far/far-programs.ts';
import { programsFor } from '../../backend-proxy/src/machines/far/place.ts';
import type { AttemptRecord, ClusterRecord } from '../../backend-proxy/src/ledger/records.ts';
import { FarTools } from '../support/far-tools.ts';
import { type HomeMachine, homeMachine } from '../support/home-machine.ts';
import { refOfThisRun } from '../support/processes.ts';

const signal = new AbortController().signal;
const PYTHON = '/usr/bin/python3';
const MEGABYTE = 1_000_000;
/** What is fetched at most each time, and what a socket may hold of what nobody reads. */
const MOST_BYTES = 24 * MEGABYTE;
const ON_THE_WAY = 12 * MEGABYTE;

describe('the network of a rented machine', function () {
  this.timeout(240_000);
  let machine: HomeMachine;
  let server: Server;
  let folder = '';
  /** A program that says it is a Node of today. */
  let node = '';
  let wheel = { file: '', sha256: '', bytes: 0, name: '' };
  /** Bytes a second; null: as fast as it goes. */
  let pace: number | null = null;
  let sent = 0;
  let asked: string[] = [];

  before(function () {
    if (process.platform !== 'linux' || !existsSync(PYTHON)) {
      console.log('    skipped: this needs Linux and a python3 of the system');
      this.skip();
    }
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hns-'));
    chmodSync(folder, 0o755);
    const tools = new FarTools(folder);
    // What is rented has no Node as a rule, and a Python.
    node = tools.takeAway('node');
    tools.without('python3');
    symlinkSync(PYTHON, join(tools.path, 'python3'));
    tools.gpus('none');
    machine = homeMachine(tools.path);
    [pace, sent, asked] = [null, 0, []];
    wheel = programsFor('gpu-box', await lookAt(machine.shell, signal)).node;
    server = createServer((request, response) => {
      asked.push(`${request.url ?? ''} ${request.headers.range ?? ''}`.trim());
      if (request.url?.startsWith('/files/') !== true) {
        response.end(`<a href="/files/${wheel.file}#sha256=${wheel.sha256}">${wheel.file}</a>`);
        return;
      }
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': wheel.bytes - from });
      const piece = Buffer.alloc(pace === null ? 1 << 18 : Math.max(1, Math.round(pace / 20)));
      let left = wheel.bytes - from;
      const next = (): void => {
        if (response.destroyed || left <= 0) {
          response.end();
          return;
        }
        const part = piece.subarray(0, Math.min(left, piece.length));
        left -= part.length;
        sent += part.length;
        const goOn = response.write(part);
        if (pace !== null) {
          setTimeout(next, 50);
        } else if (goOn) {
          setImmediate(next);
        } else {
          response.once('drain', next);
        }
      };
      next();
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    Object.assign(machine.environment, { PIP_INDEX_URL: `${origin()}/simple`, NO_PROXY: '*' });
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
    machine.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`;
  const files = () => asked.filter(path => path.startsWith('/files/'));
  const part = () => join(machine.home, '.hitch', 'far', 'cache', `node-${wheel.name}`, 'node.whl');
  const kept = () => join(machine.home, '.hitch', 'far', 'cache', 'network');
  const withNode = () => {
    writeFileSync(join(folder, 'bin', 'node'), node, { mode: 0o755 });
  };
  const host = (environment: NodeJS.ProcessEnv = {}) =>
    new FarHost({
      shell: machine.shell,
      ref: refOfThisRun('speed'),
      clock: systemClock,
      address: { at: 'gpu-box', hostKey: null, ssh: null, proof: null, privateAddress: null },
      lease: null,
      promised: null,
      environment,
    });
  const measured = async (isPriced = false, way = host()): Promise<HostFacts> => {
    await way.facts(signal);
    const facts = await way.measureNetwork({ isPriced }, signal);
    assert.deepEqual((await way.facts(signal)).has?.network, facts.has?.network, 'what is kept there');
    return facts;
  };
  /** As a daemon looks at a machine that was rented as this. */
  const checked = async (offer: Partial<Offer>, way: Host = host()) => {
    const bought = { gpuCount: 1, vramMiB: 24_576, cudaMax: '12.4', trust: 'community', practice: false };
    const said: string[] = [];
    const provider = {};
    const { wrong, facts } = await checkMachine(
      {
        calls: {
          limited: <T>(_name: string, call: (signal: AbortSignal) => Promise<T>) => call(signal),
        },
        clock: systemClock,
        locks: { get: () => null },
        providers: new Map([['vast', provider]]),
        log: { info: (...words: unknown[]) => assert.fail(JSON.stringify(words)) },
      } as unknown as Parameters<typeof checkMachine>[0],
      { cluster: { environment: { id: null } } as unknown as ClusterRecord },
      {
        provider: 'vast',
        offer: { ...bought, ...offer },
        terms: { diskGiB: 10 },
        adopted: null,
        ref: 'one',
      } as unknown as AttemptRecord,
      way,
      sentence => void said.push(sentence),
    );
    return { wrong, facts, said };
  };

  it('is measured with the beginning of the Node that set-up goes on with, and once', async () => {
    const { has, about } = await measured();
    const down = has?.network?.downMbps ?? assert.fail('nothing was measured');
    const up = has?.network?.upMbps ?? assert.fail('nothing was measured');
    assert.ok(down > 0 && up > 0, `${down.toString()} in, ${up.toString()} out`);
    assert.match(about?.says ?? '', /, network [\d.]+ Mbps in, [\d.]+ Mbps out to this computer$/);
    const size = statSync(part()).size;
    assert.ok(size >= MOST_BYTES && size < MOST_BYTES + MEGABYTE, size.toString());
    assert.ok(sent < MOST_BYTES + ON_THE_WAY, sent.toString());
    assert.deepEqual((await checked({ downMbps: 900 })).said, [], 'what is kept there is not measured again');
    assert.equal(files().length, 1);
  });

  it('goes back with it where it brings a fraction of what was offered, and was asked twice', async () => {
    pace = 250_000;
    const { wrong, facts, said } = await checked({ downMbps: 900, upMbps: 10 });
    assert.equal(said.length, 1);
    assert.equal(wrong.length, 1);
    assert.match(
      wrong[0] ?? '',
      /^a network that brought [\d.]+ Mbps from the package index, and 900 Mbps were offered$/,
    );
    const down = facts.has?.network?.downMbps ?? assert.fail('nothing was measured');
    assert.ok(down <= 2.5, down.toString());
    assert.equal(files().length, 2);
    assert.match(files()[1] ?? '', /bytes=\d+-$/, 'the second one goes on after the first');
    assert.ok(sent < 10 * MEGABYTE, sent.toString());
  });

  it('stays with it where the index is slow that the user of this computer has set', async () => {
    pace = 250_000;
    delete machine.environment['PIP_INDEX_URL'];
    const { wrong, facts } = await checked({ downMbps: 900 }, host({ PIP_INDEX_URL: `${origin()}/simple` }));
    assert.deepEqual(wrong, []);
    assert.equal(facts.has?.network?.isOwnIndex, true);
    assert.ok((facts.has.network.downMbps ?? 900) <= 2.5);
    assert.equal(files().length, 1);
  });

  it('stays with it where only the first seconds were slow, also for a daemon that did not measure these', async () => {
    const way = host();
    const once: Host = Object.assign(Object.create(way) as FarHost, {
      address: way.address,
      facts: (...of: Parameters<Host['facts']>) => way.facts(...of),
      measureNetwork: (...of: Parameters<FarHost['measureNetwork']>) =>
        files().length === 0 ? way.measureNetwork(...of) : new Promise(() => undefined),
    });
    pace = 250_000;
    // Nobody hears of this one any more.
    void checked({ downMbps: 10 }, once);
    while (!existsSync(kept()) || !/"ended":1/.test(readFileSync(kept(), 'utf8'))) {
      await systemClock.sleep(50);
    }
    pace = null;
    const { wrong, facts } = await checked({ downMbps: 10 });
    assert.deepEqual(wrong, []);
    assert.ok((facts.has?.network?.downMbps ?? 0) > 2.5);
    assert.equal(files().length, 2);
  });

  it('is not measured for its own sake where traffic costs, which is said', async () => {
    const { has, about } = await measured(true);
    assert.ok((has?.network?.downMbps ?? 0) > 0, 'Node is fetched in any case');
    assert.match(about?.says ?? '', /, network [\d.]+ Mbps in, out not measured \(its traffic costs\)$/);
    rmSync(join(machine.home, '.hitch'), { recursive: true });
    asked = [];
    withNode();
    const again = await measured(true);
    assert.match(again.about?.says ?? '', /, network not measured \(its traffic costs\)$/);
    assert.deepEqual(asked, []);
  });

  it('leaves nothing of what nobody needs, where a Node is there', async () => {
    withNode();
    const { has } = await measured();
    assert.ok((has?.network?.downMbps ?? 0) > 0);
    assert.equal(existsSync(part()), false);
  });

  it('says that it was not measured where its index sends nothing, and stays', async () => {
    wheel = { ...wheel, file: 'another.whl', sha256: '0' };
    const { wrong, facts } = await checked({ downMbps: 900 });
    assert.deepEqual(wrong, []);
    assert.match(
      facts.about?.says ?? '',
      /, network in not measured \(its package index sends nothing\), [\d.]+ Mbps out to this computer$/,
    );
  });
});
