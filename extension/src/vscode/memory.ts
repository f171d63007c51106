/** What is remembered, of all windows or of one, each entry with its shape; what does not read counts as never stored. */
import type * as vscode from 'vscode';
import * as z from 'zod';
import { movesSchema } from '../kernel/moves.ts';
import { rememberedSchema } from '../kernel/servers.ts';
import { shownSchema } from '../terminals/places.ts';

const ENTRIES = {
  /** Clusters as Jupyter servers, for a restored notebook. */
  servers: { schema: rememberedSchema, default: [] },
  /** Clusters that could run notebooks when a window last looked: one that went while none was open is told of. */
  here: { schema: z.array(z.string()), default: [] },
  /** A person's own searches; read one by one. */
  searches: { schema: z.array(z.unknown()), default: [] },
  /** Steps of the walkthrough that were done. */
  did: { schema: z.array(z.string()), default: [] },
  /** Machines that are not ours and that a person has left alone, by their rows. */
  leftAlone: { schema: z.array(z.string()), default: [] },
  /** Notebooks that move to a cluster once it can run them, and the cell that runs there first. */
  moves: { schema: movesSchema, default: [] },
  /** Terminals that a window shows. */
  terminals: { schema: z.array(shownSchema), default: [] },
  /** The one of them in front, where there is no other terminal than them. */
  frontTerminal: { schema: shownSchema.nullable(), default: null },
} as const;
type Entry = keyof typeof ENTRIES;
type Value<E extends Entry> = z.infer<(typeof ENTRIES)[E]['schema']>;

export class Memory {
  readonly #state: vscode.Memento;

  constructor(state: vscode.Memento) {
    this.#state = state;
  }

  get<E extends Entry>(entry: E): Value<E> {
    const declared: { readonly schema: z.ZodType; readonly default: unknown } = ENTRIES[entry];
    const parsed = declared.schema.safeParse(this.#state.get(`hitch.${entry}`));
    // Each entry's schema and default have one type; indexing by a variable loses that.
    return (parsed.success ? parsed.data : declared.default) as Value<E>;
  }

  set<E extends Entry>(entry: E, value: Value<E>): void {
    void this.#state.update(`hitch.${entry}`, value);
  }
}
