import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliHarness } from './harness.ts';

describe('hitch report', () => {
  let harness: CliHarness;
  let folder: string;
  const file = () => join(folder, 'hitch-report.json');
  beforeEach(async () => {
    harness = await CliHarness.start();
    folder = mkdtempSync(join(tmpdir(), 'hitch-report-'));
    mkdirSync(join(folder, 'logs'));
    writeFileSync(join(folder, 'logs', 'daemon.log'), 'Authorization: Bearer 0123456789abcdef\nlast words\n');
  });
  afterEach(async () => {
    await harness.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const report = (args: readonly string[] = [], typed?: string) =>
    harness.run(['report', ...args], {
      cwd: folder,
      env: { HITCH_HOME: folder },
      ...(typed === undefined ? {} : { tty: true, stdin: typed }),
    });

  it('shows what is in it, and writes it after a yes for nobody else to read', async () => {
    const { code, stdout, stderr } = await report([], 'y\r');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /In the report:\s+versions[^]*\d+ checks?[^]*the end of the log daemon, 3 lines/);
    assert.match(stderr, /Write it to .*hitch-report\.json\? \[y\/N\]/);
    const text = readFileSync(file(), 'utf8');
    assert.match(text, /last words/);
    assert.doesNotMatch(text, /0123456789abcdef/);
    if (process.platform !== 'win32') {
      assert.equal(statSync(file()).mode & 0o777, 0o600);
    }
  });

  it('writes nothing without a yes, nor over what is there', async () => {
    assert.equal((await report([], '\r')).code, 6);
    assert.equal(existsSync(file()), false);
    writeFileSync(file(), 'mine');
    const { code, stderr } = await report();
    assert.equal(code, 2);
    assert.match(stderr, /is there already/);
    assert.equal(readFileSync(file(), 'utf8'), 'mine');
  });

  it('is made where no daemon can be reached, and says so', async () => {
    const { code, json } = await harness.run(['report', '--json'], {
      cwd: folder,
      env: { HITCH_HOME: folder },
      daemons: { connect: () => Promise.reject(new Error('nobody listens')) },
    });
    assert.equal(code, 0);
    const made = json() as Record<string, unknown>;
    assert.match(JSON.stringify(made['doctor']), /nobody listens/);
    assert.match(JSON.stringify(made['daemon']), /no daemon was reached/);
    assert.equal(existsSync(file()), false);
  });
});
