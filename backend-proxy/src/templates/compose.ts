/** Builds the templates from the daemon's parts: those of Hitch, the user's own, and those from elsewhere. */
import type { OfferFilter } from '@hitch/contract';
import type { DriverCeiling } from '@hitch/contract/src/templates/lock.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import { checkFolder } from './check-folder.ts';
import { SharedTemplates } from './sharing/shared-templates.ts';
import { COMPUTERS_POLICY, TeamPolicies } from './team-policy.ts';
import { Templates } from './templates.ts';

export interface TemplatesParts {
  readonly home: Home;
  readonly environment: NodeJS.ProcessEnv;
  readonly hitch: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly policies: Pick<TeamPolicies, 'read'>;
  /** What is on offer now and fits a search. */
  readonly offers: (wanted: OfferFilter) => readonly DriverCeiling[];
}

export function createTemplates(parts: TemplatesParts): {
  readonly templates: Templates;
  readonly close: () => void;
} {
  const { home, environment, hitch, clock, ids, log, policies, offers } = parts;
  const end = new AbortController();
  const shared = new SharedTemplates({
    folder: home.sharedTemplates,
    lockFile: home.templateLock,
    signers: home.signers,
    policies,
    environment,
    clock,
    newId: () => ids.secret(),
    check: folder => checkFolder(folder, { hitch, offers }),
    ending: end.signal,
  });
  const templates = new Templates({
    folder: home.templates,
    shipped: home.shippedTemplates,
    indexFile: home.templateIndex,
    shared,
    sharedFolder: home.sharedTemplates,
    hitch,
    clock,
    log,
    offers,
  });
  return { templates, close: () => end.abort(new Error('the daemon ends')) };
}

/** What a team allows on this computer, and in this home. */
export const policiesOf = (home: Home): TeamPolicies =>
  new TeamPolicies([...(process.platform === 'win32' ? [] : [COMPUTERS_POLICY]), home.policy]);
