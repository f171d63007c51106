/** Where machines are reached, as it stands in the record of their purchase. */
import { type NodeId, nodeIdSchema } from '@hitch/contract';
import * as z from 'zod';

/**
 * Where `ssh` leads to a machine, as its network says it. `own`: one of the user's own, by its name in their configuration
 * of `ssh`, with their keys and their list of known machines · `rented`: by a port of its own · `websocket`: by a web address
 * alone, inside a WebSocket.
 */
export type SshAddress =
  | {
      readonly kind: 'own';
      readonly name: string;
      /** A folder there, absolute or below the home folder, without which the machine is not in use any more. */
      readonly lease: string;
    }
  | {
      readonly kind: 'rented';
      readonly host: string;
      readonly port: number;
      readonly user: string;
      /** The host keys that the network names (`ssh-ed25519 AAAA…`); null: it names none. */
      readonly hostKeys: readonly string[] | null;
    }
  | {
      readonly kind: 'websocket';
      /** Such as `https://abc.node.example`: a program of ours answers there (`machines/far/web-door.ts`). */
      readonly url: string;
      readonly user: string;
      readonly hostKeys: readonly string[] | null;
    };

/**
 * Why a host key is believed. `named`: by the network · `proved`: by the boot secret, which only the machine has ·
 * `first_contact`: it answered first, and nothing proves that it is the machine's.
 */
export type HostKeyProof = 'named' | 'proved' | 'first_contact';

/** Where a machine is reached: kept with its record, so that it can be dialled without its network. Nothing of it is secret. */
export interface MachineAddress {
  /** For people, and what a process on this computer is found by: a socket's path, a name, or a user, a host and a port. */
  readonly at: string;
  /** The public keys that may answer there, one a line; null where no network lies between, or the user's own list has them. */
  readonly hostKey: string | null;
  /** Null for what is no machine behind `ssh`. */
  readonly ssh: SshAddress | null;
  /** Null where there is no key to be believed. */
  readonly proof: HostKeyProof | null;
  /** Where the other machines of its purchase reach it; null: nowhere that its network names. */
  readonly privateAddress: string | null;
}

/** One machine of a purchase, and the node that lives on it. */
export interface MemberRecord {
  readonly nodeId: NodeId;
  /** Where it was reached last: dialled before its network is asked. */
  readonly address: MachineAddress | null;
}

const sshAddressSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('own'), name: z.string(), lease: z.string() }),
  z.object({
    kind: z.literal('rented'),
    host: z.string(),
    port: z.number().int(),
    user: z.string(),
    hostKeys: z.array(z.string()).nullable(),
  }),
  z.object({
    kind: z.literal('websocket'),
    url: z.string(),
    user: z.string(),
    hostKeys: z.array(z.string()).nullable(),
  }),
]);

const addressSchema = z.object({
  at: z.string(),
  hostKey: z.string().nullable(),
  ssh: sshAddressSchema.nullable().default(null),
  proof: z.enum(['named', 'proved', 'first_contact']).nullable().default(null),
  privateAddress: z.string().nullable().default(null),
});

export const memberSchema = z.object({
  nodeId: nodeIdSchema,
  address: addressSchema.nullable(),
}) satisfies z.ZodType<MemberRecord>;
