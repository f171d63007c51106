/**
 * What fits into one answer about executions. The daemon bounds it in bytes, depth, values, lists and objects, and takes
 * a machine that goes over for a broken one: whatever a cell shows, the agent leaves out what is more, and counts it.
 */
import { format, MOST_EXECUTIONS_BYTES, MOST_EXECUTIONS_JSON, MOST_SAID } from '@hitch/contract';

export interface Weight {
  readonly bytes: number;
  /** Lists and objects inside each other. */
  readonly depth: number;
  /** Counted by the commas and colons between them. */
  readonly values: number;
  readonly containers: number;
  /** Outputs of one execution. */
  readonly outputs: number;
}

/** The list of executions, one of them, and the list of its outputs. */
const LEVELS_AROUND = 3;
/** An execution beside its code and its outputs has fewer of both. */
const AROUND = { containers: 5, values: 50 } as const;

/** For the outputs of each of so many executions in an answer, of which `bytes` are left for all of them. */
export function shareOf(executions: number, bytes: number): Weight {
  const { depth, values, containers } = MOST_EXECUTIONS_JSON;
  const each = (all: number, around: number): number => Math.max(0, Math.floor(all / executions) - around);
  return {
    bytes: each(bytes, 0),
    depth: depth - LEVELS_AROUND,
    values: each(values, AROUND.values),
    containers: each(containers, AROUND.containers),
    outputs: MOST_SAID.outputs,
  };
}

/** Outputs of one page. The rest is for the code. */
export const PAGE = shareOf(1, MOST_EXECUTIONS_BYTES - 1024 * 1024);

export const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** What an output, or anything else that came as JSON, takes of an answer. */
export function weigh(value: unknown): Weight {
  // Not by recursion, as JSON.stringify goes: a kernel may nest as deep as it likes.
  const open: { readonly parts: readonly unknown[]; at: number }[] = [];
  const weight = { bytes: 0, depth: 0, values: 0, containers: 0, outputs: 1 };
  const look = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) {
      weight.bytes += typeof part === 'string' ? Buffer.byteLength(part) : 1;
      return;
    }
    const isList = Array.isArray(part);
    const parts: readonly unknown[] = isList ? part : Object.values(part);
    weight.containers += 1;
    weight.values += Math.max(0, parts.length - 1) + (isList ? 0 : parts.length);
    open.push({ parts, at: 0 });
    weight.depth = Math.max(weight.depth, open.length);
  };
  look(value);
  for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
    if (last.at === last.parts.length) {
      open.pop();
    } else {
      last.at += 1;
      look(last.parts[last.at - 1]);
    }
  }
  // What is nested deeper is left out, and of that the texts are told.
  return weight.depth > MOST_EXECUTIONS_JSON.depth ? weight : { ...weight, bytes: bytesOf(value) };
}

/** Whether something of this weight is no more than `most` in anything. */
export const fits = (weight: Weight, most: Weight): boolean =>
  weight.bytes <= most.bytes &&
  weight.depth <= most.depth &&
  weight.values <= most.values &&
  weight.containers <= most.containers &&
  weight.outputs <= most.outputs;

/** What is left of a room once this is in it. Commas between outputs are counted with them. */
export const without = (room: Weight, taken: Weight): Weight => ({
  bytes: room.bytes - taken.bytes - 1,
  depth: room.depth,
  values: room.values - taken.values - 1,
  containers: room.containers - taken.containers,
  outputs: room.outputs - taken.outputs,
});

/** As much of a text as takes so many bytes as JSON, and no half of a character. */
export function beginningWithin(text: string, mostBytes: number): string {
  let part = text.slice(0, Math.max(0, mostBytes));
  while (part !== '' && bytesOf(part) > mostBytes) {
    part = part.slice(0, Math.floor(part.length * 0.9));
  }
  return part.length === text.length ? part : part.replace(/[\ud800-\udbff]$/, '');
}

/** As much of a text's end, alike. */
export function endWithin(text: string, mostBytes: number): string {
  let part = mostBytes > 0 ? text.slice(-mostBytes) : '';
  while (part !== '' && bytesOf(part) > mostBytes) {
    part = part.slice(Math.ceil(part.length * 0.1));
  }
  return part.length === text.length ? part : part.replace(/^[\udc00-\udfff]/, '');
}

/** Code in so many bytes as JSON; where it is cut, its end says so. */
export function codeWithin(code: string, mostBytes: number): string {
  if (bytesOf(code) <= mostBytes) {
    return code;
  }
  const mark = (rest: number): string =>
    `\n# [Hitch] ${format.bytes(rest)} more of this code are not shown here.\n`;
  const all = Buffer.byteLength(code);
  const part = beginningWithin(code, mostBytes - bytesOf(mark(all)));
  return `${part}${mark(all - Buffer.byteLength(part))}`;
}
