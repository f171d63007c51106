/** The way to a machine by ssh, with a real ssh and a real sshd. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type Server, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { FarMachine } from '../support/far-machine.ts';
import { FarTools } from '../support/far-tools.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { allProcesses } from '../support/processes.ts';
import { until } from '../support/waiting.ts';
import { refusal, Ways } from '../support/ways.ts';
import { FarError } from '../../backend-proxy/src/access/tunnel/far-shell.ts';
import type { AgentAddress } from '../../backend-proxy/src/access/host.ts';

const { signal } = new AbortController();

describe('the way to a machine by ssh', function suite() {
  this.timeout(240_000);
  let ways: Ways;

  before(function check() {
    needsOpenssh(this);
  });
  beforeEach(() => {
    ways = new Ways();
  });
  afterEach(() => ways.end());

  /** A socket there that says back what it hears. */
  async function anEcho(machine: FarMachine): Promise<string> {
    const path = join(machine.folder, 'echo');
    const server: Server = createServer(socket => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    await new Promise<void>(resolve => server.listen(path, resolve));
    // Whoever is let in may be somebody else than who tests.
    chmodSync(path, 0o777);
    ways.later(() => new Promise<void>(resolve => server.close(() => resolve())));
    return path;
  }

  for (const shared of [true, false]) {
    describe(shared ? 'over one connection' : 'over a connection for each, as on Windows', () => {
      it('runs programs, gives them their input, and answers their code and both outputs', async () => {
        const shell = await ways.reach(await ways.machine(), shared);
        const { code, stdout, stderr } = await shell.run(
          'read first; echo "got $first"; cat; echo no >&2; exit 7',
          {
            input: "one\n'two' $HOME \\\n",
            signal,
          },
        );
        assert.deepEqual([code, stdout], [7, "got one\n'two' $HOME \\\n"]);
        assert.match(stderr, /^no$/m);
        assert.equal((await shell.run('exit 255', { signal })).code, 255);
      });

      it('puts a file in its place with its mode, and nothing else beside it', async () => {
        const machine = await ways.machine();
        const shell = await ways.reach(machine, shared);
        const path = join(machine.home, "a folder'/of $mine/file");
        const content = Buffer.alloc(3_000_000, 'abc\0\n\r');
        await shell.put(path, content, 0o640, signal);
        assert.ok(readFileSync(path).equals(content));
        assert.equal(statSync(path).mode & 0o777, 0o640);
        await shell.put(path, Readable.from([Buffer.from('new'), Buffer.from('er')]), 0o600, signal);
        assert.equal(readFileSync(path, 'utf8'), 'newer');
        const { stdout } = await shell.run(`ls -A ${JSON.stringify(join(machine.home, "a folder'"))}/*`, {
          signal,
        });
        assert.equal(stdout, 'file\n');
      });

      it('leads to a socket there', async () => {
        const machine = await ways.machine();
        const shell = await ways.reach(machine, shared);
        const address = await shell.forward(await anEcho(machine), { signal });
        assert.equal(await echoed(address, 'hello'), 'hello');
      });

      it('says so while nobody listens there, and leads there once somebody does', async () => {
        const machine = await ways.machine();
        const shell = await ways.reach(machine, shared);
        const { message } = await refusal(
          shell.forward(join(machine.folder, 'echo'), { signal }),
          'unreachable',
        );
        assert.match(message, /^gpu-box has nothing that listens at .*echo yet, or any more\.$/);
        const address = await shell.forward(await anEcho(machine), { signal });
        assert.equal(await echoed(address, 'now'), 'now');
      });

      it('joins each connection to the socket where its sshd forbids forwarding', async () => {
        const machine = await ways.machine({ sshd: ['DisableForwarding yes'] });
        const shell = await ways.reach(machine, shared);
        const address = await shell.forward(await anEcho(machine), { signal });
        const [one, two] = await Promise.all([echoed(address, 'x'.repeat(500_000)), echoed(address, 'two')]);
        assert.deepEqual([one.length, two], [500_000, 'two']);
      });
    });
  }

  it('follows what a program says while it says it', async () => {
    const machine = await ways.machine();
    const shell = await ways.reach(machine);
    const gate = join(machine.home, 'gate');
    let said = '';
    const followed = shell.follow(
      `echo begun; while [ ! -e ${gate} ]; do sleep 0.1; done; echo over; exit 3`,
      bytes => (said += bytes.toString()),
      signal,
    );
    await until('it has begun', () => said === 'begun\n');
    writeFileSync(gate, '');
    assert.equal(await followed, 3);
    assert.equal(said, 'begun\nover\n');
  });

  it('gives up a program whose asker gives up, and goes on', async () => {
    const shell = await ways.reach(await ways.machine());
    const asker = new AbortController();
    const asked = shell.follow('echo begun; sleep 600', () => asker.abort(new Error('enough')), asker.signal);
    await assert.rejects(asked, /enough/);
    assert.equal((await shell.run('echo still', { signal })).stdout, 'still\n');
  });

  it('says so when a program says too much', async () => {
    const shell = await ways.reach(await ways.machine());
    const { message } = await refusal(shell.run('yes', { signal, maxBytes: 1000 }), 'too_much');
    assert.match(message, /^gpu-box says more than 1000 bytes/);
  });

  it('leaves out what a login shell prints', async () => {
    const machine = await ways.machine({ bashrc: 'echo "Welcome to the lab"; printf "no line end"\n' });
    const shell = await ways.reach(machine);
    assert.equal((await shell.run('echo mine', { signal })).stdout, 'mine\n');
  });

  it('works through many programs at once where sshd allows few sessions, or one', async () => {
    for (const sessions of ['2', '1']) {
      const shell = await ways.reach(await ways.machine({ sshd: [`MaxSessions ${sessions}`] }));
      const all = await Promise.all(
        Array.from({ length: 8 }, (_, n) => shell.run('cat', { input: n.toString(), signal })),
      );
      assert.deepEqual(
        all.map(({ stdout }) => stdout),
        ['0', '1', '2', '3', '4', '5', '6', '7'],
      );
    }
  });

  it('has nothing of a program or of its input in the list of processes', async () => {
    const shell = await ways.reach(await ways.machine());
    let seen = '';
    await shell.run(': s3cret-program; cat >/dev/null; sleep 1', {
      input: Readable.from(
        (async function* () {
          yield Buffer.from('s3cret-input');
          seen = allProcesses()
            .flatMap(({ command, environment }) => [command, ...environment])
            .join('\n');
          yield Buffer.from('.');
        })(),
      ),
      signal,
    });
    assert.match(seen, /exec sh -c|sh -c/);
    assert.doesNotMatch(seen, /s3cret/);
  });

  it('knows at once that the machine is gone', async () => {
    const machine = await ways.machine();
    const shell = await ways.reach(machine);
    const running = refusal(shell.run('sleep 600', { signal }), 'unreachable');
    await until('it runs', () => machine.processes().some(({ command }) => command === 'sleep 600'));
    machine.cut();
    await until('the way is closed', () => shell.closed.aborted);
    assert.ok(shell.closed.reason instanceof FarError);
    await running;
    await refusal(shell.run('echo', { signal }), 'unreachable');
    await assert.rejects(shell.forward('/nowhere', { signal }));
  });

  it('is over, and known to be, when nothing has passed for a while', async () => {
    const machine = await ways.machine();
    const wire = await ways.wireTo(machine.port, 5);
    machine.leadTo(wire.port);
    const shell = await ways.reach(machine);
    assert.equal((await shell.run('echo over the wire', { signal })).stdout, 'over the wire\n');
    wire.cut();
    await until('the way is closed', () => shell.closed.aborted);
    wire.mend();
    assert.equal((await (await ways.reach(machine)).run('echo back', { signal })).stdout, 'back\n');
  });

  it('puts a file where no program for SHA-256 is', async function test() {
    const tools = mkdtempSync(join(tmpdir(), 'tools-'));
    ways.later(() => rmSync(tools, { recursive: true, force: true }));
    chmodSync(tools, 0o755);
    const { path } = new FarTools(tools);
    const machine = await ways.machine({ bashrc: `PATH=${path}\n` });
    const shell = await ways.reach(machine);
    const { stdout } = await shell.run('command -v sha256sum shasum openssl; echo none', { signal });
    if (!machine.hasUser) {
      console.log('      skipped: without a user of its own its login shell may be any');
      this.skip();
    }
    assert.equal(stdout, 'none\n');
    const file = join(machine.home, 'file');
    await shell.put(file, Buffer.from('content'), 0o600, signal);
    assert.equal(readFileSync(file, 'utf8'), 'content');
  });

  it('says which file could not be written, in the machine’s own words', async () => {
    const machine = await ways.machine();
    const shell = await ways.reach(machine);
    const blocked = join(machine.home, 'blocked');
    writeFileSync(blocked, '');
    const { message } = await refusal(shell.put(join(blocked, 'x'), Buffer.from('x'), 0o600, signal), 'file');
    assert.match(message, /^gpu-box: .*blocked\/x cannot be written there: .*(exists|directory)/i);
  });

  it('is not troubled by what a configuration asks of terminals, commands and shared connections', async () => {
    const machine = await ways.machine();
    machine.leadTo(machine.port, [
      'RequestTTY force',
      'RemoteCommand tmux attach',
      'LocalForward 127.0.0.1:1 127.0.0.1:1',
      'ExitOnForwardFailure yes',
      'ControlMaster auto',
      `ControlPath ${join(machine.folder, 'mine')}`,
      'ControlPersist 10m',
      'LogLevel QUIET',
    ]);
    const shell = await ways.reach(machine);
    assert.equal((await shell.run('echo mine', { signal })).stdout, 'mine\n');
    await shell.close();
    assert.equal(existsSync(join(machine.folder, 'mine')), false);
  });

  it('gives up reaching a machine when its asker does', async () => {
    const machine = await ways.machine();
    const wire = await ways.wireTo(machine.port);
    wire.cut();
    machine.leadTo(wire.port);
    const asker = new AbortController();
    const asked = ways.reach(machine, true, asker.signal);
    mkdirSync(join(machine.folder, 'asked'));
    setImmediate(() => asker.abort(new Error('enough')));
    await assert.rejects(asked, /enough/);
  });
});

function echoed(address: AgentAddress, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket =
      'socketPath' in address ? connect(address.socketPath) : connect(address.port, address.host);
    let said = '';
    socket.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (said.length >= text.length) {
        socket.destroy();
        resolve(said);
      }
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`closed after ${said.length.toString()} bytes`)));
    socket.write(text);
  });
}
