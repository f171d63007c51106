/** Every action on one cluster, by the command that runs it. Loaded when the first is asked for. */
import type { Cluster } from '@hitch/contract';
import { rentAgain } from './again.ts';
import type { Deps } from './deps.ts';
import { changeEnvironment, keepEnvironment } from './environment.ts';
import { extend } from './extend.ts';
import { COMMANDS } from './ids.ts';
import { choosePort } from '../ports/open.ts';
import { remove } from './remove.ts';
import { retry } from './retry.ts';
import { saveNow } from './save.ts';
import { saveTemplate } from './save-template.ts';
import { cancel, endSave, stop } from './stop.ts';

export type Act = (deps: Deps, cluster: Cluster) => Promise<unknown>;

export const ACTS: Readonly<Record<string, Act>> = {
  [COMMANDS.stop]: (deps, cluster) => stop(deps, cluster),
  [COMMANDS.cancel]: cancel,
  [COMMANDS.extend]: extend,
  [COMMANDS.remove]: remove,
  [COMMANDS.retry]: retry,
  [COMMANDS.saveNow]: (deps, cluster) => saveNow(deps, cluster),
  [COMMANDS.endSave]: endSave,
  [COMMANDS.changeEnvironment]: changeEnvironment,
  [COMMANDS.keepEnvironment]: keepEnvironment,
  [COMMANDS.saveTemplate]: saveTemplate,
  [COMMANDS.openPort]: choosePort,
  [COMMANDS.startAgain]: (deps, cluster) => rentAgain(deps, cluster, 'start-again'),
  [COMMANDS.nextOffer]: (deps, cluster) => rentAgain(deps, cluster, 'next-offer'),
  [COMMANDS.replace]: (deps, cluster) => rentAgain(deps, cluster, 'replace'),
};
