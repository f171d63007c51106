/** What the practice market remembers. It stands for somebody else's servers: it outlives the daemon. */
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { storageError, writeInPlace } from '@hitch/platform/src/atomic-file.ts';
import { FLAWS } from './faults.ts';
import { marketSchema, microUsdSchema, trustSchema } from '@hitch/contract';

export const rentalSchema = z.object({
  /** The market's id of it. */
  id: z.string().regex(/^sbx-[0-9]+$/),
  /** The label its renter gave it. */
  ref: z.string(),
  /** How the market shows it; null: by its label. */
  mark: z.string().nullable().default(null),
  /** Whether its own page says so. */
  showsMark: z.boolean().default(true),
  entryId: z.string(),
  /** Machines in this one rental. */
  members: z.number().int().min(1).default(1),
  /** One of them that breaks, and when. */
  lostMember: z.object({ rank: z.number().int(), atMs: z.number() }).nullable().default(null),
  /** Who is to be let in by ssh. */
  letIn: z.object({ publicKey: z.string(), proof: z.string().nullable() }).nullable().default(null),
  pricePerHourMicroUsd: microUsdSchema,
  nonRefundableMicroUsd: microUsdSchema,
  /** The least that its hours cost. */
  floorMicroUsd: microUsdSchema.default('0'),
  /** What it is; null: the market does not say. */
  got: z
    .object({
      gpuModel: z.string().nullable(),
      gpuCount: z.number().int(),
      market: marketSchema,
      trust: trustSchema,
    })
    .nullable()
    .default(null),
  /** What the machine lacks of that; null: nothing. */
  flaw: z.enum(FLAWS).nullable().default(null),
  /** What its disk costs of that, from the purchase on; the rest costs from when it runs. Null: all of it from the purchase. */
  diskMicroUsd: microUsdSchema.nullable().default(null),
  /** It is rented in two steps. */
  order: z
    .object({
      /** When there are bids for it; null: never. */
      bidsAtMs: z.number().nullable(),
      /** When a bid was agreed to; null: not yet. */
      leasedAtMs: z.number().nullable(),
      /** From then to when it runs; null: it never does. */
      bootMs: z.number().nullable(),
      tries: z.number().int(),
    })
    .nullable()
    .default(null),
  /** What has left the account for it; null: only what it costs. */
  paidMicroUsd: microUsdSchema.nullable().default(null),
  /** What is not used of that is given back. */
  givesBack: z.boolean().default(false),
  image: z.string().nullable().default(null),
  /** To end it takes so many more calls than one. */
  stepsToEnd: z.number().int().default(0),
  /** It was stopped: it bills, and nothing runs there. */
  isHalted: z.boolean().default(false),
  /** Sold for so long at a time. */
  termMs: z.number().nullable().default(null),
  /** How often more time was asked for, and bought. */
  moreTimeTries: z.number().int().default(0),
  timesMore: z.number().int().default(0),
  /** Another price from some moment on. */
  reprice: z.object({ atMs: z.number(), pricePerHourMicroUsd: microUsdSchema }).nullable().default(null),
  boughtAtMs: z.number(),
  /** Null: never. */
  readyAtMs: z.number().nullable(),
  /** The market's list shows it from then on. */
  visibleAtMs: z.number(),
  /** Ends by itself then; only where the offer can. */
  endAtMs: z.number().nullable(),
  preemptAtMs: z.number().nullable(),
  /** A destroy was accepted and is done then. */
  destroyAtMs: z.number().nullable(),
  destroyTries: z.number().int(),
  /** For so long the market knows nothing of it. */
  mislaid: z.object({ fromMs: z.number(), untilMs: z.number() }).nullable().default(null),
  lie: z.enum(['running_while_booting', 'unknown_word', 'flapping']).nullable(),
  /** Billing ended then, and nothing of it is left. */
  endedAtMs: z.number().nullable(),
});
export type Rental = z.infer<typeof rentalSchema>;

export interface MarketStorage {
  /** Every rental ever saved. @throws with a sentence when what is stored cannot be read. */
  load(): readonly Rental[];
  /** Durable against the death of this process when it returns. */
  save(rental: Rental): void;
}

export function memoryStorage(): MarketStorage {
  const rentals = new Map<string, Rental>();
  return {
    load: () => [...rentals.values()],
    save: rental => void rentals.set(rental.id, rental),
  };
}

/**
 * One file for each rental, so that a change costs the same however many there are. Not synced to the platter: a
 * power cut ends the rented processes too.
 */
export function folderStorage(folder: string): MarketStorage {
  return {
    load: () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return readdirSync(folder)
        .filter(name => name.endsWith('.json'))
        .map(name => readRental(join(folder, name)));
    },
    save: rental => {
      const path = join(folder, `${rental.id}.json`);
      try {
        writeFileSync(`${path}.tmp`, JSON.stringify(rental), { mode: 0o600 });
        renameSync(`${path}.tmp`, path);
      } catch (error) {
        rmSync(`${path}.tmp`, { force: true });
        // A network's servers have a disk of their own: what is known there can be changed on a full disk here.
        writeInPlace(path, JSON.stringify(rental), storageError(error, path));
      }
    },
  };
}

function readRental(path: string): Rental {
  try {
    return rentalSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new Error(`The practice market cannot read ${path}. Move it away to go on without that rental.`, {
      cause,
    });
  }
}
