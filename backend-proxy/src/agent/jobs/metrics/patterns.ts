/**
 * A template's patterns for figures in lines of output. A pattern may take for ever on some line, and the agent has one
 * thread: they run where V8 can be told to give up, and one that took too long is not tried again.
 */
import { createContext, Script } from 'node:vm';
import type { JobSpec } from '@hitch/contract';

const WITHIN_MS = 100;
const LONGEST_LINE = 2_000;
const MATCH = new Script(`
  const matcher = new RegExp(pattern, 'u');
  JSON.stringify(JSON.parse(lines).map(line => {
    const groups = matcher.exec(line)?.groups;
    return groups === undefined ? null : [groups.value ?? null, groups.step ?? null];
  }));
`);

export interface PatternFind {
  readonly name: string;
  /** Null: it says none. */
  readonly step: number | null;
  readonly value: number;
}

export class Patterns {
  readonly #patterns: Map<string, string>;
  readonly #say: (note: string) => void;

  constructor(patterns: JobSpec['metricPatterns'], say: (note: string) => void) {
    this.#patterns = new Map(Object.entries(patterns));
    this.#say = say;
  }

  /** For each line what was found in it. */
  find(lines: readonly string[]): PatternFind[] {
    if (this.#patterns.size === 0 || lines.length === 0) {
      return [];
    }
    const given = JSON.stringify(lines.map(line => line.slice(0, LONGEST_LINE)));
    return [...this.#patterns].flatMap(([name, pattern]) => this.#findOne(name, pattern, given));
  }

  #findOne(name: string, pattern: string, lines: string): PatternFind[] {
    try {
      // A context of its own each time: what one leaves behind is nobody else's.
      const answer: unknown = MATCH.runInContext(createContext({ pattern, lines }), { timeout: WITHIN_MS });
      const found: unknown = typeof answer === 'string' ? JSON.parse(answer) : [];
      return Array.isArray(found) ? found.flatMap(each => findOf(name, each)) : [];
    } catch {
      this.#patterns.delete(name);
      this.#say(`The pattern of “${name}” took too long on a line, and is not tried any more.`);
      return [];
    }
  }
}

function findOf(name: string, found: unknown): PatternFind[] {
  if (!Array.isArray(found) || typeof found[0] !== 'string' || found[0].trim() === '') {
    return [];
  }
  const value = Number(found[0].replace(/^[+-]?(?:nan|inf(?:inity)?)$/i, 'NaN'));
  const step = typeof found[1] === 'string' && found[1].trim() !== '' ? Number(found[1]) : Number.NaN;
  return Number.isNaN(value) && !/^[+-]?(?:nan|inf)/i.test(found[0])
    ? []
    : [{ name, step: Number.isFinite(step) ? step : null, value }];
}
