/** Answers to a question for a socket that are none, or whose frames have no end. */
import type { Lie } from './lie.ts';

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n';
export const UPGRADES: readonly Lie['pieces'][] = [
  ['GARBAGE\r\n\r\n'],
  ['HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<script>'],
  ['HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n'],
  [SWITCH, { text: 'a: b\r\n'.repeat(100), times: -1 }],
  [`${SWITCH}sec-websocket-accept: x\r\nset-cookie: a=b\r\n\r\n`],
  // A frame of four exabytes.
  [
    `${SWITCH}sec-websocket-accept: x\r\n\r\n`,
    { base64: 'gn9AAAAAAAAAAA==' },
    { text: 'A'.repeat(65_536), times: -1 },
  ],
];
