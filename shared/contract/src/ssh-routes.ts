/** The part of the contract about the way in by ssh. */
import { oc } from '@orpc/contract';
import * as z from 'zod';
import { clusterIdSchema } from './ids.ts';
import { sshAccessSchema, sshCheckSchema, sshConfigStateSchema, sshUserFileSchema } from './ssh.ts';

const byCluster = z.object({ clusterId: clusterIdSchema });

/**
 * A workspace over SSH. The bytes go through `GET /ssh/{alias}` with `Upgrade: ssh`, one connection to that node's
 * sshd each, or past the daemon by what the same route says without it; `hitch ssh-proxy` joins them to `ssh`.
 */
export const ssh = {
  /** Answers from memory, for a cluster in any phase. @throws NOT_FOUND for no such cluster or node. */
  access: oc
    .route({
      method: 'GET',
      path: '/clusters/{clusterId}/ssh',
      summary: 'How to reach a node by ssh; the head unless another one is named',
    })
    .input(byCluster.extend({ nodeIndex: z.coerce.number().int().min(0).default(0) }))
    .output(sshAccessSchema),
  /** Runs this computer's own `ssh -G`. */
  check: oc
    .route({
      method: 'POST',
      path: '/clusters/{clusterId}/ssh-check',
      summary: 'Whether ssh reads the entry as Hitch wrote it',
    })
    .input(byCluster.extend({ file: sshUserFileSchema }))
    .output(sshCheckSchema),
  config: oc
    .route({
      method: 'GET',
      path: '/ssh-config',
      summary: 'Whether the user’s configuration includes Hitch’s',
    })
    .input(z.object({ file: sshUserFileSchema }))
    .output(sshConfigStateSchema),
  /** `yes` is a person's answer to the question whether their file may be changed. The same call again changes nothing. */
  include: oc
    .route({ method: 'POST', path: '/ssh-config/include', summary: 'Write the one Include line' })
    .input(z.object({ file: sshUserFileSchema, yes: z.literal(true) }))
    .output(sshConfigStateSchema),
  exclude: oc
    .route({ method: 'POST', path: '/ssh-config/exclude', summary: 'Take the Include line out again' })
    .input(z.object({ file: sshUserFileSchema, yes: z.literal(true) }))
    .output(sshConfigStateSchema),
};
