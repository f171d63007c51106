import assert from 'node:assert/strict';
import * as z from 'zod';
import { CliHarness } from './harness.ts';

describe('hitch, about its daemon', () => {
  let harness: CliHarness;
  beforeEach(async () => {
    harness = await CliHarness.start();
  });
  afterEach(() => harness.close());

  describe('doctor', () => {
    it('reports the daemon that cannot be reached as a problem, with exit code 11', async () => {
      const { code, stdout } = await harness.run(['doctor'], {
        daemons: {
          connect: () => Promise.reject(new Error('the home is read-only')),
        },
      });
      assert.equal(code, 11);
      assert.match(stdout, /✗ daemon {2}.*the home is read-only/);
    });

    it('is content when all is well', async () => {
      const { code, json } = await harness.run(['doctor', '--json']);
      assert.equal(code, 0);
      assert.equal(z.array(z.looseObject({ status: z.string() })).parse(json())[0]?.status, 'ok');
    });
  });

  describe('daemon', () => {
    it('says where it listens, and stops it', async () => {
      assert.match(
        (await harness.run(['daemon', 'status'])).stdout,
        /The daemon runs: version 0\.1\.0, process 1, http:\/\/127\.0\.0\.1:\d+/,
      );
      assert.match((await harness.run(['daemon', 'stop'])).stdout, /Clusters keep running/);
    });

    it('answers status with exit code 8 when none runs', async () => {
      const status = async () => ({
        running: false,
        pid: null,
        port: null,
        version: null,
        home: '/home/me/.hitch',
      });
      const { code, stdout } = await harness.run(['daemon', 'status'], { daemons: { status } });
      assert.equal(code, 8);
      assert.match(stdout, /No daemon runs for \/home\/me\/\.hitch/);
    });

    it('refuses an action it does not know', async () => {
      assert.equal((await harness.run(['daemon', 'restart'])).code, 2);
    });
  });
});
