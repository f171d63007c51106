import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorEnvelopeSchema } from '@hitch/contract';
import { runCell, startKernel } from './cells.ts';
import { type Answer, pythonOrSkip, RunningAgent } from './running-agent.ts';

describe('hostile: a kernel that cannot start', function () {
  this.timeout(240_000);
  let agent: RunningAgent;
  let ipython: string;

  before(async function () {
    const python = pythonOrSkip(this);
    ipython = mkdtempSync(join(tmpdir(), 'hitch-ipython-'));
    mkdirSync(join(ipython, 'profile_default'));
    // What a kernel reads as it starts.
    agent = await new RunningAgent({ python, jupyter: true, secrets: { IPYTHONDIR: ipython } }).start();
  });
  after(async () => {
    await (agent as RunningAgent | undefined)?.dispose();
    rmSync(ipython, { recursive: true, force: true });
  });

  const configure = (python: string): void =>
    writeFileSync(join(ipython, 'profile_default', 'ipython_config.py'), `c = get_config()\n${python}\n`);
  const start = (): Promise<Answer> => agent.call('POST', '/jupyter/api/kernels', {});
  const startSession = (): Promise<Answer> =>
    agent.call('POST', '/jupyter/api/sessions', {
      path: 'a',
      name: 'a',
      type: 'notebook',
      kernel: { name: 'python3' },
    });

  function checkSays(answer: Answer, what: string, why: RegExp): void {
    assert.equal(answer.status, 409, answer.text);
    const { message, next } = errorEnvelopeSchema.parse(answer.json);
    assert.ok(message.startsWith(`${what}: `), message);
    assert.match(message, why);
    assert.equal(next, 'Its whole log: hitch logs test --name jupyter');
  }

  it('is said with its last words, for a kernel, a session and a restart, and others go on', async () => {
    configure('');
    const before = await startKernel(agent);
    configure("c.InteractiveShell.xmode = 'Fancy'");
    const xmode = /: Bad config encountered during initialization: The 'xmode' trait .*'Fancy'\.$/;
    checkSays(await start(), 'The kernel could not be started', xmode);
    checkSays(await startSession(), 'The kernel could not be started', xmode);
    assert.deepEqual(
      (await agent.status()).kernels.map(({ id }) => id),
      [before],
      'none is left half started',
    );
    assert.equal(await runCell(agent, before, "print('still')"), 'still\n');
    const restart = await agent.call('POST', `/jupyter/api/kernels/${before}/restart`);
    checkSays(restart, 'The kernel could not be started again', xmode);
  });

  it('is said too when its process ends without a word', async () => {
    configure('import os; os._exit(7)');
    checkSays(
      await start(),
      'The kernel could not be started',
      /: its process ended with code 7 and said nothing\.$/,
    );
    configure('import os, signal; os.kill(os.getpid(), signal.SIGKILL)');
    checkSays(await start(), 'The kernel could not be started', /: its process was ended by signal 9/);
  });

  it('starts when what was wrong has been put right', async () => {
    configure('');
    assert.equal(await runCell(agent, await startKernel(agent), "print('well')"), 'well\n');
  });
});
