/** A machine of one's own, from `hitch networks add` to nothing left: the real command line, daemon, ssh, sshd, agent, kernel. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type Cluster, isGone } from '@hitch/contract';
import { DaemonHome } from '../support/daemon-home.ts';
import { FarMachine } from '../support/far-machine.ts';
import { type Cell, NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsOpenssh, withoutOpenssh } from '../support/openssh.ts';
import { needsRealNodes } from '../support/processes.ts';
import { delay, until } from '../support/waiting.ts';
import { Wire } from '../support/wire.ts';

/** Prints a numbered line every quarter of a second until it is told that it is enough. */
const PRINTING = `
import os, time
number = 0
while not os.path.exists('enough'):
    print('line', number, flush=True)
    number += 1
    time.sleep(0.25)
print('end', number)
`;
/** Shorter than it takes ssh to give a connection up, and longer. */
const SHORT_CUT_MS = 8_000;

const linesOf = (text: string): readonly string[] => text.trimEnd().split('\n');

describe('a machine of one’s own', function suite() {
  this.timeout(600_000);
  let machine: FarMachine;
  let wire: Wire;
  let home: DaemonHome;
  let cluster: Cluster;
  let page: NotebookPage;
  let cell: Cell;

  before(async function prepare() {
    needsOpenssh(this);
    needsRealNodes(this);
    machine = await FarMachine.start();
    wire = await Wire.to(machine.port, 20);
    machine.leadTo(wire.port);
    home = new DaemonHome({ HITCH_PROVIDERS: 'ssh', HITCH_SSH_CONFIG: machine.config });
    await home.start();
  });

  after(async () => {
    if (withoutOpenssh() === null && home !== undefined) {
      page?.leave();
      await home.dispose();
      await wire.close();
      await machine.dispose();
    }
  });

  /** Each line once and in order, and more than there were before. */
  const catchesUp = async (): Promise<void> => {
    const before = linesOf(cell.text).length;
    await until('the page shows more lines', () => linesOf(cell.text).length > before + 4, 120_000);
    linesOf(cell.text).forEach((line, index) => assert.equal(line, `line ${index.toString()}`));
  };

  it('is named in the configuration of ssh, and is not added before its key is known', async () => {
    rmSync(machine.knownHosts);
    for (const list of ['/dev/null', 'none']) {
      writeFileSync(
        machine.config,
        readFileSync(machine.config, 'utf8').replace(/UserKnownHostsFile .*/, `UserKnownHostsFile ${list}`),
      );
      const unkept = await home.cli(['networks', 'add', 'ssh', 'gpu-box']);
      assert.notEqual(unkept.code, 0);
      assert.match(unkept.stderr, /ssh keeps no list of known machines for gpu-box \(UserKnownHostsFile /);
      assert.doesNotMatch(unkept.stderr, /ssh does not know gpu-box yet/);
    }
    machine.leadTo(wire.port);
    const listed = await home.cli(['networks', 'ls']);
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, /not added: gpu-box\nAdd one: hitch networks add ssh <name>/);
    const { code, stderr } = await home.cli(['networks', 'add', 'ssh', 'gpu-box']);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /ssh does not know gpu-box yet\. Its ED25519 key is SHA256:/);
    assert.match(stderr, /gpu-box was not added/);
    assert.equal(existsSync(machine.knownHosts), false);
    const wrong = await home.cli(['networks', 'add', 'ssh', 'gpu-box', '--key', 'SHA256:another']);
    assert.equal(wrong.code, 2);
    const [key = ''] = /SHA256:\S+/.exec(stderr) ?? [];
    const added = await home.cli(['networks', 'add', 'ssh', 'gpu-box', '--price', '0.50', '--key', key]);
    assert.equal(added.code, 0, added.stderr);
    assert.match(added.stdout, /^Added gpu-box: no GPU, \d+ CPU cores?, \d+ GB of memory, \$0\.50\/h$/m);
    assert.ok(readFileSync(machine.knownHosts, 'utf8').includes(machine.hostKey.split(' ')[1] ?? '?'));
  });

  it('keeps its price when it is added again', async () => {
    const again = await home.cli(['networks', 'add', 'ssh', 'gpu-box']);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /^Added gpu-box: .*, \$0\.50\/h$/m);
    const { stdout } = await home.cli(['networks', 'ls']);
    assert.match(stdout, /^ {2}gpu-box, \$0\.50\/h$/m);
  });

  it('says what is wrong with what was asked', async () => {
    for (const [args, code, said] of [
      [['networks', 'test', 'ssh', 'nobody'], 3, /nobody is not on the list of your machines/],
      [['networks', 'add', 'ssh', '-oProxyCommand=x'], 2, /Unknown option '-oProxyCommand=x'/],
      [['networks', 'add', 'ssh', 'two words'], 2, /"two words" is not a name that ssh has for one machine/],
      [['networks', 'add', 'vast', 'gpu-box'], 2, /Only the network ssh has machines of your own/],
      [
        ['networks', 'add', 'ssh', 'no-such-machine.invalid'],
        7,
        /no-such-machine\.invalid (?:does not answer|has not answered)/,
      ],
    ] as const) {
      const ran = await home.cli(args);
      assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stderr}`);
      assert.match(ran.stderr, said);
    }
  });

  it('is an offer, and runs a cell', async () => {
    cluster = await home.rent({ filter: { providers: ['ssh'] } }, 'mine');
    cluster = await home.untilCluster(
      cluster.id,
      'a notebook can run',
      ({ conditions }) => conditions.kernel.status === 'yes',
      480_000,
    );
    page = await NotebookPage.open(home, cluster, await startKernel(home, cluster));
    cell = page.run(PRINTING, 'cell');
    await until('it prints', () => linesOf(cell.text).length > 4);
    const tested = await home.cli(['networks', 'test', 'ssh', 'gpu-box']);
    assert.match(tested.stdout, /Hitch clusters running there:\n {4}hitch-\w+, of /);
    assert.equal((await home.cli(['networks', 'clean', 'ssh', 'gpu-box'])).code, 7);
  });

  it('loses no line when the way there is cut for a moment', async () => {
    wire.cut();
    await delay(SHORT_CUT_MS);
    wire.mend();
    await catchesUp();
  });

  it('loses no line when the way there is cut until ssh has given it up', async () => {
    wire.cut();
    await home.untilCluster(cluster.id, 'the cluster is not reached', ({ phase }) => phase === 'unreachable');
    wire.mend();
    await home.untilCluster(cluster.id, 'the cluster is back', ({ phase }) => phase === 'ready');
    await catchesUp();
  });

  it('loses no line when the daemon is killed', async () => {
    await home.kill();
    await home.start();
    await catchesUp();
  });

  it('holds nothing that opens anything, and is left as it was', async () => {
    const { token } = home.place();
    const seen = machine.processes().flatMap(({ command, environment }) => [command, ...environment]);
    assert.ok(seen.length > 0);
    assert.equal(seen.filter(text => text.includes(token)).length, 0);
    page.leave();
    await home.api.clusters.stop({ clusterId: cluster.id, skipSave: true });
    await home.untilCluster(cluster.id, 'it is gone', isGone);
    await home.stop();
    await until('nothing runs there', () => machine.processes().length === 0);
    await home.start();
    const cleaned = await home.cli(['networks', 'clean', 'ssh', 'gpu-box']);
    assert.equal(cleaned.code, 0, cleaned.stderr);
    assert.deepEqual(readdirSync(machine.home), []);
    const removed = await home.cli(['networks', 'rm', 'ssh', 'gpu-box']);
    assert.equal(removed.stdout, 'Removed gpu-box from the list.\n');
    await home.stop();
  });
});
