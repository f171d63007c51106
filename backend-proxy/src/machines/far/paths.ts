/** Where things of a node lie on a far machine, and the way to its agent's socket there. */
import { createHash } from 'node:crypto';
import { shellWord } from '../../access/tunnel/far-shell.ts';

export const machineFolder = (root: string, ref: string): string => `${root}/machines/${ref}`;

/** Short whatever the ref: a Unix socket's path may have no more than 107 bytes. */
export function socketOf(root: string, ref: string): string {
  return `${root}/s/${hashOf(ref)}.sock`;
}

/** Joins its standard input and output to the agent's socket, with the Node that runs the agent. */
export function joinProgram(root: string, nodeName: string, socket: string): string {
  const program =
    'const s=require("node:net").connect(process.argv[1]);process.stdin.pipe(s);s.pipe(process.stdout);' +
    's.on("error",()=>process.exit(1));s.on("close",()=>process.exit(0))';
  const path = shellWord(`${root}/cache/node-${nodeName}.path`);
  return `exec "$(cat ${path})" -e ${shellWord(program)} ${shellWord(socket)}`;
}

export function hashOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 12);
}
