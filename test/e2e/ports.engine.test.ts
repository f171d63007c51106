/** A program's page on a cluster, in a real browser: it works, and reaches nothing but its own port. */
import assert from 'node:assert/strict';
import type { Cluster } from '@hitch/contract';
import { pythonOrSkip } from '../../backend-proxy/test/agent/running-agent.ts';
import { chromiumOrSkip, launchChromium } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { openedIn, openProgram, triedByPage } from '../support/port-pages.ts';

describe('a page that a program on a cluster serves', function () {
  this.timeout(300_000);
  const home = new DaemonHome();
  let chromium: string;
  let cluster: Cluster;

  before(async function () {
    pythonOrSkip(this);
    chromium = chromiumOrSkip(this);
    await home.start();
    cluster = await home.rent({ filter: { practice: 'only' } }, 'pages');
    await home.untilKernel(cluster.id);
  });

  after(() => home.dispose());

  it('has its own origin, with its WebSockets and cookies, and reaches neither the daemon nor another port', async () => {
    const link = await openProgram(home, cluster);
    const browser = await launchChromium(chromium);
    try {
      const page = await openedIn(browser, link);
      const another = link.address.replace(/\/\/\d+-/, '//1-');
      assert.deepEqual(await triedByPage(page, home.place().baseUrl, another), {
        echo: 'there and back',
        seen: { cookie: 'mine=1', authorization: '' },
        script: 'mine=1',
        api: 'refused',
        other: 'refused',
        worker: 'refused',
      });
    } finally {
      await browser.close();
    }
  });
});
