/** SSH to a cluster's machines: what a client needs to open an editor or a terminal there. */
import * as z from 'zod';
import { clusterIdSchema } from './ids.ts';
import { saidSentence } from './said.ts';

/** A public key as OpenSSH writes it, without a comment: `ssh-ed25519 AAAA…`. */
export const publicKeySchema = z
  .string()
  .regex(/^ssh-ed25519 [A-Za-z0-9+/]{1,200}={0,2}$/, 'must be an ssh-ed25519 public key without a comment');

/** An account that needs no quoting wherever it is written: the name comes from a stranger's machine. */
export const sshUserSchema = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/, 'must be letters, digits, dots, hyphens and underscores');

/** The agent's answer: whether this node has an SSH server, and what names it. */
export const nodeSshSchema = z.object({
  available: z.boolean(),
  /** Why not, a sentence; empty where it is. */
  message: saidSentence,
  /** Made on the node, once; its private half never leaves it. Empty where there is no server. */
  hostKey: publicKeySchema.or(z.literal('')),
  /** Whom to log in as; empty where there is no server. */
  user: sshUserSchema.or(z.literal('')),
  /** Absolute, on the node. */
  workFolder: z.string().max(4096),
});
export type NodeSsh = z.infer<typeof nodeSshSchema>;

/** Leave for one connection to a node's sshd, for half a minute: less than the agent's bearer, and no key. */
export const sshTicketSchema = z.object({
  ticket: z.string().regex(/^[\w.+/=-]{1,300}$/, 'must be a ticket'),
});

/** How a program on this computer goes to a node's sshd by itself: where its agent listens, and leave to be let in. */
export const sshWaySchema = sshTicketSchema.extend({
  address: z.union([
    z.object({ socketPath: z.string() }),
    z.object({ host: z.literal('127.0.0.1'), port: z.number().int() }),
  ]),
});
export type SshWay = z.infer<typeof sshWaySchema>;

/** A host as `ssh` and editors call it; see ssh-alias.ts. Editors lower-case it when they restore a window. */
export const sshAliasSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,99}$/, 'must be lower-case letters, digits, dots and hyphens');

/**
 * `available`: `ssh <alias>` works, as far as the daemon knows · `waiting`: it will once the machine is up ·
 * `unavailable`: it will not, and `message` says why.
 */
export const sshStateSchema = z.enum(['available', 'waiting', 'unavailable']);
export type SshState = z.infer<typeof sshStateSchema>;

export const sshAccessSchema = z.object({
  clusterId: clusterIdSchema,
  nodeIndex: z.number().int(),
  alias: sshAliasSchema,
  state: sshStateSchema,
  /** A sentence; empty where it is available. */
  message: z.string(),
  /** Empty until the machine has said so. */
  user: z.string(),
  /** Absolute, on the node; sessions start there. Empty until the machine has said so. */
  workFolder: z.string(),
  /** Pinned: another one is refused. Empty until the machine has said so. */
  hostKey: z.string(),
  /** Hitch's own configuration, absolute: `ssh -F <configFile> <alias>` works without the Include. */
  configFile: z.string(),
});
export type SshAccess = z.infer<typeof sshAccessSchema>;

/** The user's own ssh configuration, and whether it includes ours. */
export const sshConfigStateSchema = z.object({
  /** Hitch's own file, kept by the daemon: one Host entry for each machine that can be reached. */
  configFile: z.string(),
  /** The user's file, absolute, as asked for. */
  userFile: z.string(),
  /** The line that has to stand before every Host of the user's file. */
  includeLine: z.string(),
  /** Whether it does. */
  included: z.boolean(),
  /** The hosts that can be named now. */
  aliases: z.array(sshAliasSchema),
  /** Why the Include cannot be written there, a sentence; empty where it can, or is. */
  problem: z.string(),
});
export type SshConfigState = z.infer<typeof sshConfigStateSchema>;

/** What `ssh -G` says, against what Hitch wrote. */
export const sshCheckSchema = z.object({
  ok: z.boolean(),
  /** A sentence each; also the one that says that there is no ssh on this computer. */
  differences: z.array(z.string()),
});
export type SshCheck = z.infer<typeof sshCheckSchema>;

/** The user's ssh configuration: absolute; left out, `~/.ssh/config`. An editor's `remote.SSH.configFile` goes here. */
export const sshUserFileSchema = z
  .string()
  .max(4096)
  .refine(
    path => /^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(path) && !/[\0\r\n]/.test(path),
    'must be an absolute path',
  )
  .optional();
