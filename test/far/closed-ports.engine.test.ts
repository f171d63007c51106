/** A machine's ports that are closed to others, by real nftables in a network of its own: made, made again, and gone. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closedRules, wholeRules } from '../../backend-proxy/src/machines/far/closed-rules.ts';
import { CLEAN, CLOSE, END, LOOK, LOOP } from '../../backend-proxy/src/machines/far/program-texts.ts';
import { parseLook } from '../../backend-proxy/src/machines/far/facts.ts';
import { valueLines } from '../../backend-proxy/src/machines/far/values.ts';
import { FarNetwork, type FarPlace, withoutNftables } from '../support/far-network.ts';
import { refOfThisRun, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const REF = refOfThisRun('closed');
const OWNERS =
  'table inet owners { chain input { type filter hook input priority filter; policy accept; }; }';

describe('the ports of a far machine', function suite() {
  this.timeout(120_000);
  let network: FarNetwork | undefined;
  let place: FarPlace;
  let folder = '';
  let owners = '';

  before(async function prepare() {
    const reason = withoutNftables();
    if (reason !== null) {
      skip(this, reason);
    }
    network = await FarNetwork.make();
    place = network.join('one');
    network.addRules(place, OWNERS);
    owners = network.ruleset(place);
  });
  after(() => network?.dispose());

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hclosed-'));
    mkdirSync(join(folder, 'machines', REF, 'state', 'logs'), { recursive: true });
    mkdirSync(join(folder, 'machines', REF, 'state', 'run'));
    mkdirSync(join(folder, 'machines', REF, 'work'));
    writeFileSync(join(folder, '.root'), '');
  });
  afterEach(() => {
    run(END);
    rmSync(folder, { recursive: true, force: true });
  });

  const within = (): FarNetwork => {
    assert.ok(network !== undefined);
    return network;
  };
  const ruleset = () => within().ruleset(place);
  const values = (more: Record<string, string> = {}) =>
    valueLines({ ROOT: folder, REF, SOCKET: join(folder, 'no.sock'), ...more });
  const inside = (...command: readonly string[]) => ['netns', 'exec', place.namespace, ...command];

  function run(program: string, more: Record<string, string> = {}): string {
    const { stdout, stderr } = spawnSync('ip', inside('sh', '-c', program), {
      input: values(more),
      encoding: 'utf8',
    });
    return `${stdout}${stderr}`.trim();
  }

  const rulesFor = (...peers: string[]) =>
    closedRules({ ref: REF, firstPort: 12_000, lastPort: 12_149, peers });
  const close = (...peers: string[]) => run(CLOSE, { RULES: rulesFor(...peers), MUST: '' });

  /** Runs the loop of an agent that is this program. */
  function loop(agent: string): () => boolean {
    const machine = join(folder, 'machines', REF);
    writeFileSync(join(folder, 'agent'), agent);
    writeFileSync(
      join(machine, 'agent-values'),
      valueLines({ NODE: '/bin/sh', BUNDLE: join(folder, 'agent'), STARTED_FROM: 'test' }),
    );
    writeFileSync(join(machine, 'environment'), `HITCH_NODE=${REF}\n`);
    writeFileSync(join(folder, 'loop'), LOOP);
    const child = spawn('ip', inside('sh', join(folder, 'loop'), machine), { stdio: 'ignore' });
    return () => child.exitCode !== null;
  }

  it('are found to be ones that can be closed, and nothing is made by asking', () => {
    const { stdout } = spawnSync('ip', inside('sh', '-c', LOOK), { encoding: 'utf8' });
    assert.equal(parseLook(stdout).staysOpen, null);
    assert.equal(ruleset(), owners);
  });

  it('are closed, once, for whoever is let in by then', () => {
    assert.equal(close(), '::closed');
    assert.match(ruleset(), /tcp dport 12000-12149 drop/);
    assert.equal(close('10.213.0.7', 'fd77::9'), '::closed');
    assert.equal(ruleset().match(new RegExp(`table inet ${REF}`, 'g'))?.length, 1);
    assert.match(ruleset(), /10\.213\.0\.7/);
    assert.match(ruleset(), /fd77::9/);
    assert.ok(ruleset().includes(owners.trim()));
  });

  it('are all closed to strangers on a machine that is rented, but its sshd’s', async () => {
    const ports = [2022, 6006, 8265];
    const listen =
      'for (const [port, host] of [[2022, "::"], [8265, "0.0.0.0"], [6006, "::"]]) require("node:net").createServer().listen(port, host);';
    const programs = spawn('ip', inside(process.execPath, '-e', `${listen} console.log("listens")`), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(programs.stdout, 'data');
      assert.deepEqual(await within().openPorts(place, ports), ports);
      const rules = wholeRules({ ref: REF, sshPort: 2022, peers: [] });
      assert.equal(run(CLOSE, { RULES: rules, MUST: '' }), '::closed');
      assert.deepEqual(await within().openPorts(place, ports), [2022]);
      const { address } = within().neighbour;
      assert.equal(
        run(CLOSE, { RULES: wholeRules({ ref: REF, sshPort: 2022, peers: [address] }), MUST: '' }),
        '::closed',
      );
      assert.deepEqual(await within().openPorts({ ...place, address6: null }, ports), ports);
    } finally {
      programs.kill();
    }
  });

  it('are opened with the end of the machine, and the rest stays', () => {
    close('10.213.0.7');
    assert.equal(run(END), '::ended');
    assert.equal(ruleset(), owners);
    assert.equal(run(END), '::ended');
  });

  it('are opened where the folder was taken away under them', () => {
    close('10.213.0.7');
    assert.equal(run(END, { ROOT: '' }), '::ended');
    assert.equal(ruleset(), owners);
  });

  it('are opened by the machine itself when its node ends there, and not when its agent is replaced', async () => {
    close('10.213.0.7');
    const machine = join(folder, 'machines', REF);
    const replaced = loop(`: >'${machine}/stop'`);
    await until('the loop ends', replaced);
    assert.notEqual(ruleset(), owners);
    rmSync(join(machine, 'stop'));
    const ended = loop(`echo '{}' >'${machine}/state/run/ended.json'; exit 0`);
    await until('the loop ends', ended);
    assert.equal(ruleset(), owners);
    assert.ok(!existsSync(join(folder, 'closed', REF)));
  });

  it('are opened when the agent of a node that ends asks its loop to go', async () => {
    close('10.213.0.7');
    const machine = join(folder, 'machines', REF);
    const ended = loop(`echo '{}' >'${machine}/state/run/ended.json'; kill $PPID; sleep 1; exit 0`);
    await until('the loop ends', ended);
    assert.equal(ruleset(), owners);
  });

  it('are closed again after a reboot, before the agent starts', async () => {
    close('10.213.0.7');
    within().addRules(place, `delete table inet ${REF}`);
    assert.equal(ruleset(), owners);
    const machine = join(folder, 'machines', REF);
    const over = loop(`PATH=$PATH:/usr/sbin:/sbin nft list ruleset >'${folder}/seen'; : >'${machine}/stop'`);
    await until('the loop ends', over);
    assert.match(readFileSync(join(folder, 'seen'), 'utf8'), /tcp dport 12000-12149 drop/);
  });

  it('are opened by a clean-up where the machine’s folder was taken away', () => {
    close('10.213.0.7');
    rmSync(join(folder, 'machines'), { recursive: true });
    assert.match(run(CLEAN), /^::freed \d+$/);
    assert.equal(ruleset(), owners);
    assert.ok(!existsSync(folder));
  });

  it('that cannot be closed are said to be open', () => {
    const broken = 'table inet nonsense { chain input { type nothing hook nowhere priority 0; }; }';
    assert.match(run(CLOSE, { RULES: broken, MUST: '' }), /^::open .+/);
    assert.equal(ruleset(), owners);
  });
});
