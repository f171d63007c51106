/** What a page asks a person for that spends nothing: a login, a machine of one's own. */
import { type ApprovalAction, format, type MachineTask } from '@hitch/contract';
import type { Networks } from '../networks/networks.ts';
import type { ApprovalWords } from './approval-words.ts';

type NetworkAction = Extract<
  ApprovalAction,
  { kind: 'login' | 'logout' | 'add-machine' | 'remove-machine' | 'clean-machine' }
>;
export type JobAction = Extract<ApprovalAction, { kind: 'job' }>;
export type ClusterAction = Exclude<ApprovalAction, NetworkAction | JobAction>;
type Around = Pick<Networks, 'login' | 'logout' | 'titleOf' | 'checkLogin' | 'machines'>;

export function isOnNetwork(action: ApprovalAction): action is NetworkAction {
  switch (action.kind) {
    case 'login':
    case 'logout':
    case 'add-machine':
    case 'remove-machine':
    case 'clean-machine':
      return true;
    case 'rent':
    case 'job':
    case 'start-again':
    case 'extend':
    case 'adopt':
      return false;
  }
}

/** @throws HitchError what it would be refused for already. */
export function networkWords(networks: Around, action: NetworkAction): ApprovalWords {
  switch (action.kind) {
    case 'login': {
      networks.checkLogin(action.provider, action.values);
      const title = networks.titleOf(action.provider);
      const ends = Object.values(action.values).flatMap(ending);
      const known = ends.length === 0 ? '' : `, which ends with ${ends.join(' and ')}`;
      return {
        lines: [
          `Log in to ${title}?`,
          `With what was typed in the page${known}`,
          'What is rented there is paid by the account that it belongs to',
          'It takes the place of a login that is there',
        ],
        yes: 'Log in',
      };
    }
    case 'logout':
      return {
        lines: [
          `Log out of ${networks.titleOf(action.provider)}?`,
          'Nothing can be rented there until you log in again; while something is rented there, it is not done',
        ],
        yes: 'Log out',
      };
    case 'add-machine':
      networks.machines.check(action.machine);
      return {
        lines: [
          `Add ${action.machine} to your machines?`,
          'Hitch connects to it with your ssh, and looks at what it has',
          `It is counted at ${priceWords(action.pricePerHourMicroUsd)}`,
          ...(action.hostKey === undefined
            ? []
            : [
                `Its key is ${action.hostKey}: compare it with the machine’s own before you say yes`,
                'ssh trusts it from then on',
              ]),
        ],
        yes: `Add ${action.machine}`,
      };
    case 'remove-machine':
      networks.machines.check(action.machine);
      return {
        lines: [
          `Remove ${action.machine} from your machines?`,
          'Clusters on it keep running, and its packages stay',
        ],
        yes: `Remove ${action.machine}`,
      };
    case 'clean-machine':
      networks.machines.check(action.machine);
      return {
        lines: [
          `Remove Hitch’s packages from ${action.machine}?`,
          'The next cluster there installs them again',
        ],
        yes: 'Remove them',
      };
  }
}

/** @returns what it began on a machine; null where it is done already. */
export async function doOnNetwork(networks: Around, action: NetworkAction): Promise<MachineTask | null> {
  switch (action.kind) {
    case 'login':
      await networks.login(action.provider, action.values);
      return null;
    case 'logout':
      await networks.logout(action.provider);
      return null;
    case 'add-machine':
      return networks.machines.add(action);
    case 'remove-machine':
      return networks.machines.remove(action.machine);
    case 'clean-machine':
      return networks.machines.clean(action.machine);
  }
}

const priceWords = (price: string | undefined): string =>
  price === undefined ? 'its price so far, nothing for a new one' : `${format.dollars(price)}/h`;

/** Enough for a person to recognise what they typed, and of no use to anybody else: nothing of what is short. */
const ending = (value: string): readonly string[] => (value.length < 12 ? [] : [`…${value.slice(-4)}`]);
