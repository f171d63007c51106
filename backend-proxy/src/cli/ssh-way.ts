/** The ways from `ssh-proxy` to a node's sshd: past the daemon where this computer can, else through it. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type ErrorEnvelope, errorEnvelopeSchema, type SshWay, sshWaySchema } from '@hitch/contract';
import type { FoundDaemon } from '@hitch/client-node/src/find.ts';
import { errorText } from '@hitch/platform/src/log.ts';

const ANSWER_WITHIN_MS = 30_000;
const LONGEST_ANSWER = 10_000;
/** So much may wait to be taken on before reading stops: turning it off and on costs more than the bytes. */
export const HELD_BYTES = 1024 * 1024;

type Refused = { readonly refused: Pick<ErrorEnvelope, 'code' | 'message' | 'next'> };
export type Way = { readonly socket: Socket; readonly head: Buffer } | Refused;

const refuse = (message: string): Refused => ({ refused: { code: 'UNREACHABLE', message } });
const away = (error: unknown): Refused => refuse(`Hitch’s daemon does not answer (${errorText(error)}).`);

export async function openWay(daemon: FoundDaemon, alias: string): Promise<Way> {
  const asked = await ask(daemon, 'GET', alias);
  if ('refused' in asked) {
    return asked;
  }
  const past = await upgrade(asked.way.address, '/ssh', `Ticket ${asked.way.ticket}`);
  if (!('refused' in past)) {
    return past;
  }
  const { hostname, port } = new URL(daemon.baseUrl);
  return upgrade({ host: hostname, port: Number(port) }, pathOf(alias), `Bearer ${daemon.token}`);
}

/** Says that somebody is at work over it. Whether that is heard, nobody waits for. */
export async function noteUse(daemon: FoundDaemon, alias: string): Promise<void> {
  await ask(daemon, 'POST', alias);
}

const pathOf = (alias: string): string => `/ssh/${encodeURIComponent(alias)}`;

function ask(
  { baseUrl, token }: FoundDaemon,
  method: 'GET' | 'POST',
  alias: string,
): Promise<{ readonly way: SshWay } | Refused> {
  return new Promise(resolve => {
    const asking = request(`${baseUrl}${pathOf(alias)}`, {
      method,
      agent: false,
      headers: { authorization: `Bearer ${token}` },
    });
    impatient(asking).once('error', error => resolve(away(error)));
    asking.once('response', answer => {
      void textOf(answer).then(text => {
        const way = answer.statusCode === 200 ? parsed(text, sshWaySchema) : undefined;
        resolve(way === undefined ? refusalIn(text) : { way });
      });
    });
    asking.end();
  });
}

function upgrade(
  address: SshWay['address'] | { readonly host: string; readonly port: number },
  path: string,
  authorization: string,
): Promise<Way> {
  return new Promise(resolve => {
    const options = { highWaterMark: HELD_BYTES };
    const host = 'port' in address ? `${address.host}:${address.port}` : 'agent';
    const asking = request({
      path,
      headers: { host, authorization, connection: 'Upgrade', upgrade: 'ssh' },
      createConnection: () =>
        'socketPath' in address
          ? connect({ ...options, path: address.socketPath })
          : connect({ ...options, host: address.host, port: address.port }),
    });
    impatient(asking).once('error', error => resolve(away(error)));
    asking.once('response', answer => {
      void textOf(answer).then(text => resolve(refusalIn(text)));
    });
    asking.once('upgrade', (_answer, socket, head) => {
      resolve({ socket: socket.setTimeout(0).setNoDelay(true), head });
    });
    asking.end();
  });
}

const impatient = (asking: ClientRequest): ClientRequest =>
  asking.setTimeout(ANSWER_WITHIN_MS, () => asking.destroy(new Error('no answer in time')));

function textOf(answer: IncomingMessage): Promise<string> {
  return new Promise(resolve => {
    let text = '';
    answer.setEncoding('utf8').on('data', (part: string) => {
      text = (text + part).slice(0, LONGEST_ANSWER);
    });
    answer.once('error', () => undefined).once('close', () => resolve(text));
  });
}

function parsed<T>(
  text: string,
  schema: { safeParse(value: unknown): { readonly data?: T | undefined } },
): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function refusalIn(text: string): Refused {
  const envelope = parsed(text, errorEnvelopeSchema);
  return envelope === undefined
    ? { refused: { code: 'INTERNAL', message: 'Hitch’s daemon gave an answer that was not understood.' } }
    : { refused: envelope };
}
