/** WebSockets: handshakes, frames and kernel messages, most of them wrong. */
import { pick, type Random, randomInt } from '@hitch/platform/src/random.ts';
import type { Piece } from '../support/liar/lie.ts';
import type { Case } from './case.ts';
import { nastyText } from './nasty-text.ts';

const PATHS = [
  '/clusters/$cluster/jupyter/api/kernels/$kernel/channels?session_id=fuzz',
  '/clusters/$cluster/jupyter/api/kernels/$kernel/channels?session_id=fuzz&cursor=x:-1',
  '/clusters/$cluster/jupyter/api/kernels/none/channels',
  '/clusters/$cluster/terminals/none/socket',
  '/clusters/$other/jupyter/api/kernels/$kernel/channels',
  '/api/clusters',
];
const PROTOCOLS = [
  'v1.kernel.websocket.hitch, v1.kernel.websocket.jupyter.org',
  'v1.kernel.websocket.jupyter.org',
  'x',
  '',
];

/** A frame as RFC 6455 has it, but for what `flaws` say. */
function frame(
  random: Random,
  payload: Buffer,
  flaws: { readonly opcode: number; readonly first?: number },
): Piece {
  const first = flaws.first ?? 0x80 | flaws.opcode;
  const masked = random.next() < 0.9;
  const bit = masked ? 0x80 : 0;
  const wide = payload.length > 65_535;
  const head =
    payload.length < 126 ? Buffer.from([first, bit | payload.length]) : Buffer.alloc(wide ? 10 : 4);
  if (payload.length >= 126) {
    head[0] = first;
    head[1] = bit | (wide ? 127 : 126);
    if (wide) {
      head.writeBigUInt64BE(BigInt(payload.length), 2);
    } else {
      head.writeUInt16BE(payload.length, 2);
    }
  }
  const mask = Buffer.from(random.bytes(4));
  const body = masked ? Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))) : payload;
  return { base64: Buffer.concat([head, masked ? mask : Buffer.alloc(0), body]).toString('base64') };
}

/** A v1 message; some of its offsets lie. */
function kernelMessage(random: Random): Buffer {
  const type = pick(random, [
    'execute_request',
    'kernel_info_request',
    'comm_open',
    'input_reply',
    'nonsense',
    '',
  ]);
  const header = pick(random, [
    JSON.stringify({ msg_id: 'm', msg_type: type, session: 's', username: 'u', date: '', version: '5.4' }),
    '{',
    '[]',
    'null',
    '"\u0000"',
  ]);
  const content = pick(random, [
    '{"code":"1","silent":false}',
    '{}',
    '[',
    'null',
    `"${'x'.repeat(70_000)}"`,
    '[['.repeat(2_000),
  ]);
  const parts = [
    pick(random, ['shell', 'control', 'stdin', 'iopub', 'none', '']),
    header,
    '{}',
    '{}',
    content,
  ].map(part => Buffer.from(part));
  const count = parts.length + 1;
  const table = Buffer.alloc(8 * (count + 1));
  table.writeBigUInt64LE(BigInt(count), 0);
  let at = table.length;
  parts.forEach((part, index) => {
    table.writeBigUInt64LE(BigInt(at), 8 * (index + 1));
    at += part.length;
  });
  table.writeBigUInt64LE(BigInt(at), 8 * count);
  if (random.next() < 0.4) {
    const lie = pick(random, [0n, 1n, 0xffffffffffffffffn, 0x7fffffffffffffffn, BigInt(at * 2)]);
    table.writeBigUInt64LE(lie, 8 * randomInt(random, 0, count));
  }
  return Buffer.concat([table, ...parts]);
}

function anyFrame(random: Random): Piece {
  const bytes = Buffer.from(random.bytes(randomInt(random, 0, 200)));
  switch (
    pick(random, [
      'message',
      'message',
      'message',
      'text',
      'odd',
      'control',
      'close',
      'huge',
      'bytes',
    ] as const)
  ) {
    case 'message':
      return frame(random, kernelMessage(random), { opcode: 2 });
    case 'text':
      return frame(
        random,
        Buffer.from(pick(random, ['{"type":"ping"}', '{"type":1}', '[', nastyText(random)])),
        { opcode: 1 },
      );
    case 'odd':
      return frame(random, bytes, { opcode: 2, first: randomInt(random, 0, 255) });
    case 'control':
      return frame(random, bytes, { opcode: pick(random, [9, 10]) });
    case 'close':
      return frame(random, Buffer.from([randomInt(random, 0, 255), randomInt(random, 0, 255), 0xff]), {
        opcode: 8,
      });
    case 'huge':
      return {
        base64: Buffer.from([0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4]).toString(
          'base64',
        ),
      };
    case 'bytes':
      return { base64: bytes.toString('base64') };
  }
}

export function socketCase(random: Random): Case {
  const path = pick(random, PATHS);
  const wrong = random.next() < 0.2;
  const head = [
    `GET ${path} HTTP/1.1`,
    'host: 127.0.0.1:$port',
    'authorization: Bearer $token',
    'connection: Upgrade',
    `upgrade: ${wrong ? pick(random, ['ssh', 'WebSocket2', '']) : 'websocket'}`,
    `sec-websocket-key: ${wrong ? pick(random, ['', 'short', '\u00ff']) : 'AAAAAAAAAAAAAAAAAAAAAA=='}`,
    `sec-websocket-version: ${wrong ? pick(random, ['0', '99', 'x']) : '13'}`,
    `sec-websocket-protocol: ${pick(random, PROTOCOLS)}`,
    ...(wrong ? ['sec-websocket-extensions: permessage-deflate; server_max_window_bits=99'] : []),
  ];
  const after = Array.from({ length: randomInt(random, 0, 6) }, () => anyFrame(random));
  return { name: `a socket to ${path}`, head, body: [], length: 'none', after };
}
