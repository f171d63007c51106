/** The part of the contract that looks after networks and machines of one's own. */
import { oc } from '@orpc/contract';
import * as z from 'zod';
import { microUsdSchema } from './money.ts';
import {
  billCheckSchema,
  hostKeySchema,
  loginValuesSchema,
  machineNameSchema,
  machineTaskSchema,
  networkInfoSchema,
  networkTestSchema,
  sshHostSchema,
} from './networks.ts';
import { providerIdSchema } from './offers.ts';
import { recordingSchema } from './recordings.ts';

const byNetwork = z.object({ provider: providerIdSchema });
const byMachine = z.object({ machine: machineNameSchema });
const byTask = z.object({ taskId: z.string().max(60) });
const empty = z.object({});

/**
 * Where machines come from, logins there, and machines of one's own. With the bearer of pages all that changes something
 * answers APPROVAL_NEEDED: it is asked for with POST /approvals.
 */
export const networks = {
  /** Answers from memory. */
  list: oc
    .route({ method: 'GET', path: '/networks', summary: 'Networks with their logins, balances and limits' })
    .output(z.array(networkInfoSchema)),
  /**
   * Asks the network who that is, by one call that costs nothing, and keeps the values only if it says so.
   * @throws BAD_INPUT for a field that is missing or not known, PROVIDER_ERROR with the network's words.
   */
  login: oc
    .route({
      method: 'PUT',
      path: '/networks/{provider}/login',
      summary: 'Log in; values are never returned',
    })
    .input(
      byNetwork.extend({
        values: loginValuesSchema,
        /**
         * A person knows that it is another account's, and ends at the network itself what stands at the one before: Hitch
         * sees nothing of that any more. Left out: such a login is refused while something stands there.
         */
        otherAccount: z.boolean().optional(),
      }),
    )
    .output(networkTestSchema),
  logout: oc
    .route({ method: 'DELETE', path: '/networks/{provider}/login', summary: 'Forget a login' })
    .input(byNetwork)
    .output(empty),
  /** One harmless call, with the login that is kept. @throws PROVIDER_ERROR with the network's words. */
  test: oc
    .route({ method: 'POST', path: '/networks/{provider}/test', summary: 'Ask a network whether it answers' })
    .input(byNetwork)
    .output(networkTestSchema),
  /** Asks the network now what it billed: it is asked every hour by itself. */
  bills: oc
    .route({ method: 'POST', path: '/networks/{provider}/bills', summary: 'Ask a network what it billed' })
    .input(byNetwork)
    .output(z.array(billCheckSchema)),
  /** What the network is asked and answers is kept in memory from now on; anew where it was already. */
  record: oc
    .route({
      method: 'POST',
      path: '/networks/{provider}/recording',
      summary: 'Record what a network is asked and answers',
    })
    .input(byNetwork)
    .output(empty),
  /** Ends that. @throws CONFLICT where nothing is recorded. */
  recorded: oc
    .route({
      method: 'DELETE',
      path: '/networks/{provider}/recording',
      summary: 'End a recording, and have it without keys, addresses and names',
    })
    .input(byNetwork)
    .output(recordingSchema),
  /** Runs this computer's own `ssh -G`. */
  sshHosts: oc
    .route({
      method: 'GET',
      path: '/machines/ssh-hosts',
      summary: 'Machines that the user’s ssh configuration names',
    })
    .output(z.array(sshHostSchema)),
  /**
   * Reaches the machine, looks at it and puts it on the list; the price of one that is on it stays, if none is given.
   * @throws BAD_INPUT for a name that ssh does not take.
   */
  addMachine: oc
    .route({ method: 'POST', path: '/machines', summary: 'Begin to add a machine; follow the task' })
    .input(
      byMachine.extend({
        pricePerHourMicroUsd: microUsdSchema.optional(),
        /** A person said that this is the machine's key. */
        hostKey: hostKeySchema.shape.fingerprint.optional(),
      }),
    )
    .output(machineTaskSchema),
  testMachine: oc
    .route({ method: 'POST', path: '/machines/{machine}/test', summary: 'Begin to look at a machine' })
    .input(byMachine)
    .output(machineTaskSchema),
  /** Clusters on it go on. */
  removeMachine: oc
    .route({ method: 'DELETE', path: '/machines/{machine}', summary: 'Begin to take a machine off the list' })
    .input(byMachine)
    .output(machineTaskSchema),
  cleanMachine: oc
    .route({
      method: 'POST',
      path: '/machines/{machine}/clean',
      summary: 'Begin to remove the packages that Hitch keeps there',
    })
    .input(byMachine)
    .output(machineTaskSchema),
  /** How it is once it is over, or after `waitMs`. */
  task: oc
    .route({ method: 'GET', path: '/machine-tasks/{taskId}' })
    .input(byTask.extend({ waitMs: z.coerce.number().int().min(0).max(20_000).default(0) }))
    .output(machineTaskSchema),
  /** Ends it; one that is over stays as it is. */
  cancelTask: oc
    .route({ method: 'POST', path: '/machine-tasks/{taskId}/cancel' })
    .input(byTask)
    .output(machineTaskSchema),
};
