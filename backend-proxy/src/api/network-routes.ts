/** Networks, logins and machines of one's own. What changes any of them a page asks a person for. */
import { refusePages, routes } from './implementer.ts';

const ASK_A_PERSON = 'Ask a person with POST /approvals, or run “hitch networks”.';
const RECORD_BY_HAND = 'Run “hitch live-check”.';

export const networks = {
  list: routes.networks.list.handler(({ context }) => [...context.parts.networks.list()]),
  login: routes.networks.login.handler(({ context, input: { provider, values, otherAccount } }) => {
    refusePages(context, 'log in to a network', ASK_A_PERSON);
    return context.parts.networks.login(provider, values, otherAccount);
  }),
  logout: routes.networks.logout.handler(async ({ context, input: { provider } }) => {
    refusePages(context, 'log out of a network', ASK_A_PERSON);
    await context.parts.networks.logout(provider);
    return {};
  }),
  test: routes.networks.test.handler(({ context, input: { provider } }) =>
    context.parts.networks.test(provider),
  ),
  bills: routes.networks.bills.handler(async ({ context, input: { provider } }) => [
    ...(await context.parts.networks.bills(provider)),
  ]),
  record: routes.networks.record.handler(({ context, input: { provider } }) => {
    refusePages(context, 'record what a network says', RECORD_BY_HAND);
    context.parts.networks.recordings.begin(provider);
    return {};
  }),
  recorded: routes.networks.recorded.handler(({ context, input: { provider } }) => {
    refusePages(context, 'record what a network says', RECORD_BY_HAND);
    return context.parts.networks.recordings.end(provider);
  }),
  sshHosts: routes.networks.sshHosts.handler(async ({ context }) => [
    ...(await context.parts.networks.machines.sshHosts()),
  ]),
  addMachine: routes.networks.addMachine.handler(({ context, input }) => {
    refusePages(context, 'add a machine', ASK_A_PERSON);
    return context.parts.networks.machines.add(input);
  }),
  testMachine: routes.networks.testMachine.handler(({ context, input: { machine } }) =>
    context.parts.networks.machines.test(machine),
  ),
  removeMachine: routes.networks.removeMachine.handler(({ context, input: { machine } }) => {
    refusePages(context, 'remove a machine', ASK_A_PERSON);
    return context.parts.networks.machines.remove(machine);
  }),
  cleanMachine: routes.networks.cleanMachine.handler(({ context, input: { machine } }) => {
    refusePages(context, 'remove packages from a machine', ASK_A_PERSON);
    return context.parts.networks.machines.clean(machine);
  }),
  task: routes.networks.task.handler(({ context, input: { taskId, waitMs } }) =>
    context.parts.networks.machines.task(taskId, waitMs),
  ),
  cancelTask: routes.networks.cancelTask.handler(({ context, input: { taskId } }) =>
    context.parts.networks.machines.cancel(taskId),
  ),
};
