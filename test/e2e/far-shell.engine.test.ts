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
import { FarMachine, type FarMachineOptions } from '../support/far-machine.ts';
import { FarTools } from '../support/far-tools.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { allProcesses } from '../support/processes.ts';
import { until } from '../support/waiting.ts';
import { Wire } from '../support/wire.ts';
import type { AgentAddress } from '../../backend-proxy/src/access/host.ts';
import { FarError, type FarErrorKind } from '../../backend-proxy/src/access/tunnel/far-shell.ts';
import { FarShells } from '../../backend-proxy/src/access/tunnel/far-shells.ts';
import { OpenSshShell } from '../../backend-proxy/src/access/tunnel/open-ssh-shell.ts';
import { type Clock, systemClock } from '@hitch/platform/src/clock.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';

const { signal } = new AbortController();

describe('the way to a machine by ssh', function suite() {
  this.timeout(240_000);
  const leftOver: (() => Promise<void> | void)[] = [];
  let sockets: string;

  before(function check() {
    needsOpenssh(this);
  });

  beforeEach(() => {
    sockets = mkdtempSync(join(tmpdir(), 'ways-'));
  });

  afterEach(async () => {
    for (const end of leftOver.splice(0).toReversed()) {
      await end();
    }
    assert.deepEqual(
      allProcesses()
        .filter(({ command }) => command.includes(sockets))
        .map(({ command }) => command),
      [],
    );
    rmSync(sockets, { recursive: true, force: true });
  });

  async function aMachine(options: FarMachineOptions = {}): Promise<FarMachine> {
    const machine = await FarMachine.start(options);
    leftOver.push(() => machine.dispose());
    return machine;
  }

  const reach = async (machine: FarMachine, shared = true, given = signal): Promise<OpenSshShell> => {
    const shell = await OpenSshShell.open(
      { name: 'gpu-box', destination: 'gpu-box', settings: [], configFile: machine.config },
      { clock: systemClock, random: systemRandom, sockets, shared },
      given,
    );
    leftOver.push(() => shell.close());
    return shell;
  };

  async function refusal(work: Promise<unknown>, kind: FarErrorKind): Promise<FarError> {
    const error = await work.then(
      () => assert.fail('it was let through'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof FarError, String(error));
    assert.equal(error.kind, kind, error.message);
    return error;
  }

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
    leftOver.push(() => new Promise<void>(resolve => server.close(() => resolve())));
    return path;
  }

  for (const shared of [true, false]) {
    describe(shared ? 'over one connection' : 'over a connection for each, as on Windows', () => {
      it('runs programs, gives them their input, and answers their code and both outputs', async () => {
        const shell = await reach(await aMachine(), shared);
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
        const machine = await aMachine();
        const shell = await reach(machine, shared);
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
        const machine = await aMachine();
        const shell = await reach(machine, shared);
        const address = await shell.forward(await anEcho(machine), { signal });
        assert.equal(await echoed(address, 'hello'), 'hello');
      });

      it('says so while nobody listens there, and leads there once somebody does', async () => {
        const machine = await aMachine();
        const shell = await reach(machine, shared);
        const { message } = await refusal(
          shell.forward(join(machine.folder, 'echo'), { signal }),
          'unreachable',
        );
        assert.match(message, /^gpu-box has nothing that listens at .*echo yet, or any more\.$/);
        const address = await shell.forward(await anEcho(machine), { signal });
        assert.equal(await echoed(address, 'now'), 'now');
      });

      it('joins each connection to the socket where its sshd forbids forwarding', async () => {
        const machine = await aMachine({ sshd: ['DisableForwarding yes'] });
        const shell = await reach(machine, shared);
        const address = await shell.forward(await anEcho(machine), { signal });
        const [one, two] = await Promise.all([echoed(address, 'x'.repeat(500_000)), echoed(address, 'two')]);
        assert.deepEqual([one.length, two], [500_000, 'two']);
      });
    });
  }

  it('follows what a program says while it says it', async () => {
    const machine = await aMachine();
    const shell = await reach(machine);
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
    const shell = await reach(await aMachine());
    const asker = new AbortController();
    const asked = shell.follow('echo begun; sleep 600', () => asker.abort(new Error('enough')), asker.signal);
    await assert.rejects(asked, /enough/);
    assert.equal((await shell.run('echo still', { signal })).stdout, 'still\n');
  });

  it('says so when a program says too much', async () => {
    const shell = await reach(await aMachine());
    const { message } = await refusal(shell.run('yes', { signal, maxBytes: 1000 }), 'too_much');
    assert.match(message, /^gpu-box says more than 1000 bytes/);
  });

  it('leaves out what a login shell prints', async () => {
    const machine = await aMachine({ bashrc: 'echo "Welcome to the lab"; printf "no line end"\n' });
    const shell = await reach(machine);
    assert.equal((await shell.run('echo mine', { signal })).stdout, 'mine\n');
  });

  it('works through many programs at once where sshd allows few sessions, or one', async () => {
    for (const sessions of ['2', '1']) {
      const shell = await reach(await aMachine({ sshd: [`MaxSessions ${sessions}`] }));
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
    const shell = await reach(await aMachine());
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
    const machine = await aMachine();
    const shell = await reach(machine);
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
    const machine = await aMachine();
    const wire = await Wire.to(machine.port, 5);
    leftOver.push(() => wire.close());
    machine.leadTo(wire.port);
    const shell = await reach(machine);
    assert.equal((await shell.run('echo over the wire', { signal })).stdout, 'over the wire\n');
    wire.cut();
    await until('the way is closed', () => shell.closed.aborted);
    wire.mend();
    assert.equal((await (await reach(machine)).run('echo back', { signal })).stdout, 'back\n');
  });

  it('puts a file where no program for SHA-256 is', async function test() {
    const tools = mkdtempSync(join(tmpdir(), 'tools-'));
    leftOver.push(() => rmSync(tools, { recursive: true, force: true }));
    chmodSync(tools, 0o755);
    const { path } = new FarTools(tools);
    const machine = await aMachine({ bashrc: `PATH=${path}\n` });
    const shell = await reach(machine);
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
    const machine = await aMachine();
    const shell = await reach(machine);
    const blocked = join(machine.home, 'blocked');
    writeFileSync(blocked, '');
    const { message } = await refusal(shell.put(join(blocked, 'x'), Buffer.from('x'), 0o600, signal), 'file');
    assert.match(message, /^gpu-box: .*blocked\/x cannot be written there: .*(exists|directory)/i);
  });

  describe('kept open for those who need it', () => {
    /** A computer that can sleep: its clock, which counts sleep, goes on by so much. */
    const aClock = () => {
      let sleptMs = 0;
      const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + sleptMs };
      return { clock, sleep: (ms: number) => (sleptMs += ms) };
    };
    const shellsOf = (clock: Clock): FarShells => {
      const shells = new FarShells({ clock, random: systemRandom, sockets, shared: true });
      leftOver.push(() => shells.close());
      return shells;
    };
    const targetOf = ({ config }: FarMachine) => ({
      name: 'gpu-box',
      destination: 'gpu-box',
      settings: [],
      configFile: config,
    });

    it('is one connection for all who ask, and another after its end', async () => {
      const machine = await aMachine();
      const shells = shellsOf(systemClock);
      const [one, two] = await Promise.all([
        shells.hold(targetOf(machine), signal),
        shells.hold(targetOf(machine), signal),
      ]);
      assert.equal(one.shell, two.shell);
      machine.cut();
      await until('its end is known', () => one.shell.closed.aborted);
      const again = await shells.use(targetOf(machine), signal, shell => shell.run('echo again', { signal }));
      assert.equal(again.stdout, 'again\n');
    });

    it('is given up in a sentence when nothing answers for half a minute', async () => {
      const machine = await aMachine();
      const wire = await Wire.to(machine.port);
      leftOver.push(() => wire.close());
      machine.leadTo(wire.port);
      wire.cut();
      // Its half minute is over at once.
      const clock: Clock = {
        ...systemClock,
        setTimer: (work, ms) => systemClock.setTimer(work, ms === 30_000 ? 0 : ms),
      };
      const { message } = await refusal(shellsOf(clock).hold(targetOf(machine), signal), 'unreachable');
      assert.equal(message, 'gpu-box has not answered for 30 s. Check that ssh gpu-box works in a terminal.');
    });

    it('is dialled a second time when this computer wakes, and the dead one is given up for it', async () => {
      const machine = await aMachine();
      const wire = await Wire.to(machine.port);
      leftOver.push(() => wire.close());
      machine.leadTo(wire.port);
      const { clock, sleep } = aClock();
      const shells = shellsOf(clock);
      const { shell } = await shells.hold(targetOf(machine), signal);
      wire.cut();
      machine.leadTo(machine.port);
      sleep(60_000);
      await until('the dead one is given up', () => shell.closed.aborted);
      const { shell: other } = await shells.hold(targetOf(machine), signal);
      assert.notEqual(other, shell);
      assert.equal((await other.run('echo awake', { signal })).stdout, 'awake\n');
    });

    it('stays the same when it answers first', async () => {
      const machine = await aMachine();
      const [old, other] = [await Wire.to(machine.port), await Wire.to(machine.port)];
      leftOver.push(
        () => old.close(),
        () => other.close(),
      );
      machine.leadTo(old.port);
      const { clock, sleep } = aClock();
      const shells = shellsOf(clock);
      const { shell } = await shells.hold(targetOf(machine), signal);
      old.cut();
      other.cut();
      machine.leadTo(other.port);
      sleep(60_000);
      await until('another was dialled', () => other.connections > 0);
      old.mend();
      await until('the other was given up', () => other.connections === 0);
      assert.equal(shell.closed.aborted, false);
      assert.equal((await shells.hold(targetOf(machine), signal)).shell, shell);
    });
  });

  describe('says in a sentence', () => {
    it('that nobody answers', async () => {
      const machine = await aMachine();
      await machine.halt();
      const { message } = await refusal(reach(machine), 'unreachable');
      assert.match(
        message,
        /^gpu-box does not answer: connect to host 127\.0\.0\.1 port \d+: Connection refused\./,
      );
    });

    it('that there is no such name', async () => {
      const machine = await aMachine();
      machine.leadTo(machine.port, []);
      writeFileSync(machine.config, 'Host gpu-box\n  HostName no-such-machine.invalid\n');
      const { message } = await refusal(reach(machine), 'unreachable');
      assert.match(message, /^gpu-box does not answer: Could not resolve hostname no-such-machine\.invalid/);
    });

    it('that it lets nobody in', async () => {
      const machine = await aMachine();
      writeFileSync(join(machine.folder, 'authorized_keys'), '');
      const { message } = await refusal(reach(machine), 'login');
      assert.match(
        message,
        /^gpu-box answers, but lets nobody in: .*Permission denied \(publickey\)\. Check the user/,
      );
    });

    it('that another key answers than the known one, and sends nothing', async () => {
      const machine = await aMachine();
      await machine.halt();
      machine.newHostKey();
      await machine.boot();
      const { message, hostKey } = await refusal(reach(machine), 'host_key_changed');
      assert.match(message, /^gpu-box shows another host key than the one that is known \(SHA256:/);
      assert.match(hostKey?.fingerprint ?? '', /^SHA256:\S+$/);
    });

    it('that nobody has said yes to its key', async () => {
      const machine = await aMachine();
      rmSync(machine.knownHosts);
      const { message } = await refusal(reach(machine), 'host_key_unknown');
      assert.match(message, /^gpu-box is not known yet.*hitch networks add ssh gpu-box$/s);
      assert.equal(existsSync(machine.knownHosts), false);
    });

    it('that a machine on the way fails', async () => {
      const machine = await aMachine();
      machine.leadTo(machine.port, ['ProxyJump nobody@127.0.0.1:9']);
      const { message } = await refusal(reach(machine), 'jump');
      assert.match(message, /^The way to gpu-box leads over another machine .*Connection refused/);
    });

    it('that it runs no programs, or wants a terminal for them', async () => {
      const words = ['This account is not for you', 'sorry, you must have a tty to run this'];
      for (const [at, said] of words.entries()) {
        const machine = await aMachine({ sshd: [`ForceCommand echo "${said}"; exit 1`] });
        const { message } = await refusal(reach(machine), 'shell');
        assert.ok(message.startsWith('gpu-box lets Hitch in, but runs no programs for it'), message);
        assert.ok(message.includes(said), message);
        assert.equal(message.includes('It wants a terminal'), at === 1, message);
      }
    });

    it('that ssh cannot read its configuration', async () => {
      const machine = await aMachine();
      writeFileSync(machine.config, 'Host gpu-box\n  NoSuchSetting yes\n');
      const { message } = await refusal(reach(machine), 'no_ssh');
      assert.match(message, /Bad configuration option: nosuchsetting/i);
    });
  });

  it('is not troubled by what a configuration asks of terminals, commands and shared connections', async () => {
    const machine = await aMachine();
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
    const shell = await reach(machine);
    assert.equal((await shell.run('echo mine', { signal })).stdout, 'mine\n');
    await shell.close();
    assert.equal(existsSync(join(machine.folder, 'mine')), false);
  });

  it('gives up reaching a machine when its asker does', async () => {
    const machine = await aMachine();
    const wire = await Wire.to(machine.port);
    leftOver.push(() => wire.close());
    wire.cut();
    machine.leadTo(wire.port);
    const asker = new AbortController();
    const asked = reach(machine, true, asker.signal);
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
