/**
 * Cells that print while everything between them and their pages fails. One timeline: the cells start once, each test
 * does something to them, and at the end every line is there, once, in order, in every page and in the executions.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, decodeHitchFrame, decodeMessage, KERNEL_PROTOCOL_HITCH } from '@hitch/contract';
import WebSocket from 'ws';
import { DaemonHome, passing } from '../support/daemon-home.ts';
import { type Cell, NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsRealNodes, runs, sendSignal } from '../support/processes.ts';
import { delay, until } from '../support/waiting.ts';

/** Jupyter's own sockets are given up after 90 s without a pong. */
const LONGER_THAN_JUPYTER_WAITS_MS = 96_000;
/** The daemon takes an agent for unreachable after 45 s of silence. */
const LONGER_THAN_THE_DAEMON_WAITS_MS = 50_000;

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

const linesOf = (text: string): readonly string[] => text.trimEnd().split('\n');

/** Each line once and in order, so far. */
function checkLines(text: string, what: string): void {
  const lines = linesOf(text);
  lines.forEach((line, index) => {
    const expected = line.startsWith('end')
      ? `end ${(lines.length - 1).toString()}`
      : `line ${index.toString()}`;
    assert.equal(line, expected, `${what}, at line ${index.toString()} of ${lines.length.toString()}`);
  });
}

function streamText(outputs: readonly Readonly<Record<string, unknown>>[]): string {
  return outputs
    .filter(({ output_type }) => output_type === 'stream')
    .map(({ text }) => (Array.isArray(text) ? text.join('') : String(text)))
    .join('');
}

interface Printing {
  readonly cluster: Cluster;
  readonly kernelId: string;
  readonly cellId: string;
  readonly page: NotebookPage;
  readonly cell: Cell;
}

describe('a printing cell while what is between it and its page fails', function () {
  this.timeout(300_000);
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local' });
  let [attached, leaving, reloaded, far]: Printing[] = [];

  const start = async (cluster: Cluster, cellId: string): Promise<Printing> => {
    const kernelId = await startKernel(home, cluster);
    const page = await NotebookPage.open(home, cluster, kernelId);
    return { cluster, kernelId, cellId, page, cell: page.run(PRINTING, cellId) };
  };
  const agentPid = (cluster: Cluster): number => home.agentPid(cluster);
  /** A way that is down at this moment is asked again. */
  const executionsOf = ({ cluster, kernelId, cellId }: Printing) =>
    until('the executions can be read', () =>
      home.api.kernels.executions({ clusterId: cluster.id, kernelId, cellId }).catch(passing),
    );
  const given = (printing: Printing | undefined): Printing => {
    assert.ok(printing, 'the cells were started');
    return printing;
  };
  /** Waits until the page has shown what the cell has printed by now, and more. */
  const catchesUp = async (printing: Printing): Promise<void> => {
    const printed = linesOf(streamText((await executionsOf(printing))[0]?.outputs ?? [])).length;
    await until(
      `the page shows more than ${printed.toString()} lines`,
      () => linesOf(printing.cell.text).length > printed,
    );
    checkLines(printing.cell.text, printing.cellId);
  };

  before(async function () {
    needsRealNodes(this);
    await home.start();
    const [near, other] = await Promise.all([
      home.rent({ filter: { providers: ['local'] } }, 'near'),
      home.rent({ filter: { providers: ['local'] } }, 'far'),
    ]);
    const [nearby, faraway] = [await home.untilKernel(near.id), await home.untilKernel(other.id)];
    attached = await start(nearby, 'attached-cell');
    leaving = await start(nearby, 'leaving-cell');
    reloaded = await start(nearby, 'reloaded-cell');
    far = await start(faraway, 'far-cell');
    const all = [attached, leaving, reloaded, far];
    await until('all cells print', () => all.every(({ cell }) => linesOf(cell.text).length > 8));
  });

  after(async () => {
    [attached, leaving, reloaded, far].forEach(printing => printing?.page.leave());
    await home.dispose();
  });

  it('loses nothing while the daemon is frozen for longer than Jupyter waits for a pong', async () => {
    given(leaving).page.leave();
    given(reloaded).page.leave();
    home.signal('SIGSTOP');
    const before = linesOf(given(attached).cell.text).length;
    await delay(LONGER_THAN_JUPYTER_WAITS_MS);
    home.signal('SIGCONT');
    await until('the page shows what was printed meanwhile', () => {
      return linesOf(given(attached).cell.text).length > before + LONGER_THAN_JUPYTER_WAITS_MS / 500;
    });
    await catchesUp(given(attached));
    await catchesUp(given(far));
  });

  it('gives a page that comes back with its cursor what it missed', async () => {
    const before = linesOf(given(leaving).cell.text).length;
    await given(leaving).page.comeBack();
    await catchesUp(given(leaving));
    assert.ok(linesOf(given(leaving).cell.text).length > before + 100);
  });

  it('fills the cell of a reloaded page by its id, and goes on from there with live messages', async () => {
    const { cluster, kernelId, cell } = given(reloaded);
    const { baseUrl, token } = home.place();
    const live: { readonly seq: number; readonly text: string }[] = [];
    const socket = new WebSocket(
      `${baseUrl.replace('http', 'ws')}${cluster.jupyterPath}/api/kernels/${kernelId}/channels?session_id=anew`,
      [KERNEL_PROTOCOL_HITCH],
      { headers: { authorization: `Bearer ${token}` } },
    );
    socket.on('message', (data: Buffer) => {
      const frame = decodeHitchFrame(data);
      const message = 'frame' in frame ? decodeMessage(frame.frame) : null;
      if ('frame' in frame && message?.header.msg_type === 'stream') {
        assert.equal(message.parentHeader.msg_id, cell.messageId);
        live.push({ seq: frame.seq, text: String(message.content['text']) });
      }
    });
    await until('live messages come', () => live.length > 4);
    const [execution, ...more] = await executionsOf(given(reloaded));
    assert.ok(execution);
    assert.deepEqual(more, []);
    assert.equal(execution.state, 'running');
    assert.equal(execution.messageId, cell.messageId);
    assert.equal(execution.droppedBytes, 0);
    await until('more live messages come', () => live.some(({ seq }) => seq > execution.lastSeq + 4));
    socket.close();
    const later = live.filter(({ seq }) => seq > execution.lastSeq).map(({ text }) => text);
    const whole = streamText(execution.outputs) + later.join('');
    checkLines(whole, 'the reloaded page');
    assert.ok(linesOf(whole).length > LONGER_THAN_JUPYTER_WAITS_MS / 500);
  });

  it('goes on when the daemon is killed and another one starts', async () => {
    await home.kill();
    await delay(2_000);
    await home.start();
    await catchesUp(given(attached));
    await catchesUp(given(leaving));
    await catchesUp(given(far));
  });

  it('goes on when the agent is killed: another takes over Jupyter and the kernels', async () => {
    // The other cluster's agent stands still meanwhile: a way to it that is dead without a word.
    sendSignal(agentPid(given(far).cluster), 'SIGSTOP');
    const pid = agentPid(given(attached).cluster);
    sendSignal(pid, 'SIGKILL');
    await until('the agent is gone', () => !runs(pid));
    await until('another agent runs', () => agentPid(given(attached).cluster) !== pid, 120_000);
    await catchesUp(given(attached));
    await catchesUp(given(leaving));
  });

  it('goes on when the way to an agent was dead for longer than the daemon waits', async () => {
    const { cluster } = given(far);
    await home.untilCluster(cluster.id, 'it is unreachable', ({ phase }) => phase === 'unreachable');
    await delay(LONGER_THAN_THE_DAEMON_WAITS_MS - 45_000);
    sendSignal(agentPid(cluster), 'SIGCONT');
    await home.untilCluster(cluster.id, 'it is ready again', ({ phase }) => phase === 'ready');
    await catchesUp(given(far));
  });

  it('has shown every line once and in order in the end, to each page and by its executions', async () => {
    await given(reloaded).page.comeBack();
    for (const { cluster } of [given(attached), given(far)]) {
      writeFileSync(join(home.machineFolder(cluster.nodes[0]?.attempts[0]?.ref ?? ''), 'work', 'enough'), '');
    }
    for (const printing of [given(attached), given(leaving), given(reloaded), given(far)]) {
      const text = await printing.cell.over();
      assert.equal(printing.cell.status, 'ok');
      checkLines(text, printing.cellId);
      assert.match(text, /^end \d+$/m);
      const [execution, ...more] = await executionsOf(printing);
      assert.deepEqual(more, []);
      assert.equal(execution?.state, 'ok');
      assert.equal(streamText(execution.outputs), text, printing.cellId);
    }
  });
});
