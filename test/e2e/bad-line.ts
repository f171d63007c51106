/**
 * The same as on machines of this computer, on one that is reached by ssh over a line that is slow, loses segments, is cut
 * without a word for shorter and for longer than ssh waits, and is reset.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, isGone } from '@hitch/contract';
import { seededRandom } from '@hitch/platform/src/random.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { FarMachine } from '../support/far-machine.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { printingCells, type Waits } from '../support/printing-cells.ts';
import { needsRealNodes } from '../support/processes.ts';
import { delay, until } from '../support/waiting.ts';
import { Wire } from '../support/wire.ts';

const SEED = Number(process.env['HITCH_TEST_SEED'] ?? 1);
const DELAY_MS = 40;
const LOST_SHARE = 0.01;
/** `ssh` gives a silent connection up after 15 to 20 s. */
const SHORT_CUT_MS = 8_000;
const PATIENCE_MS = 180_000;

/** Declares the suite, to be called inside of one. @param longCutMs a cut is as long, and at least until it is noticed. */
export function printingBehindABadLine(waits: Waits, longCutMs: number): void {
  let machine: FarMachine;
  let wire: Wire;
  let home: DaemonHome;
  const ends: (() => Promise<void>)[] = [];

  const folderOf = ({ nodes }: Cluster): string =>
    join(machine.home, '.hitch/far/machines', nodes[0]?.attempts.at(-1)?.ref ?? '');

  printingCells(
    waits,
    async context => {
      needsOpenssh(context);
      needsRealNodes(context);
      machine = await FarMachine.start();
      ends.unshift(() => machine.dispose());
      console.log(`      seed ${SEED.toString()} (HITCH_TEST_SEED=${SEED.toString()} draws the same losses)`);
      wire = await Wire.to(machine.port, DELAY_MS, { share: LOST_SHARE, random: seededRandom(SEED) });
      ends.unshift(() => wire.close());
      machine.leadTo(wire.port);
      home = new DaemonHome({ HITCH_PROVIDERS: 'ssh', HITCH_SSH_CONFIG: machine.config });
      ends.unshift(() => home.dispose());
      await home.start();
      const added = await home.cli(['networks', 'add', 'ssh', 'gpu-box', '--price', '0.50']);
      assert.equal(added.code, 0, added.stderr);
      return {
        home,
        filter: { providers: ['ssh'] },
        patienceMs: PATIENCE_MS,
        agentPid: cluster => Number(readFileSync(join(folderOf(cluster), 'agent'), 'utf8').split(' ')[0]),
        workFolder: cluster => join(folderOf(cluster), 'work'),
      };
    },
    ({ everyCellCatchesUp, clusters }) => {
      it('goes on after a cut that ssh outlasts', async () => {
        wire.cut();
        await delay(SHORT_CUT_MS);
        wire.mend();
        await everyCellCatchesUp();
      });

      it('goes on after a cut on which ssh gave up, and no end was told', async () => {
        wire.cut();
        const unreachable = clusters().map(({ id }) =>
          home.untilCluster(id, 'it is unreachable', ({ phase }) => phase === 'unreachable'),
        );
        await Promise.all([...unreachable, delay(longCutMs)]);
        wire.mend();
        for (const { id } of clusters()) {
          await home.untilCluster(id, 'it is ready again', ({ phase }) => phase === 'ready', PATIENCE_MS);
        }
        await everyCellCatchesUp();
      });

      it('goes on after every connection over the line was reset', async () => {
        wire.reset();
        await until('another connection is open', () => wire.connections > 0, PATIENCE_MS);
        await everyCellCatchesUp();
      });

      it('was on a line that lost something all the while', () => {
        assert.ok(wire.lost > 20, `${wire.lost.toString()} losses`);
      });
    },
  );

  it('leaves nothing on the machine when its clusters are stopped', async () => {
    const all = await home.api.clusters.list();
    for (const { id } of all) {
      await home.api.clusters.stop({ clusterId: id, skipSave: true });
    }
    for (const { id } of all) {
      await home.untilCluster(id, 'it is gone', isGone, PATIENCE_MS);
    }
    await home.stop();
    await until('nothing runs there', () => machine.processes().length === 0);
  });

  after(async () => {
    for (const end of ends) {
      await end();
    }
  });
}
