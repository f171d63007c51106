/**
 * A gateway of a network: names on the web, each led to a port of a machine over TLS. It does what nginx does (`proxy_pass` with
 * `Upgrade`): `ngx_http_upstream_process_upgraded` passes bytes both ways, and closes both sides where one was silent for
 * `proxy_read_timeout`; `ngx_http_upstream_next` answers 502 where nobody listens behind it. Its certificate is of an authority
 * of its own, which nobody trusts who is not told so (`NODE_EXTRA_CA_CERTS`).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

export interface GatewayOptions {
  /** nginx's `proxy_read_timeout`: a minute where nobody says otherwise. */
  readonly idleMs?: number;
}

export class WebGateway {
  readonly #folder: string;
  readonly #server: Server;
  readonly #ports = new Map<string, number>();
  readonly #open = new Set<Duplex>();
  readonly #idleMs: number;
  #isDown = false;
  /** So many more bytes are passed on to the next client, and then it is cut in the middle; null: all of them. */
  cutAfterBytes: number | null = null;
  /** How many were cut in the middle. */
  cuts = 0;
  /** What was asked of it, without what the headers say. */
  readonly asked: string[] = [];
  /** Every byte that it could read on its way, of the connections that were upgraded. */
  readonly passed: Buffer[] = [];

  private constructor(folder: string, { idleMs = 60_000 }: GatewayOptions) {
    this.#folder = folder;
    this.#idleMs = idleMs;
    const [key, cert] = ['name.key', 'name.pem'].map(name => readFileSync(join(folder, name)));
    this.#server = createServer({ key, cert }, (asked, answer) => {
      this.asked.push(`${asked.method ?? ''} ${asked.url ?? ''}`);
      const port = this.#portOf(asked);
      if (port === null) {
        answer.writeHead(502).end('<html><head><title>502 Bad Gateway</title></head></html>\n');
        return;
      }
      const passed = request(
        { port, method: asked.method, path: asked.url, headers: asked.headers },
        said => {
          answer.writeHead(said.statusCode ?? 502, said.headers);
          said.pipe(answer);
        },
      );
      passed.once('error', () => answer.headersSent || answer.writeHead(502).end());
      asked.pipe(passed);
    });
    this.#server.on('upgrade', (asked: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.asked.push(`UPGRADE ${asked.url ?? ''}`);
      this.#upgrade(asked, socket, head);
    });
  }

  /** @param names what it answers for, beside `localhost` */
  static async start(options: GatewayOptions = {}): Promise<WebGateway> {
    const folder = mkdtempSync(join(tmpdir(), 'hitch-gw-'));
    certify(folder);
    const gateway = new WebGateway(folder, options);
    await new Promise<void>(resolve => gateway.#server.listen(0, '127.0.0.1', resolve));
    return gateway;
  }

  /** The certificate of its authority, as a file. */
  get authority(): string {
    return join(this.#folder, 'ca.pem');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Has an address lead to a port of this computer; null: to nothing. @returns the address */
  lead(name: string, port: number | null): string {
    if (port === null) {
      this.#ports.delete(name);
    } else {
      this.#ports.set(name, port);
    }
    return this.addressOf(name);
  }

  addressOf(name: string): string {
    return `https://localhost:${this.port.toString()}/${name}`;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#open.size;
  }

  /** Cuts everything that is open. */
  cut(): void {
    this.#open.forEach(socket => socket.destroy());
  }

  /** From now on it refuses every request, and what is open is cut; or it answers again. */
  down(isDown: boolean): void {
    this.#isDown = isDown;
    if (isDown) {
      this.cut();
    }
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #portOf({ url = '' }: IncomingMessage): number | null {
    return this.#isDown ? null : (this.#ports.get(url.slice(1)) ?? null);
  }

  #upgrade(asked: IncomingMessage, client: Duplex, head: Buffer): void {
    const port = this.#portOf(asked);
    const refuse = (): void => {
      client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    };
    client.on('error', () => undefined);
    if (port === null) {
      refuse();
      return;
    }
    const machine = connect({ port, host: '127.0.0.1' });
    machine.once('error', refuse);
    machine.once('connect', () => {
      machine.off('error', refuse).on('error', () => client.destroy());
      const lines = asked.rawHeaders.flatMap((name, at) =>
        at % 2 === 0 ? [`${name}: ${asked.rawHeaders[at + 1] ?? ''}`] : [],
      );
      machine.write(`GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      machine.write(head);
      this.#join(client, machine);
    });
  }

  #join(client: Duplex, machine: Socket): void {
    this.#open.add(client);
    const close = (): void => {
      this.#open.delete(client);
      client.destroy();
      machine.destroy();
    };
    client.once('close', close);
    machine.once('close', close);
    machine.setTimeout(this.#idleMs, close);
    let left = this.cutAfterBytes;
    this.cutAfterBytes = null;
    client.on('data', (bytes: Buffer) => {
      this.passed.push(bytes);
      machine.setTimeout(this.#idleMs);
    });
    client.pipe(machine);
    machine.on('data', (bytes: Buffer) => {
      this.passed.push(bytes);
      if (left !== null && bytes.length >= left) {
        this.cuts++;
        client.write(bytes.subarray(0, left), close);
        return;
      }
      left = left === null ? null : left - bytes.length;
      if (!client.write(bytes)) {
        machine.pause();
        client.once('drain', () => machine.resume());
      }
    });
  }
}

/** An authority, and a certificate of it for `localhost`. */
function certify(folder: string): void {
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  writeFileSync(
    join(folder, 'names'),
    'subjectAltName=DNS:localhost,DNS:gateway.test\nextendedKeyUsage=serverAuth\n',
  );
  openssl(
    ...['req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2'],
    ...['-subj', '/CN=The gateway of a test', '-addext', 'basicConstraints=critical,CA:TRUE'],
  );
  openssl('req', ...newKey, '-keyout', 'name.key', '-out', 'name.csr', '-subj', '/CN=localhost');
  openssl(
    ...['x509', '-req', '-in', 'name.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-out', 'name.pem', '-days', '2', '-extfile', 'names'],
  );
}
