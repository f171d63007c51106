/** The shell of a company: everything goes through a proxy. What goes to this computer itself must not. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DaemonHome } from '../support/daemon-home.ts';
import { pythonOrSkip } from '../../backend-proxy/test/agent/running-agent.ts';

describe('hostile: a proxy in the environment', function () {
  this.timeout(300_000);
  const seen: string[] = [];
  let proxy: Server;
  let home: DaemonHome;

  before(async function () {
    pythonOrSkip(this);
    proxy = createServer((request, response) => {
      seen.push(`${String(request.method)} ${String(request.url)}`);
      response.writeHead(502).end();
    });
    proxy.on('connect', (request, socket) => {
      seen.push(`CONNECT ${String(request.url)}`);
      socket.destroy();
    });
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port.toString()}`;
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];
    home = new DaemonHome({
      ...Object.fromEntries(names.map(name => [name, url])),
      NODE_USE_ENV_PROXY: '1',
      // Somebody thought of the company and not of loopback.
      NO_PROXY: '.corp.example',
      no_proxy: '.corp.example',
    });
  });
  after(async () => {
    await (home as DaemonHome | undefined)?.dispose();
    proxy.close();
  });

  it('sees nothing of a command line, a daemon, an agent, a kernel and its sockets on this computer', async () => {
    const listed = await home.cli(['ls']);
    assert.equal(listed.code, 0, listed.stderr);
    const rented = await home.cli([
      'rent',
      '--practice',
      '--name',
      'behind',
      '--yes',
      '--max',
      '5',
      '--for',
      '1h',
    ]);
    assert.equal(rented.code, 0, rented.stderr);
    const ran = await home.cli(['run', 'behind', '-c', "print('through')"]);
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.stdout, 'through\n');
    const stopped = await home.cli(['stop', 'behind', '--skip-save', '--yes']);
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.deepEqual(seen, []);
  });
});
