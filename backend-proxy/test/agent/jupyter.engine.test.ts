import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { executionSchema, terminalSchema } from '@hitch/contract';
import type WebSocket from 'ws';
import * as z from 'zod';
import { runCell, startKernel } from './cells.ts';
import { pythonOrSkip, RunningAgent, shownOf } from './running-agent.ts';

describe('The agent with a real Jupyter Server', function () {
  this.timeout(180_000);
  let agent: RunningAgent;

  before(async function () {
    const python = pythonOrSkip(this);
    agent = await new RunningAgent({ python, jupyter: true, secrets: { HF_TOKEN: 'hf-of-a-test' } }).start();
  });

  after(async () => {
    await agent?.dispose();
  });

  it('makes a kernel as soon as it is asked, while the server still starts, and runs a cell in the work folder', async () => {
    const kernel = await startKernel(agent);
    const printed = await runCell(
      agent,
      kernel,
      'import os; print(os.getcwd()); print(os.environ["HITCH_WORK_FOLDER"])',
    );
    assert.equal(printed, `${agent.work}\n${agent.work}\n`);
    const status = await agent.untilStatus('the kernel in the status', ({ kernels }) => kernels.length === 1);
    assert.equal(status.kernels[0]?.id, kernel);
    assert.equal(status.jupyter.state, 'running');
  });

  it('gives secrets to kernels and to nobody else, and the tag to everything', async () => {
    const kernel = await startKernel(agent);
    const seen = await runCell(
      agent,
      kernel,
      'import os; print(os.environ["HF_TOKEN"], os.environ["HITCH_NODE"])',
    );
    assert.equal(seen, `hf-of-a-test ${agent.ref}\n`);
    const server = (await agent.status()).jupyter.pid ?? 0;
    const environment = readFileSync(`/proc/${server.toString()}/environ`, 'latin1');
    assert.ok(environment.includes(agent.ref));
    assert.ok(!environment.includes('hf-of-a-test'));
    const token = readFileSync(join(agent.state, 'jupyter', 'token'), 'utf8');
    for (const shown of agent.processes().map(shownOf)) {
      assert.ok(!shown.includes(token), 'the token of Jupyter Server is in no listing');
      assert.ok(!shown.includes(agent.token), 'the token of the agent is in no listing');
    }
    assert.equal(statSync(join(agent.state, 'jupyter', 'settings.json')).mode & 0o077, 0);
  });

  it('gives a secret again to a kernel that is restarted', async () => {
    const kernel = await startKernel(agent);
    // One that is restarted while it starts is waited for, for as long as some kernels do not answer: another matter.
    await runCell(agent, kernel, 'pass');
    const restarted = await agent.call('POST', `/jupyter/api/kernels/${kernel}/restart`);
    assert.equal(restarted.status, 200, restarted.text);
    assert.equal(await runCell(agent, kernel, 'import os; print(os.environ["HF_TOKEN"])'), 'hf-of-a-test\n');
  });

  it('passes on kernels, sessions, kernelspecs, contents and what it says of itself as JSON, and nothing else', async () => {
    for (const path of ['', '/kernels', '/sessions', '/kernelspecs', '/contents', '/status', '/me']) {
      const answer = await agent.call('GET', `/jupyter/api${path}`);
      assert.equal(answer.status, 200, path);
      assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.equal(answer.headers['set-cookie'], undefined);
    }
    const refused = [
      '/jupyter/',
      '/jupyter/lab',
      '/jupyter/api/terminals',
      '/jupyter/api/config',
      '/jupyter/api/shutdown',
      '/jupyter/files/secret.html',
      '/jupyter/view/secret.html',
      '/jupyter/kernelspecs/python3/logo-64x64.png',
      '/jupyter/api/kernelsx',
      '/jupyter/api/kernels/%2e%2e/shutdown',
      '/jupyter/api/contents/%2e%2e/%2e%2e/etc',
    ];
    for (const path of refused) {
      const answer = await agent.call('GET', path);
      assert.equal(answer.status, 404, path);
      assert.match(answer.text, /"code":"NOT_FOUND"/);
    }
  });

  it('answers executions by cell id', async () => {
    const kernel = await startKernel(agent);
    await runCell(agent, kernel, 'print("out of a cell")', 'cell-1');
    const answer = await agent.call('GET', `/kernels/${kernel}/executions?cellId=cell-1`);
    const [execution] = z.array(executionSchema).parse(answer.json);
    assert.equal(execution?.state, 'ok');
    assert.deepEqual(execution.outputs, [{ output_type: 'stream', name: 'stdout', text: 'out of a cell\n' }]);
  });

  it('keeps a terminal while its clients come and go', async () => {
    const made = await agent.call('POST', '/terminals', { name: 'work1' });
    assert.equal(terminalSchema.parse(made.json).name, 'work1');
    assert.equal((await agent.call('POST', '/terminals', { name: 'work1' })).status, 409);
    assert.equal((await agent.call('POST', '/terminals', { name: '../up' })).status, 400);

    const first = agent.socket('/terminals/work1/socket');
    await new Promise((resolve, reject) => {
      first.once('open', resolve);
      first.once('error', reject);
    });
    first.send(JSON.stringify(['stdin', 'echo said-$((40+2))\r']));
    await readUntil(first, 'said-42');
    first.close();

    const second = agent.socket('/terminals/work1/socket');
    await readUntil(second, 'said-42');
    second.close();

    const listed = z.array(terminalSchema).parse((await agent.call('GET', '/terminals')).json);
    assert.deepEqual(
      listed.map(({ name }) => name),
      ['work1'],
    );
    assert.equal((await agent.call('DELETE', '/terminals/work1')).status, 200);
    assert.equal((await agent.call('DELETE', '/terminals/work1')).status, 404);
    await assert.rejects(readUntil(agent.socket('/terminals/work1/socket'), 'never'), /404/);
  });

  it('starts Jupyter Server again when it dies', async () => {
    const { pid } = (await agent.status()).jupyter;
    process.kill(pid ?? 0, 'SIGKILL');
    const again = await agent.untilStatus(
      'another Jupyter Server',
      ({ jupyter }) => jupyter.state === 'running' && jupyter.pid !== pid,
    );
    assert.equal(again.jupyter.restarts, 1);
    assert.equal(await runCell(agent, await startKernel(agent), 'print(1)'), '1\n');
  });

  it('takes over Jupyter Server and its kernels after it was killed, variables and journal included', async () => {
    const kernel = await startKernel(agent);
    await runCell(agent, kernel, 'kept = 41', 'before');
    const server = (await agent.status()).jupyter.pid;
    await agent.kill();
    await agent.start();
    const status = await agent.untilStatus(
      'the server taken over',
      ({ jupyter }) => jupyter.state === 'running',
    );
    assert.equal(status.jupyter.pid, server);
    assert.equal(status.jupyter.restarts, 0);
    assert.equal(await runCell(agent, kernel, 'kept += 1; print(kept)'), '42\n');
    const executions = await agent.call('GET', `/kernels/${kernel}/executions?cellId=before`);
    assert.equal(z.array(executionSchema).parse(executions.json).length, 1);
  });

  it('leaves everything running when it is asked to go, and takes it over again', async () => {
    const kernel = await startKernel(agent);
    await runCell(agent, kernel, 'stays = "here"');
    const left = agent.exited();
    agent.process?.kill('SIGTERM');
    assert.equal(await left, 0);
    assert.ok(agent.processes().length > 0);
    await agent.start();
    assert.equal(await runCell(agent, kernel, 'print(stays)'), 'here\n');
  });

  it('interrupts the cells that run and leaves the kernels, so that files can be saved', async () => {
    const kernel = await startKernel(agent);
    assert.equal(await runCell(agent, kernel, 'kept = "here"'), '');
    const busy = runCell(agent, kernel, 'import time\nwhile True: time.sleep(0.1)');
    await agent.untilStatus('a busy kernel', ({ kernels }) => kernels.some(({ state }) => state === 'busy'));
    const answer = await agent.call('POST', '/kernel-interrupts');
    assert.deepEqual([answer.status, answer.json], [200, { interrupted: 1 }]);
    assert.match(await busy, /^Error: KeyboardInterrupt/);
    assert.equal(await runCell(agent, kernel, 'print(kept)'), 'here\n');
    assert.deepEqual((await agent.call('POST', '/kernel-interrupts')).json, { interrupted: 0 });
  });

  it('ends kernels, what cells started in sessions of their own, Jupyter and itself', async () => {
    const kernel = await startKernel(agent);
    await runCell(
      agent,
      kernel,
      'import subprocess; subprocess.Popen(["sleep", "1000"], start_new_session=True)',
    );
    const busy = runCell(
      agent,
      kernel,
      'import time\ntry:\n  time.sleep(1000)\nfinally:\n  open("interrupted", "w").close()',
    ).catch(() => 'cut');
    await agent.untilStatus('a busy kernel', ({ kernels }) => kernels.some(({ state }) => state === 'busy'));
    const left = agent.exited();
    assert.equal((await agent.call('POST', '/shutdown', { reason: 'the test says so' })).status, 200);
    assert.equal(await left, 0);
    await busy;
    assert.ok(existsSync(join(agent.work, 'interrupted')), 'the busy cell was interrupted, not only killed');
    assert.deepEqual(agent.processes(), []);
  });
});

/** Waits until the socket has said a text; a watch that outlives the wait would keep the test's process alive. */
function readUntil(socket: WebSocket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const late = setTimeout(() => {
      reject(new Error(`never came: ${text}; came: ${seen}`));
      socket.terminate();
    }, 90_000);
    socket.on('error', error => {
      clearTimeout(late);
      reject(error);
    });
    socket.on('message', (data: Buffer) => {
      seen += data.toString();
      if (seen.includes(text)) {
        clearTimeout(late);
        resolve();
      }
    });
  });
}
