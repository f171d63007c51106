/**
 * Cells that print while everything between them and their pages fails. One timeline: the cells start once, each test
 * does something to them, and at the end every line is there, once, in order, in every page and in the executions. It is
 * the same wherever the machines are; what can only happen on the way to some of them stands with those.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Cluster,
  type QuoteRequest,
  decodeHitchFrame,
  decodeMessage,
  KERNEL_PROTOCOL_HITCH,
} from '@hitch/contract';
import WebSocket from 'ws';
import { type DaemonHome, passing } from './daemon-home.ts';
import { type Cell, NotebookPage, startKernel } from './notebook-page.ts';
import { runs, sendSignal } from './processes.ts';
import { delay, until } from './waiting.ts';

/** How long nothing goes on between the cells and their pages. */
export interface Waits {
  /** The daemon stands still. */
  readonly frozenMs: number;
  /** An agent stands still until the daemon takes it for unreachable; else for as long as the test before takes. */
  readonly untilUnreachable: boolean;
}

/** Jupyter's own sockets are given up after 90 s without a pong. */
export const LONGER_THAN_JUPYTER_WAITS: Waits = { frozenMs: 96_000, untilUnreachable: true };
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

/** Packages are installed there first, where the machine is another one. */
const STARTS_WITHIN_MS = 480_000;
const runsNotebooks = ({ conditions }: Cluster): boolean => conditions.kernel.status === 'yes';

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

/** Where the machines are, and how they are got at past everything of ours. */
export interface PrintingPlace {
  /** Its daemon runs. */
  readonly home: DaemonHome;
  readonly filter: NonNullable<Partial<QuoteRequest>['filter']>;
  /** How long one wait may last on a busy computer. */
  readonly patienceMs: number;
  /** The process of the agent on the cluster's machine. */
  agentPid(cluster: Cluster): number;
  workFolder(cluster: Cluster): string;
}

interface Printing {
  readonly cluster: Cluster;
  readonly kernelId: string;
  readonly cellId: string;
  readonly page: NotebookPage;
  readonly cell: Cell;
}

/** What more happens to the cells: `everyCellCatchesUp` waits until the pages have shown what was printed by now, and more. */
export interface Timeline {
  readonly everyCellCatchesUp: () => Promise<void>;
  readonly clusters: () => readonly Cluster[];
}

/**
 * Declares the tests, inside of a `describe` that ends what was prepared.
 * @param prepare starts the daemon and what it is to reach; may skip the suite
 * @param more declares those tests that are this place's own, before the end
 */
export function printingCells(
  { frozenMs, untilUnreachable }: Waits,
  prepare: (context: Mocha.Context) => Promise<PrintingPlace>,
  more: (timeline: Timeline) => void = () => undefined,
): void {
  let place: PrintingPlace | undefined;
  let home: DaemonHome;
  let patienceMs: number;
  let [attached, leaving, reloaded, other]: Printing[] = [];

  const start = async (cluster: Cluster, cellId: string): Promise<Printing> => {
    const kernelId = await startKernel(home, cluster);
    const page = await NotebookPage.open(home, cluster, kernelId);
    return { cluster, kernelId, cellId, page, cell: page.run(PRINTING, cellId) };
  };
  const here = (): PrintingPlace => {
    assert.ok(place, 'the place was prepared');
    return place;
  };
  const agentPid = (cluster: Cluster): number => here().agentPid(cluster);
  /** A way that is down at this moment is asked again. */
  const executionsOf = ({ cluster, kernelId, cellId }: Printing) =>
    until(
      'the executions can be read',
      () => home.api.kernels.executions({ clusterId: cluster.id, kernelId, cellId }).catch(passing),
      patienceMs,
    );
  const given = (printing: Printing | undefined): Printing => {
    assert.ok(printing, 'the cells were started');
    return printing;
  };
  const all = (): readonly Printing[] => [attached, leaving, reloaded, other].map(given);
  /** Waits until the page has shown what the cell has printed by now, and more. */
  const catchesUp = async (printing: Printing): Promise<void> => {
    const kept = streamText((await executionsOf(printing))[0]?.outputs ?? []);
    // Whether what a page misses was lost on the way to it, or before.
    checkLines(kept, `${printing.cellId} by its executions`);
    const printed = linesOf(kept).length;
    await until(
      `the page shows more than ${printed.toString()} lines`,
      () => linesOf(printing.cell.text).length > printed,
      patienceMs,
    );
    checkLines(printing.cell.text, printing.cellId);
  };

  before(async function () {
    place = await prepare(this);
    const { filter } = place;
    ({ home, patienceMs } = place);
    const rented = [];
    for (const name of ['one', 'another']) {
      rented.push(await home.rent({ filter }, name));
    }
    const [one, another] = await Promise.all(
      rented.map(({ id }) => home.untilCluster(id, 'a notebook can run', runsNotebooks, STARTS_WITHIN_MS)),
    );
    assert.ok(one !== undefined && another !== undefined);
    attached = await start(one, 'attached-cell');
    leaving = await start(one, 'leaving-cell');
    reloaded = await start(one, 'reloaded-cell');
    other = await start(another, 'other-cell');
    await until(
      'all cells print',
      () => all().every(({ cell }) => linesOf(cell.text).length > 8),
      patienceMs,
    );
  });

  after(() => [attached, leaving, reloaded, other].forEach(printing => printing?.page.leave()));

  it(`loses nothing while the daemon is frozen for ${(frozenMs / 1000).toString()} s`, async () => {
    given(leaving).page.leave();
    given(reloaded).page.leave();
    home.signal('SIGSTOP');
    const before = linesOf(given(attached).cell.text).length;
    await delay(frozenMs);
    home.signal('SIGCONT');
    await until(
      'the page shows what was printed meanwhile',
      () => linesOf(given(attached).cell.text).length > before + frozenMs / 500,
      patienceMs,
    );
    await catchesUp(given(attached));
    await catchesUp(given(other));
  });

  it('gives a page that comes back with its cursor what it missed', async () => {
    const before = linesOf(given(leaving).cell.text).length;
    await given(leaving).page.comeBack();
    await catchesUp(given(leaving));
    assert.ok(linesOf(given(leaving).cell.text).length > before + frozenMs / 500);
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
    await until('live messages come', () => live.length > 4, patienceMs);
    const [execution, ...more] = await executionsOf(given(reloaded));
    assert.ok(execution);
    assert.deepEqual(more, []);
    assert.equal(execution.state, 'running');
    assert.equal(execution.messageId, cell.messageId);
    assert.equal(execution.droppedBytes, 0);
    await until(
      'more live messages come',
      () => live.some(({ seq }) => seq > execution.lastSeq + 4),
      patienceMs,
    );
    socket.close();
    const later = live.filter(({ seq }) => seq > execution.lastSeq).map(({ text }) => text);
    const whole = streamText(execution.outputs) + later.join('');
    checkLines(whole, 'the reloaded page');
    assert.ok(linesOf(whole).length > frozenMs / 500);
  });

  it('goes on when the daemon is killed and another one starts', async () => {
    await home.kill();
    await delay(2_000);
    await home.start();
    await catchesUp(given(attached));
    await catchesUp(given(leaving));
    await catchesUp(given(other));
  });

  it('goes on when the agent is killed: another takes over Jupyter and the kernels', async () => {
    // The other cluster's agent stands still meanwhile: a way to it that is dead without a word.
    sendSignal(agentPid(given(other).cluster), 'SIGSTOP');
    const pid = agentPid(given(attached).cluster);
    sendSignal(pid, 'SIGKILL');
    await until('the agent is gone', () => !runs(pid));
    await until('another agent runs', () => agentPid(given(attached).cluster) !== pid, 120_000);
    await catchesUp(given(attached));
    await catchesUp(given(leaving));
  });

  const howLong = untilUnreachable ? 'for longer than the daemon waits' : 'for a while';
  it(`goes on when the way to an agent was dead ${howLong}`, async () => {
    const { cluster } = given(other);
    if (untilUnreachable) {
      await home.untilCluster(cluster.id, 'it is unreachable', ({ phase }) => phase === 'unreachable');
      await delay(LONGER_THAN_THE_DAEMON_WAITS_MS - 45_000);
    }
    sendSignal(agentPid(cluster), 'SIGCONT');
    await home.untilCluster(cluster.id, 'it is ready again', ({ phase }) => phase === 'ready');
    await catchesUp(given(other));
  });

  more({
    everyCellCatchesUp: async () => {
      await given(reloaded).page.comeBack();
      await Promise.all(all().map(catchesUp));
      given(reloaded).page.leave();
    },
    clusters: () => [given(attached).cluster, given(other).cluster],
  });

  it('has shown every line once and in order in the end, to each page and by its executions', async () => {
    await given(reloaded).page.comeBack();
    for (const { cluster } of [given(attached), given(other)]) {
      writeFileSync(join(here().workFolder(cluster), 'enough'), '');
    }
    for (const printing of all()) {
      const text = await printing.cell.over(patienceMs);
      assert.equal(printing.cell.status, 'ok');
      const [execution, ...more] = await executionsOf(printing);
      assert.deepEqual(more, []);
      assert.equal(execution?.state, 'ok');
      checkLines(streamText(execution.outputs), `${printing.cellId} by its executions`);
      checkLines(text, printing.cellId);
      assert.match(text, /^end \d+$/m);
      assert.equal(streamText(execution.outputs), text, printing.cellId);
    }
  });
}
