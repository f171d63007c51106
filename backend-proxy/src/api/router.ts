/** Every procedure of the contract: parsed input in, the part's answer out. */
import { type contract, HitchError, wishesIn } from '@hitch/contract';
import { type Router, withEventMeta } from '@orpc/server';
import { useAfter } from '../access/asked-for.ts';
import { adoptionIn } from '../approvals/adoption-words.ts';
import { limitsIn } from '../approvals/approval-words.ts';
import { type ApiContext, refuseFromPages, refusePages, routes } from './implementer.ts';
import { toOrpcError } from './envelope.ts';
import { jobs } from './job-routes.ts';
import { networks } from './network-routes.ts';
import { ports } from './port-routes.ts';
import { files, kernels, terminals } from './runtime-routes.ts';
import { ssh } from './ssh-routes.ts';
import { clusterUrls } from './url-routes.ts';

const daemon = {
  info: routes.daemon.info.handler(({ context }) => context.parts.info()),
  doctor: routes.daemon.doctor.handler(async ({ context }) => [
    ...(await context.parts.doctor(context.closing)),
  ]),
  stop: routes.daemon.stop.handler(({ context }) => {
    refusePages(context, 'end the daemon', 'Run “hitch daemon stop”.');
    context.afterAnswer(context.parts.stop);
    return {};
  }),
};

const offers = {
  query: routes.offers.query.handler(async ({ context, input }) => {
    await context.parts.offers.look();
    return context.parts.offers.query(input);
  }),
  refresh: routes.offers.refresh.handler(async ({ context, input }) => {
    await context.parts.offers.refresh(input.provider);
    return {};
  }),
  presets: routes.offers.presets.handler(({ context }) => context.parts.presets.list()),
  keepPresets: routes.offers.keepPresets.handler(({ context, input }) =>
    context.parts.presets.keep(input.text),
  ),
};

const quotes = {
  create: routes.quotes.create.handler(async ({ context, input }) => {
    // Refused before anything is rented: a page must not choose where this computer is written to.
    refuseFromPages(context, 'save.toFolder', input.save.toFolder);
    const request = await context.parts.templates.forQuote(input, context.localRoot);
    await context.parts.offers.fresh();
    return context.parts.clusters.quote(request);
  }),
  again: routes.quotes.again.handler(
    async ({ context, input: { clusterId, skipTried, sendsFrom, environment, ...changes } }) => {
      await context.parts.offers.fresh();
      return context.parts.clusters.quoteAgain(clusterId, {
        skipTried,
        ...(sendsFrom === undefined ? {} : { sendsFrom }),
        ...(environment === undefined ? {} : { environment }),
        ...limitsIn(changes),
        ...wishesIn(changes),
      });
    },
  ),
  get: routes.quotes.get.handler(({ context, input }) => context.parts.clusters.quoteById(input.quoteId)),
};

const ASK_A_PERSON = 'Ask a person with POST /approvals, or run “hitch rent”.';

const approvals = {
  ask: routes.approvals.ask.handler(({ context, input }) => context.parts.approvals.ask(input)),
  list: routes.approvals.list.handler(({ context }) => context.parts.approvals.list()),
  get: routes.approvals.get.handler(({ context, input }) => context.parts.approvals.get(input.approvalId)),
  answer: routes.approvals.answer.handler(({ context, input: { approvalId, yes } }) => {
    refusePages(context, 'answer for a person', 'Answer in the daemon’s window, or run “hitch approve”.');
    return context.parts.approvals.answer(approvalId, yes);
  }),
  withdraw: routes.approvals.withdraw.handler(({ context, input }) =>
    context.parts.approvals.withdraw(input.approvalId),
  ),
};

const clusters = {
  create: routes.clusters.create.handler(({ context, input: { quoteId, name } }) => {
    refusePages(context, 'rent', ASK_A_PERSON);
    return context.parts.clusters.create({ quoteId, ...(name === undefined ? {} : { name }) });
  }),
  adopt: routes.clusters.adopt.handler(({ context, input }) => {
    refusePages(context, 'adopt a machine', 'Ask a person with POST /approvals, or run “hitch adopt”.');
    return context.parts.clusters.adopt(input.provider, adoptionIn(input));
  }),
  list: routes.clusters.list.handler(({ context }) => [...context.parts.clusters.list()]),
  get: routes.clusters.get.handler(({ context, input }) => context.parts.clusters.get(input.clusterId)),
  stop: routes.clusters.stop.handler(({ context, input }) =>
    context.parts.clusters.stop(input.clusterId, { skipSave: input.skipSave, savePaths: input.savePaths }),
  ),
  startAgain: routes.clusters.startAgain.handler(({ context, input }) => {
    refusePages(context, 'rent', ASK_A_PERSON);
    return context.parts.clusters.startAgain(input.clusterId, input.quoteId);
  }),
  extend: routes.clusters.extend.handler(({ context, input: { clusterId, ...limits } }) =>
    context.parts.clusters.extend(clusterId, limitsIn(limits), { onlyLess: context.fromPage }),
  ),
  changeEnvironment: routes.clusters.changeEnvironment.handler(({ context, input }) =>
    context.parts.clusters.changeEnvironment(input.clusterId, input.environment),
  ),
  keepEnvironment: routes.clusters.keepEnvironment.handler(({ context, input }) =>
    context.parts.clusters.keepEnvironment(input.clusterId),
  ),
  save: routes.clusters.save.handler(({ context, input }) =>
    context.parts.clusters.save(input.clusterId, input.paths),
  ),
  remove: routes.clusters.remove.handler(async ({ context, input }) => {
    await context.parts.clusters.remove(input.clusterId);
    return {};
  }),
  events: routes.clusters.events.handler(async ({ context, input }) => [
    ...(await context.parts.clusters.events(input.clusterId, input.afterSeq, input.limit)),
  ]),
  logs: routes.clusters.logs.handler(async ({ context, input: { clusterId, nodeId, name, bytes } }) => ({
    text: await context.parts.clusters.logs(clusterId, {
      name,
      bytes,
      ...(nodeId === undefined ? {} : { nodeId }),
    }),
  })),
};

const environments = {
  find: routes.environments.find.handler(({ context, input }) =>
    context.parts.environments.find(input.folders, context.localRoot),
  ),
  lock: routes.environments.lock.handler(({ context, input, signal }) =>
    context.parts.environments.lock(
      input,
      context.localRoot,
      AbortSignal.any([context.closing, ...(signal === undefined ? [] : [signal])]),
    ),
  ),
  get: routes.environments.get.handler(({ context, input }) => context.parts.environments.get(input.id)),
  clean: routes.environments.clean.handler(({ context }) => {
    refusePages(context, 'remove environments', 'Run “hitch env --clean”.');
    return context.parts.environments.clean(context.closing);
  }),
};

const nodes = {
  list: routes.nodes.list.handler(({ context, input }) => context.parts.clusters.get(input.clusterId).nodes),
  use: routes.nodes.use.handler(({ context, input: { clusterId, nodeIndex, ...query }, signal }) =>
    context.agents.call(
      clusterId,
      async (call, options) => useAfter(query, await call.use(query, options)),
      signal,
      undefined,
      nodeIndex,
    ),
  ),
};

const attempts = {
  list: routes.attempts.list.handler(({ context, input }) =>
    context.parts.clusters.get(input.clusterId).nodes.flatMap(node => node.attempts),
  ),
};

const usage = {
  get: routes.usage.get.handler(({ context, input }) => context.parts.clusters.usage(input.clusterId)),
  total: routes.usage.total.handler(({ context, input: { fromMs, toMs } }) => {
    if (toMs < fromMs) {
      throw new HitchError('BAD_INPUT', '“toMs” must not be before “fromMs”.', { field: 'toMs' });
    }
    return context.parts.clusters.usageTotal(fromMs, toMs);
  }),
};

const events = {
  cursor: routes.events.cursor.handler(({ context }) => ({ cursor: context.parts.clusters.cursor() })),
  watch: routes.events.watch.handler(async function* ({ context, input, signal, lastEventId }) {
    const ended = AbortSignal.any([context.closing, ...(signal === undefined ? [] : [signal])]);
    // A browser's EventSource resumes by Last-Event-ID; it is fresher than the cursor in its URL.
    const cursor = lastEventId === undefined || lastEventId === '' ? input.cursor : lastEventId;
    try {
      for await (const watched of context.parts.clusters.watch(cursor, ended)) {
        yield withEventMeta(watched, { id: watched.cursor });
      }
    } catch (error) {
      throw toOrpcError(error);
    }
  }),
};

const copies = {
  start: routes.copies.start.handler(({ context, input }) =>
    context.parts.copies.start(input, context.localRoot),
  ),
  list: routes.copies.list.handler(({ context, input }) => context.parts.copies.list(input.clusterId)),
  get: routes.copies.get.handler(({ context, input }) => context.parts.copies.get(input.copyId)),
  answer: routes.copies.answer.handler(({ context, input }) =>
    context.parts.copies.answer(input.copyId, input.conflict),
  ),
  cancel: routes.copies.cancel.handler(({ context, input }) => context.parts.copies.cancel(input.copyId)),
  names: routes.copies.names.handler(({ context, input: { copyId, outcome, after, limit } }) =>
    context.parts.copies.names(copyId, outcome, after, limit),
  ),
};

const providers = { list: routes.providers.list.handler(({ context }) => [...context.parts.providers()]) };
const templates = {
  list: routes.templates.list.handler(async ({ context, input }) => [
    ...(await context.parts.templates.list(input.folders, context.localRoot)),
  ]),
  check: routes.templates.check.handler(({ context, input }) =>
    context.parts.templates.check(input, context.localRoot),
  ),
  show: routes.templates.show.handler(({ context, input: { template, ...values } }) =>
    context.parts.templates.show(template, values, context.localRoot),
  ),
  draft: routes.templates.draft.handler(({ context, input }) =>
    context.parts.drafts.write(input, context.localRoot),
  ),
  look: routes.templates.look.handler(({ context, input }) => {
    refusePages(context, 'read a template’s source', 'Run “hitch template add” or “hitch template update”.');
    return context.parts.templates.look(input);
  }),
  take: routes.templates.take.handler(({ context, input }) => {
    refusePages(context, 'add a template', 'Run “hitch template add”.');
    return context.parts.templates.take(input.id);
  }),
  remove: routes.templates.remove.handler(async ({ context, input }) => {
    refusePages(context, 'remove a template', 'Run “hitch template remove”.');
    await context.parts.templates.remove(input.name);
    return {};
  }),
};

const secrets = {
  list: routes.secrets.list.handler(({ context }) => context.parts.secrets.list()),
  set: routes.secrets.set.handler(async ({ context, input }) => {
    if (context.fromPage && (await context.parts.secrets.list()).names.includes(input.name)) {
      refusePages(context, `replace the secret ${input.name}`, `Run “hitch secrets set ${input.name}”.`);
    }
    await context.parts.secrets.set(input.name, input.value);
    return {};
  }),
  remove: routes.secrets.remove.handler(async ({ context, input }) => {
    refusePages(context, 'remove secrets', `Run “hitch secrets rm ${input.name}”.`);
    await context.parts.secrets.remove(input.name);
    return {};
  }),
};

// Named: what the compiler would infer is longer than it writes down.
export const router: Router<typeof contract, ApiContext> = routes.router({
  daemon,
  offers,
  quotes,
  approvals,
  clusters,
  environments,
  nodes,
  attempts,
  usage,
  events,
  kernels,
  terminals,
  clusterUrls,
  ssh,
  ports,
  files,
  jobs,
  copies,
  providers,
  templates,
  secrets,
  networks,
});
