/** A machine that a web address alone leads to: real ssh and sshd, the door that its start program brings, and a gateway with TLS. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import type { Host } from '../../backend-proxy/src/access/host.ts';
import { FarShells } from '../../backend-proxy/src/access/tunnel/far-shells.ts';
import { FarHosts, type FarMachine } from '../../backend-proxy/src/machines/far/far-hosts.ts';
import { accessTokenOf } from '../../backend-proxy/src/machines/far/web-access.ts';
import { webDoorCommand } from '../../backend-proxy/src/machines/far/web-door.ts';
import { Container, withoutContainers } from '../support/container.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';
import { WebGateway } from '../support/web-gateway.ts';
import { writeWebProxy } from '../support/web-proxy.ts';

const { signal } = new AbortController();
const SECRET = 'ab'.repeat(32);
const SET = ['NODE_EXTRA_CA_CERTS', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'] as const;

describe('a machine that a web address alone leads to', function suite() {
  this.timeout(240_000);
  const key = generateOpensshKey('the renter');
  const environment = Object.fromEntries(SET.map(name => [name, process.env[name]]));
  let folder: string;
  let gateway: WebGateway;
  let container: Container;
  let other: Container | null = null;
  let shells: FarShells;
  let far: FarHosts;
  let url: string;

  before(async function check() {
    needsOpenssh(this);
    const reason = withoutContainers();
    if (reason !== null) {
      skip(this, reason);
    }
    folder = mkdtempSync(join(tmpdir(), 'web-'));
    writeFileSync(join(folder, 'key'), key.privateKey, { mode: 0o600 });
    gateway = await WebGateway.start({ idleMs: 9_000 });
    container = await Container.start(webDoorCommand(key.publicKey, SECRET));
    url = gateway.lead('machine', container.port);
  });

  beforeEach(() => {
    SET.forEach(name => Reflect.deleteProperty(process.env, name));
    process.env['NODE_EXTRA_CA_CERTS'] = gateway.authority;
    open();
  });

  afterEach(async () => {
    await shells.close();
    gateway.down(false);
    for (const name of SET) {
      if (environment[name] === undefined) {
        Reflect.deleteProperty(process.env, name);
      } else {
        process.env[name] = environment[name];
      }
    }
  });

  after(async () => {
    await (gateway as WebGateway | undefined)?.close();
    await (container as Container | undefined)?.dispose();
    await other?.dispose();
    rmSync(folder ?? '/nowhere', { recursive: true, force: true });
  });

  /** As a daemon that starts. */
  function open(): void {
    const sockets = mkdtempSync(join(tmpdir(), 's-'));
    shells = new FarShells({ clock: systemClock, random: systemRandom, sockets, shared: true });
    far = new FarHosts({
      clock: systemClock,
      shells,
      ownTarget: name => ({ name, destination: name, settings: [], configFile: 'none' }),
      folder: join(folder, 'known'),
      webProxy: writeWebProxy(folder),
      keyOf: () => join(folder, 'key'),
    });
  }

  const reach = (at = url, more: Partial<FarMachine> = {}): Promise<Host> =>
    far.host(
      {
        clusterId: 'clu_web',
        ref: 'hitch-web',
        ssh: { kind: 'websocket', url: at, user: 'root', hostKeys: null },
        known: null,
        secret: SECRET,
        promised: null,
        privateAddress: null,
        ...more,
      },
      signal,
    );

  /** Its door may still be on its way. */
  const reached = (at = url): Promise<Host> => until('its door is open', () => reach(at).catch(() => null));

  it('is not reached while its program does not stand yet, which a sentence says', async () => {
    const nothing = gateway.lead('not-yet', null);
    const said = await until('its gateway is heard', () => refusal(() => reach(nothing), /502/));
    assert.match(
      said,
      /localhost:\d+ answers 502: the machine behind it does not answer its network yet, or no more\.$/,
    );
  });

  it('is reached over TLS by its key, which the secret that it was bought with proves', async () => {
    const host = await reached();
    assert.equal(host.address.proof, 'proved');
    assert.equal(host.address.hostKey, container.hostKey);
    assert.equal(host.address.at, url);
    assert.ok((await host.facts(signal)).cpuCores > 0);
  });

  it('shows its gateway nothing but ssh', async () => {
    const host = await reached();
    gateway.passed.length = 0;
    const log = join(container.home, 'said.log');
    mkdirSync(container.home, { recursive: true });
    writeFileSync(log, 'nobody else reads this');
    await host.facts(signal);
    const seen = Buffer.concat(gateway.passed);
    assert.ok(seen.length > 1_000, 'something passed');
    for (const secret of [SECRET, 'cpu_cores', 'fact ']) {
      assert.equal(seen.includes(secret), false, secret);
    }
  });

  it('stays reached over a gateway that cuts what is silent', async () => {
    const host = await reached();
    await host.facts(signal);
    const upgrades = (): number => gateway.asked.filter(asked => asked.startsWith('UPGRADE')).length;
    const asked = upgrades();
    // Longer than the gateway waits, twice.
    await systemClock.sleep(20_000);
    assert.ok(host.way?.isOpen);
    await host.facts(signal);
    assert.equal(upgrades(), asked, 'it is the same connection');
  });

  it('is reached again after its gateway has cut everything, and was away', async () => {
    const host = await reached();
    await host.facts(signal);
    gateway.cut();
    await until('the cut is noticed', () => host.way?.isOpen === false);
    host.forgetFacts?.();
    assert.ok((await host.facts(signal)).cpuCores > 0);
    gateway.down(true);
    await until('that is noticed too', () => host.way?.isOpen === false);
    host.forgetFacts?.();
    await until('its gateway is heard', () => refusal(() => host.facts(signal), /answers 502/));
    gateway.down(false);
    host.forgetFacts?.();
    assert.ok((await host.facts(signal)).cpuCores > 0);
  });

  it('is reached again after a cut in the middle of what it said', async () => {
    const host = await reached();
    await host.facts(signal);
    gateway.cut();
    await until('the cut is noticed', () => host.way?.isOpen === false);
    host.forgetFacts?.();
    gateway.cutAfterBytes = 700;
    // Whether that try is followed by another at once, or says that it was cut, is for the tunnel to see.
    await until('it is reached', () =>
      host.facts(signal).then(
        ({ cpuCores }) => cpuCores > 0,
        (error: unknown) => {
          assert.match(String(error), /was cut \(1006\)|does not answer/);
          return false;
        },
      ),
    );
    assert.equal(gateway.cuts, 1);
  });

  it('is refused where another machine answers at its address: without its token, and with another host key', async () => {
    await reached();
    other = await Container.start(webDoorCommand(key.publicKey, 'cd'.repeat(32)));
    const taken = gateway.lead('taken', other.port);
    const said = await until('the other one stands', () => refusal(() => reach(taken), /403/));
    assert.match(said, /refuses the machine’s token \(403\): another machine may have its address by now\.$/);
    const host = await reach(taken, {
      secret: 'cd'.repeat(32),
      known: { at: taken, hostKey: container.hostKey, ssh: null, proof: 'proved', privateAddress: null },
    });
    await assert.rejects(host.facts(signal), /shows another host key than the rented machine/);
  });

  it('tells strangers 403 and lets none of them talk to its sshd', async () => {
    await reached();
    const accepted = container.said.split('Connection').length;
    const plain = await askRaw(container.port, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(plain, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/, 'something answers: networks look for that');
    for (const head of [
      'GET / HTTP/1.1\r\nHost: x\r\nX-Hitch-Access: \r\n\r\n',
      `GET / HTTP/1.1\r\nHost: x\r\nX-Hitch-Access: ${'0'.repeat(64)}\r\n\r\n`,
      'GET /ssh HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    ]) {
      assert.match(await askRaw(container.port, head), /^HTTP\/1\.1 403 Forbidden\r\n[^]*\r\n\r\n$/);
    }
    const known = `GET / HTTP/1.1\r\nHost: x\r\nX-Hitch-Access: ${accessTokenOf(SECRET)}\r\n\r\n`;
    assert.match(await askRaw(container.port, known), /^HTTP\/1\.1 426 /);
    assert.equal(container.said.split('Connection').length, accepted, 'no sshd was started');
  });

  it('lets its owner in every time, however many strangers hold a connection and say nothing, or little', async () => {
    await reached();
    // Each that is thrown out or waits in vain comes again, so that there are always more than it has places for.
    const strangers = hold(container.port, 400);
    try {
      await until('all of them came', () => strangers.came >= 400);
      for (let visit = 0; visit < 20; visit++) {
        const before = strangers.came;
        assert.match(await upgraded(container.port), /^HTTP\/1\.1 101 [^]*\r\n\r\n[^]*SSH-2\.0-/);
        await until('more of them came', () => strangers.came > before + 20);
      }
      await shells.close();
      open();
      assert.ok((await (await reach()).facts(signal)).cpuCores > 0, 'by ssh too');
    } finally {
      strangers.leave();
    }
  });

  it('is refused over a certificate that nobody vouches for, with what to do', async () => {
    delete process.env['NODE_EXTRA_CA_CERTS'];
    await assert.rejects(
      reach(),
      /the certificate of localhost:\d+ is not trusted \([A-Z_]+\): behind a company's proxy, name its certificates in NODE_EXTRA_CA_CERTS\.$/,
    );
  });

  it('is reached through the proxy of the environment, which may want a login', async () => {
    const asked: string[] = [];
    let isOpen = true;
    const proxy: Server = createServer();
    proxy.on('connect', ({ url: to = '' }, client) => {
      asked.push(to);
      if (!isOpen) {
        client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      const there = connect(gateway.port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        client.pipe(there).pipe(client);
      });
      there.on('error', () => client.destroy());
      client.on('error', () => there.destroy()).on('close', () => there.destroy());
    });
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port.toString()}`;
    const named = url.replace('localhost', 'gateway.test');
    try {
      assert.equal((await reached(named)).address.proof, 'proved');
      assert.equal(asked[0], new URL(named).host);
      await shells.close();
      open();
      isOpen = false;
      await assert.rejects(reach(named), /the proxy \(HTTPS_PROXY\) wants a login \(407\)/);
    } finally {
      await shells.close();
      proxy.closeAllConnections();
      await new Promise(resolve => proxy.close(resolve));
    }
  });

  it('takes nothing from a network that is no web address', async () => {
    for (const odd of [
      'http://name.example',
      'https://name.example/$(touch x)',
      'https://name.example/a b',
      'https://-oProxyCommand=x',
      'https://name.example/%h',
      'https://user@name.example',
    ]) {
      await assert.rejects(reach(odd), /which is no address\./, odd);
    }
  });

  it('is said to be unreachable for ever where nothing was given to it that opens its door', async () => {
    await assert.rejects(reach(url, { secret: null }), /nothing opens its door: end it, and rent another\./);
  });

  it('keeps its token out of what anybody can list', async () => {
    const host = await reached();
    await host.facts(signal);
    const token = accessTokenOf(SECRET);
    const lines = (await import('../support/processes.ts'))
      .allProcesses()
      .flatMap(({ command, environment }) => [command, ...environment]);
    assert.ok(
      lines.some(line => line.includes('ws-connect')),
      'it is there',
    );
    assert.deepEqual(
      lines.filter(line => line.includes(token)),
      [],
    );
    assert.equal(readFileSync(join(folder, 'known', 'clu_web-hitch-web.access'), 'utf8'), token);
  });
});

/** Why it is refused, where that is what is waited for; a busy computer may first be too slow to hear it. */
const refusal = (work: () => Promise<unknown>, wanted: RegExp): Promise<string | null> =>
  work().then(
    () => assert.fail('it was let in'),
    (error: unknown) => {
      const message = error instanceof Error ? error.message : '';
      return wanted.test(message) ? message : null;
    },
  );

/** What is answered, until the other side closes. */
function askRaw(port: number, head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(head));
    socket.on('data', (bytes: Buffer) => {
      said += bytes.toString('latin1');
    });
    socket.once('error', reject).once('close', () => resolve(said));
  });
}

/** What an owner is told, up to the first words of sshd; it leaves then. */
function upgraded(port: number): Promise<string> {
  const head = [
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nX-Hitch-Access: ${accessTokenOf(SECRET)}\r\n\r\n`,
  ].join('\r\n');
  return new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(head));
    socket.on('data', (bytes: Buffer) => {
      said += bytes.toString('latin1');
      if (said.includes('SSH-2.0-')) {
        socket.destroy();
      }
    });
    socket.once('error', reject).once('close', () => resolve(said));
  });
}

/** So many at once that never show a token; half of them begin a request. */
function hold(port: number, count: number): { readonly came: number; leave(): void } {
  const open = new Set<Socket>();
  let came = 0;
  let isOver = false;
  const come = (): void => {
    if (isOver) {
      return;
    }
    const socket = connect(port, '127.0.0.1', () => {
      came += 1;
      if (came % 2 === 0) {
        socket.write('GET / HTTP/1.1\r\nHost: ');
      }
    });
    open.add(socket);
    socket
      .on('error', () => undefined)
      .resume()
      .once('close', () => {
        open.delete(socket);
        setImmediate(come);
      });
  };
  Array.from({ length: count }).forEach(come);
  return {
    get came() {
      return came;
    },
    leave: () => {
      isOver = true;
      open.forEach(socket => socket.destroy());
    },
  };
}
