/** Networks as people look after them: who is logged in where, what is left, how often may be asked, and machines of one's own. */
import * as z from 'zod';
import { errorEnvelopeSchema } from './errors.ts';
import { microUsdSchema } from './money.ts';
import { providerIdSchema } from './offers.ts';

/** One value that a login asks for. */
export const loginFieldSchema = z.object({
  /** What its value is sent under, such as `apiKey`. */
  name: z.string().regex(/^[a-z][A-Za-z0-9]{0,39}$/, 'is not the name of a field'),
  label: z.string(),
  /** Typed without being shown, and never shown again. */
  secret: z.boolean(),
  /** Where it comes from and what it looks like, a sentence. */
  help: z.string().nullable(),
  /** The network's own page where it is made; null: there is none. */
  url: z.string().nullable(),
});
export type LoginField = z.infer<typeof loginFieldSchema>;

/** What a key should be allowed to do, and why; it needs nothing else. */
export const scopeAdviceSchema = z.object({ scope: z.string(), why: z.string() });
export type ScopeAdvice = z.infer<typeof scopeAdviceSchema>;

export const loginSchema = z.object({
  /** `refused`: it is there, and the network did not accept it when it was used last; `problem` says why. */
  state: z.enum(['present', 'absent', 'refused']),
  fields: z.array(loginFieldSchema),
  neededFor: z.object({ offers: z.boolean(), rent: z.boolean() }),
  scopes: z.array(scopeAdviceSchema),
  /** Where its values lie; null: there are none. */
  keptIn: z.enum(['keychain', 'file']).nullable(),
  /** The variable of the environment that each field can come from, by its name. */
  variables: z.record(z.string(), z.string()),
  /** What is wrong with it, or, where it is `absent`, what the last one has left on its account; null: nothing that is known. */
  problem: z.string().nullable(),
});
export type Login = z.infer<typeof loginSchema>;

/** Who a login is, as the network said it. */
export const networkAccountSchema = z.object({
  /** The network's own id of it; null: it does not say whose a login is. */
  id: z.string().nullable(),
  name: z.string(),
  /** What the key may do; null: the network does not say. */
  scopes: z.array(z.string()).nullable(),
  /** Null: the network does not say. */
  balanceMicroUsd: microUsdSchema.nullable(),
  /** The most that all of it may cost an hour; null: no such limit is known. */
  spendLimitPerHourMicroUsd: microUsdSchema.nullable(),
  /** When the balance is used up at what is rented there now; null: nothing is, or the balance is not known. */
  lastsUntilMs: z.number().nullable(),
  /** When the network said so. */
  askedAtMs: z.number(),
});
export type NetworkAccount = z.infer<typeof networkAccountSchema>;

/** How often one kind of call may be made: all that is given holds at once. */
export const routeLimitSchema = z.object({
  /** At least so long between two calls. */
  everyMs: z.number().int().min(1).optional(),
  perMinute: z.number().int().min(1).optional(),
  /** Until midnight UTC. */
  perDay: z.number().int().min(1).optional(),
});
export type RouteLimit = z.infer<typeof routeLimitSchema>;

export const routeUseSchema = routeLimitSchema.extend({
  /** Such as `create` or `offers`; a network may count several kinds of calls as one. */
  route: z.string(),
  /** Calls of the last minute, and since midnight UTC; a page of a list is a call. Counted by this daemon since it started. */
  usedThisMinute: z.number().int(),
  usedToday: z.number().int(),
  /** Calls that wait for their turn. */
  waiting: z.number().int(),
  /** No such call is made until then, ms since the epoch; null: they are made. */
  pausedUntilMs: z.number().nullable(),
  /** Why, a sentence; null: they are made. */
  why: z.string().nullable(),
});
export type RouteUse = z.infer<typeof routeUseSchema>;

/** A name after `ssh`: one of the configuration, or `user@address`. */
export const machineNameSchema = z.string().min(1).max(200);

export const ownMachineSchema = z.object({ name: z.string(), pricePerHourMicroUsd: microUsdSchema });
export type OwnMachine = z.infer<typeof ownMachineSchema>;

/** What a network billed for one cluster beside what was counted for it. */
export const billCheckSchema = z.object({
  clusterId: z.string(),
  clusterName: z.string(),
  countedMicroUsd: microUsdSchema,
  billedMicroUsd: microUsdSchema,
  /** Both are of the time until then. */
  untilMs: z.number(),
  /** They differ by more than 1 %: a sentence with both; null: they agree. */
  warning: z.string().nullable(),
});
export type BillCheck = z.infer<typeof billCheckSchema>;

/** Something on the account at a network that no record here speaks of: it is shown, and never touched. */
export const notOursSchema = z.object({
  /** The network's id of it. */
  id: z.string(),
  /** What it is labelled with there; null: nothing, or the network does not say. */
  mark: z.string().nullable(),
  status: z.enum(['ordered', 'booting', 'running', 'stopped', 'gone', 'unknown']),
  /** Null where the network does not say. */
  pricePerHourMicroUsd: microUsdSchema.nullable(),
  /** When the network's list was asked for that showed it, ms since the epoch. */
  seenAtMs: z.number(),
  /**
   * How it could become a machine for notebooks: its network attaches a key (or the person's own key brings one), or only the
   * person's own key does. Left out: it does not run, or nobody knows where ssh leads to it.
   */
  canBeSetUp: z.enum(['by_network', 'with_key']).optional(),
});
export type NotOurs = z.infer<typeof notOursSchema>;

export const networkInfoSchema = z.object({
  id: providerIdSchema,
  title: z.string(),
  kind: z.enum(['own', 'practice', 'network']),
  /** Somebody has rented there with this version's adapter, really. */
  verifiedLive: z.boolean(),
  /** Why nothing of it can be rented with Hitch, a sentence. Left out: it can be. */
  notRentable: z.string().optional(),
  /** Null: it needs none. */
  login: loginSchema.nullable(),
  /** As it was said last; null: it was not asked, or the network says nothing of it. */
  account: networkAccountSchema.nullable(),
  limits: z.array(routeUseSchema),
  /** What it billed, for clusters of the last day; empty where it says nothing of that. */
  bills: z.array(billCheckSchema),
  /** What its list showed last that is not ours; empty where nothing is, or nobody asked yet. */
  notOurs: z.array(notOursSchema),
  /** The machines that a person added; null: this network has none of that kind. */
  machines: z.array(ownMachineSchema).nullable(),
  offers: z.number().int(),
  fetchedAtMs: z.number().nullable(),
  /** Why its offers are old or none, a sentence; null: nothing is wrong. */
  problem: z.string().nullable(),
  /** The problem is no more than that some of its offers are left out: the network answers. */
  isPartOnly: z.literal(true).optional(),
});
export type NetworkInfo = z.infer<typeof networkInfoSchema>;

export const loginValuesSchema = z.record(loginFieldSchema.shape.name, z.string().min(1).max(16_384));

/** What a network answered to one harmless call. */
export const networkTestSchema = z.object({
  /** What was seen, a sentence. */
  message: z.string(),
  account: networkAccountSchema.nullable(),
  /** A sentence where the login lies readable by the user because there is no keychain; null: it does not. */
  warning: z.string().nullable(),
});
export type NetworkTest = z.infer<typeof networkTestSchema>;

/** A machine that the configuration of `ssh` names. */
export const sshHostSchema = z.object({
  name: z.string(),
  /** What `ssh -G` says that stands behind it; null: it could not be asked. */
  user: z.string().nullable(),
  address: z.string().nullable(),
  isAdded: z.boolean(),
});
export type SshHost = z.infer<typeof sshHostSchema>;

export const hostKeySchema = z.object({
  /** Such as `ED25519`. */
  type: z.string(),
  /** Such as `SHA256:…`, as `ssh-keygen -lf` writes it. */
  fingerprint: z.string().max(200),
});
export type HostKey = z.infer<typeof hostKeySchema>;

/** What a machine of one's own has, and what runs on it now. */
export const seenMachineSchema = z.object({
  name: z.string(),
  /** Such as `2× RTX 4090, 24 GB, 32 CPU cores, 126 GB of memory`. */
  summary: z.string(),
  /** The system, the driver, GPUs in use, room on disks and Hitch's clusters there, a line each. */
  lines: z.array(z.string()),
  system: z.string(),
  arch: z.string(),
  cpuCores: z.number(),
  memoryMiB: z.number(),
  /** Whether network interfaces can be made there, as a VPN needs. */
  tun: z.boolean(),
  gpus: z.array(
    z.object({ model: z.string(), memoryMiB: z.number(), usedMiB: z.number(), processes: z.number() }),
  ),
  places: z.array(z.object({ root: z.string(), freeMiB: z.number() })),
  leases: z.array(z.object({ ref: z.string(), by: z.string() })),
});
export type MachineSeen = z.infer<typeof seenMachineSchema>;

/**
 * Something that is done on a machine of one's own. It runs in the daemon: whoever asked may go away.
 * `asks_key`: `ssh` does not know the machine; once a person has said that `hostKey` is its key, the same is asked for
 * again with its fingerprint.
 */
export const machineTaskSchema = z.object({
  id: z.string(),
  kind: z.enum(['add', 'test', 'remove', 'clean']),
  machine: z.string(),
  state: z.enum(['running', 'asks_key', 'done', 'failed', 'cancelled']),
  /** What it is at, a sentence. */
  step: z.string(),
  hostKey: hostKeySchema.nullable(),
  /** What was seen, of one that was added or tested. */
  seen: seenMachineSchema.nullable(),
  /** Clusters that still run on one that was taken off the list. */
  stillThere: z.array(z.object({ ref: z.string(), by: z.string() })),
  /** Why nobody could look what still runs there, a sentence; null: it was looked at. */
  notLooked: z.string().nullable(),
  /** What a cleaning freed. */
  freedMiB: z.number().nullable(),
  problem: errorEnvelopeSchema.nullable(),
});
export type MachineTask = z.infer<typeof machineTaskSchema>;

/** Nothing changes any more. */
export const isTaskOver = ({ state }: Pick<MachineTask, 'state'>): boolean => state !== 'running';
