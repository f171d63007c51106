/** Pages of a cluster's programs in a real browser: Ray's own dashboard, and one that tries what a hostile one would. */
import assert from 'node:assert/strict';
import type { Cluster, PortLink } from '@hitch/contract';
import type { Browser, Page } from 'playwright-core';
import type { DaemonHome } from './daemon-home.ts';
import { until } from './waiting.ts';

/** A page with a WebSocket that echoes, by the tornado that comes with Jupyter. It says the port that it found free. */
const PROGRAM = `
import asyncio, tornado.web, tornado.websocket
class Page(tornado.web.RequestHandler):
    def get(self):
        self.set_cookie("mine", "1")
        self.write("<!doctype html><title>waiting</title>")
class Seen(tornado.web.RequestHandler):
    def get(self):
        self.write({"cookie": self.request.headers.get("Cookie", ""), "authorization": self.request.headers.get("Authorization", "")})
class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)
async def main():
    application = tornado.web.Application([("/", Page), ("/seen", Seen), ("/echo", Echo)])
    server = application.listen(0, "127.0.0.1")
    await asyncio.Event().wait()
asyncio.run(main())
`;

/** Starts it on the head, apart from the kernel, which ends with its command. @returns its link, once it is listed. */
export async function openProgram(home: DaemonHome, cluster: Cluster): Promise<PortLink> {
  const code = `
import subprocess, sys
open("page_program.py", "w").write(${JSON.stringify(PROGRAM)})
subprocess.Popen([sys.executable, "page_program.py"], start_new_session=True)
`;
  const ran = await home.cli(['run', cluster.name, '-c', code]);
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  const listed = await until('it is listed', async () => {
    const { ports, missing } = await home.api.ports.list({ clusterId: cluster.id });
    assert.deepEqual(missing, []);
    return ports.find(({ process }) => process.endsWith('page_program.py')) ?? null;
  });
  return home.api.ports.link({ clusterId: cluster.id, port: listed.port });
}

/** What a page could do, tried inside of it. */
export async function triedByPage(page: Page, daemonUrl: string, otherUrl: string): Promise<unknown> {
  return page.evaluate(
    async ([daemon, other]) => {
      const read = async (url: string, init: RequestInit = {}): Promise<string> => {
        try {
          return `read ${(await (await fetch(url, init)).text()).slice(0, 80)}`;
        } catch {
          return 'refused';
        }
      };
      const echo = new Promise<string>(resolve => {
        const socket = new WebSocket(`ws://${location.host}/echo`);
        socket.onopen = () => socket.send('there and back');
        socket.onmessage = ({ data }) => resolve(String(data));
        socket.onclose = () => resolve('closed');
      });
      const worker = await navigator.serviceWorker.register('/seen').then(
        () => 'installed',
        () => 'refused',
      );
      return {
        echo: await echo,
        seen: JSON.parse(await (await fetch('/seen')).text()) as unknown,
        script: document.cookie,
        api: await read(`${daemon}/api/clusters`, { credentials: 'include' }),
        other: await read(other, { credentials: 'include' }),
        worker,
      };
    },
    [daemonUrl, otherUrl] as const,
  );
}

/**
 * Ray's own answers where no Grafana, Prometheus and cloud platform stand beside it, and where Ray Serve is not installed
 * (`dashboard/modules/serve/serve_head.py` answers 501 then); its pages say so by themselves.
 */
const NOT_THERE = /grafana|prometheus|\/platform_events$|\/api\/serve\//;

/** Every page of Ray's dashboard; what did not load of each. */
export async function loadedDashboard(page: Page, address: string, alive: number): Promise<string[]> {
  const failed: string[] = [];
  page.on('response', response => {
    if (response.status() >= 400 && !NOT_THERE.test(new URL(response.url()).pathname)) {
      failed.push(`${response.status().toString()} ${new URL(response.url()).pathname}`);
    }
  });
  page.on('requestfailed', request => failed.push(`failed ${new URL(request.url()).pathname}`));
  for (const [part, shown] of [
    ['overview', 'Cluster utilization'],
    ['jobs', 'Job List'],
    ['cluster', `ALIVE x ${alive.toString()}`],
    ['actors', 'Actors'],
    ['serve', 'Serve'],
    ['logs', 'Logs'],
  ] as const) {
    await page.goto(`${address}#/${part}`);
    await page.getByText(shown).first().waitFor({ timeout: 60_000 });
  }
  return failed;
}

/** As a person's click opens it. */
export async function openedIn(browser: Browser, link: PortLink): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(link.url);
  await page.waitForURL(link.address);
  return page;
}
