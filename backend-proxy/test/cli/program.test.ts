import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { errorEnvelopeSchema, HitchError } from '@hitch/contract';
import * as z from 'zod';
import { VERSION } from '@hitch/platform/src/version.ts';
import { CliHarness } from './harness.ts';

const COMMANDS = [
  'offers',
  'rent',
  'start',
  'ls',
  'show',
  'kernels',
  'logs',
  'run',
  'cp',
  'ssh',
  'cost',
  'extend',
  'stop',
  'rm',
  'doctor',
  'networks',
  'secrets',
  'daemon',
];

describe('the hitch program', () => {
  let harness: CliHarness;
  before(async () => {
    harness = await CliHarness.start();
  });
  after(() => harness.close());

  it('has the version of its package', async () => {
    const file: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    assert.equal(z.object({ version: z.string() }).parse(file).version, VERSION);
    assert.equal((await harness.run(['--version'])).stdout, `${VERSION}\n`);
  });

  it('lists every command in its help', async () => {
    const { stdout, code } = await harness.run(['--help']);
    assert.equal(code, 0);
    for (const name of COMMANDS) assert.match(stdout, new RegExp(`^  ${name}[ |]`, 'm'));
    assert.doesNotMatch(stdout, /ssh-proxy/, 'a program calls it, not a person');
  });

  for (const name of COMMANDS.filter(name => name !== 'secrets' && name !== 'networks')) {
    it(`shows examples for ${name}, and --json among its options`, async () => {
      const { stdout, code } = await harness.run([name, '--help']);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`Examples:\\n  hitch ${name}`));
      assert.match(stdout, /--json/);
      assert.equal((await harness.run(['help', name])).stdout, stdout);
    });
  }

  it('documents its exit codes', async () => {
    const { stdout, code } = await harness.run(['help', 'exit-codes']);
    assert.equal(code, 0);
    for (const exit of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 130]) {
      assert.match(stdout, new RegExp(`^ +${exit}  \\w`, 'm'));
    }
  });

  it('says how packages are installed on a cluster', async () => {
    const { stdout, code } = await harness.run(['help', 'packages']);
    assert.equal(code, 0);
    assert.match(stdout, /%pip install[^]*hitch ssh[^]*ssh hitch-my-cluster pip install[^]*runtime_env/);
    assert.match((await harness.run(['--help'])).stdout, /hitch help packages/);
  });

  it('begins with what to type first, and has its commands by what they are for', async () => {
    const { stdout } = await harness.run(['--help']);
    assert.match(stdout, /First steps:\n  hitch offers .*\n  hitch rent --practice .*free/);
    assert.match(stdout, /\nRent and end:\n  offers [^]*\nAccounts and machines:\n  networks /);
    assert.doesNotMatch(stdout, /\nCommands:/);
  });

  for (const [group, shows] of [
    ['networks', /^$/],
    ['secrets', /^Kept in this computer's keychain\.$/m],
  ] as const) {
    it(`lists by the bare word ${group}, and says then what else there is`, async () => {
      const bare = await harness.run([group]);
      assert.equal(bare.code, 0, bare.stderr);
      assert.match(bare.stdout, shows);
      assert.equal(bare.stdout, (await harness.run([group, 'ls'])).stdout);
      assert.match(
        bare.stderr,
        new RegExp(`\nUsage: hitch ${group} \\[options\\] \\[command\\]\n[^]*\n  ls[| ]`),
      );
      const listed = await harness.run([group, 'ls', '--json']);
      JSON.parse(listed.stdout);
      for (const args of [
        [group, '--json'],
        [group, '--json', 'ls'],
      ]) {
        const json = await harness.run(args);
        assert.deepEqual([json.code, json.stdout, json.stderr], [0, listed.stdout, '']);
      }
      const wrong = await harness.run([group, 'lss']);
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /hitch: Unknown command 'lss' \(Did you mean ls\?\)/);
      assert.equal(wrong.stdout, '');
    });
  }

  it('refuses an unknown command with a sentence and exit code 2', async () => {
    const { code, stderr } = await harness.run(['retn']);
    assert.equal(code, 2);
    assert.match(stderr, /hitch: Unknown command 'retn'/);
    assert.match(stderr, /See hitch help/);
  });

  it('knows what other programs call a command', async () => {
    assert.equal((await harness.run(['list'])).stdout, (await harness.run(['ls'])).stdout);
    const { code, stderr } = await harness.run(['status']);
    assert.equal(code, 2);
    assert.match(stderr, /hitch: Unknown command 'status' \(Did you mean ls\?\)/);
  });

  it('writes an error as the envelope on standard error under --json, and nothing on standard output', async () => {
    const { code, stdout, stderr } = await harness.run(['show', 'nobody', '--json']);
    assert.equal(code, 3);
    assert.equal(stdout, '');
    const envelope = errorEnvelopeSchema.parse(JSON.parse(stderr));
    assert.equal(envelope.code, 'NOT_FOUND');
    assert.match(envelope.message, /There is no cluster "nobody"\./);
    const usage = await harness.run(['offers', '--nonsense', '--json']);
    assert.equal(errorEnvelopeSchema.parse(JSON.parse(usage.stderr)).code, 'BAD_INPUT');
  });

  it('says in one sentence and a next step when the daemon cannot be reached', async () => {
    const { code, stderr } = await harness.run(['ls'], {
      daemons: {
        connect: () => {
          throw new HitchError('VERSION_MISMATCH', 'The daemon that runs is Hitch 9.0.0.', {
            next: 'Update this copy of Hitch.',
          });
        },
      },
    });
    assert.equal(code, 8);
    assert.equal(stderr, 'hitch: The daemon that runs is Hitch 9.0.0.\nUpdate this copy of Hitch.\n');
  });

  it('reports what nobody foresaw as a defect, with exit code 1 and no stack', async () => {
    const { code, stderr } = await harness.run(['ls'], {
      daemons: {
        connect: () => {
          throw new TypeError('undefined is not a function');
        },
      },
    });
    assert.equal(code, 1);
    assert.match(stderr, /Something went wrong in Hitch: undefined is not a function/);
    assert.doesNotMatch(stderr, / at .*:\d+/);
  });
});
