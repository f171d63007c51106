/** Cells that print on machines of this computer, while what is between them and their pages fails. */
import { join } from 'node:path';
import { DaemonHome } from '../support/daemon-home.ts';
import { printingCells } from '../support/printing-cells.ts';
import { needsRealNodes } from '../support/processes.ts';

describe('a printing cell while what is between it and its page fails', function () {
  this.timeout(300_000);
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local' });

  printingCells(async context => {
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
});
