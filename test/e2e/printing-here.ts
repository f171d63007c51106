/** Cells that print on machines of this computer, while what is between them and their pages fails. */
import { join } from 'node:path';
import { DaemonHome } from '../support/daemon-home.ts';
import { printingCells, type Waits } from '../support/printing-cells.ts';
import { needsRealNodes } from '../support/processes.ts';

/** Declares the suite, to be called inside of one. */
export function printingHere(waits: Waits): void {
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local' });

  printingCells(waits, async context => {
    needsRealNodes(context);
    await home.start();
    return {
      home,
      filter: { providers: ['local'] },
      patienceMs: 60_000,
      agentPid: cluster => home.agentPid(cluster),
      workFolder: ({ nodes }) => join(home.machineFolder(nodes[0]?.attempts[0]?.ref ?? ''), 'work'),
    };
  });

  // After the pages have left.
  after(() => home.dispose());
}
