/** What the daemon says of itself, its providers, templates and secrets. */
import * as z from 'zod';
import { providerIdSchema } from './offers.ts';
import { secretNameSchema } from './runtime.ts';

/** Version of the daemon's HTTP contract; a client and a daemon with different ones do not talk. */
export const PROTOCOL = 1;

export const daemonInfoSchema = z.object({
  version: z.string(),
  protocol: z.number().int(),
  pid: z.number().int(),
  startedAtMs: z.number(),
  /** The time that limits and costs are counted by: it does not jump with this computer's clock. */
  nowMs: z.number(),
  home: z.string(),
  platform: z.string(),
  nodeVersion: z.string(),
  /** 99th percentile of the event loop's delay since this was last asked; tells how smooth it runs. */
  eventLoopDelayP99Ms: z.number(),
  /** What a person has to know before anything else, a sentence each: a full disk, a lost store, a clock that jumped. */
  notices: z.array(z.string()).default([]),
});
export type DaemonInfo = z.infer<typeof daemonInfoSchema>;

/** The discovery file `<HITCH_HOME>/daemon.json` (0600). */
export const discoverySchema = z.object({
  protocol: z.number().int(),
  version: z.string(),
  pid: z.number().int(),
  port: z.number().int(),
  /** The bearer of the user's own programs. */
  token: z.string(),
  /** The bearer of what speaks for pages, such as the bridge of a Jupyter server: it cannot spend. */
  pageToken: z.string().optional(),
  /** Key of the HMAC challenge that proves the listener on `port` wrote this file. */
  challengeKey: z.string(),
  startedAtMs: z.number(),
});
export type Discovery = z.infer<typeof discoverySchema>;

/** `POST /challenge` with a nonce; answered with HMAC-SHA-256(challengeKey, nonce) in hex, before any bearer is sent. */
export const challengeSchema = z.object({ nonce: z.string().regex(/^[0-9a-f]{64}$/) });
export const challengeAnswerSchema = z.object({
  proof: z.string(),
  protocol: z.number().int(),
  version: z.string(),
});

export const capabilitiesSchema = z.object({
  refVia: z.enum(['label', 'name', 'contentHash', 'none']),
  sshKeys: z.enum(['perInstance', 'account', 'none']),
  /** A secret of ours goes into a rented machine's environment, so that it can prove its host key. */
  bootSecret: z.boolean().default(false),
  privateNetwork: z.boolean(),
  extend: z.boolean(),
  /** Says who a login is and what is left. */
  account: z.boolean(),
  endsBillingAlone: z.enum(['always', 'offer', 'never']),
  /** How long after a create the network's list may still miss it. */
  visibilityDelayMs: z.number(),
});
export type Capabilities = z.infer<typeof capabilitiesSchema>;

export const providerInfoSchema = z.object({
  id: providerIdSchema,
  title: z.string(),
  kind: z.enum(['own', 'practice', 'network']),
  enabled: z.boolean(),
  credentials: z.enum(['not_needed', 'present', 'absent']),
  verifiedLive: z.boolean(),
  /** Why nothing of it can be rented with Hitch, a sentence. Left out: it can be. */
  notRentable: z.string().optional(),
  capabilities: capabilitiesSchema,
  offers: z.number().int(),
  fetchedAtMs: z.number().nullable(),
  problem: z.string().nullable(),
});
export type ProviderInfo = z.infer<typeof providerInfoSchema>;

export const secretStoreSchema = z.object({
  names: z.array(secretNameSchema),
  kind: z.enum(['keychain', 'file']),
  /** A sentence when they lie in a file instead of the keychain. */
  warning: z.string().nullable(),
});

export const doctorCheckSchema = z.object({
  name: z.string(),
  status: z.enum(['ok', 'warning', 'problem']),
  message: z.string(),
  next: z.string().nullable(),
});
export type DoctorCheck = z.infer<typeof doctorCheckSchema>;
