/** The two things that io.net sells, in what they differ: virtual machines, which ssh leads to, and containers, which a web address does. */
import type { Offer } from '@hitch/contract';
import { WEB_DOOR_PORT, webDoorCommand, withoutSigns } from '../../machines/far/web-door.ts';
import { type CreateRequest, ProviderError, type SshAddress } from '../provider.ts';
import { containerPlaceOf } from './container-offers.ts';
import type { Product } from './ionet-api.ts';
import { type Place, placeOf } from './offers.ts';
import { readSshAccess } from './ssh-access.ts';

export interface SoldAs {
  readonly product: Product;
  /** As people call them, to begin a sentence with. */
  readonly title: string;
  /** What stands before its ids, which the network gives to both alike. */
  readonly prefix: string;
  /** Whether hours after the first that are not used are paid back. */
  readonly givesBack: boolean;
  readonly takesImage: boolean;
  /** Null: it is none of these. */
  placeOf(offer: Pick<Offer, 'id' | 'gpuCount'>): Place | null;
  /** What is ordered beside the hardware. @throws ProviderError `permanent` where nobody could come in */
  orderOf(request: CreateRequest, hours: number): Readonly<Record<string, unknown>>;
  /** Null: it is not understood. */
  readWay(text: string): SshAddress | null;
  /** What leads to it, for people. */
  readonly wayWords: string;
  /** Why it has no way in yet, for people. */
  readonly noWayWords: string;
}

export const MACHINES: SoldAs = {
  product: 'vmaas',
  title: 'Virtual machines',
  prefix: '',
  givesBack: true,
  takesImage: false,
  placeOf,
  orderOf: ({ ref, letIn }, hours) => ({
    resource_private_name: ref,
    duration_hours: hours,
    vm_image_type: 'general',
    ...(letIn === null ? {} : { ssh_keys: { hitch: letIn.publicKey } }),
  }),
  readWay: readSshAccess,
  wayWords: 'ssh leads to',
  noWayWords: 'it does not say yet where ssh leads to it',
};

/** PyTorch's own, Ubuntu with a Python that has torch. It has no sshd: the door gets one by apt when it starts. */
const PLAIN_IMAGE = 'docker.io/pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime';

/** Fields as `DeployRequest` and `ContainerConfig` of `ionet-cloud` 0.4.1 (`iocloud/types.py`) send them. */
export const CONTAINERS: SoldAs = {
  product: 'caas',
  title: 'Containers',
  prefix: 'container:',
  givesBack: false,
  takesImage: true,
  placeOf: containerPlaceOf,
  orderOf: ({ ref, terms, letIn }, hours) => {
    if (letIn?.proof === undefined || letIn.proof === null) {
      throw new ProviderError(
        'permanent',
        'A container of io.net is entered by a key and a secret that it is bought with.',
      );
    }
    const { program, environment } = webDoorCommand(letIn.publicKey, letIn.proof);
    const { HITCH_PROOF: secret, ...open } = environment;
    return {
      resource_private_name: ref,
      duration_hours: hours,
      payment_source: 'credits',
      // What cannot be started is paid back.
      on_incomplete_booking: 'full_refund',
      container_config: {
        replica_count: 1,
        traffic_port: WEB_DOOR_PORT,
        env_variables: open,
        // It is never told to anybody again, not to whoever has the key of the account either.
        secret_env_variables: { HITCH_PROOF: secret },
        // Everything stands here: people who rent there found `args` dropped without a word.
        entrypoint: ['sh', '-c', withoutSigns(program)],
      },
      registry_config: { image_url: terms.image ?? PLAIN_IMAGE },
    };
  },
  readWay: url => (/^https:\/\//.test(url) ? { kind: 'websocket', url, user: 'root', hostKeys: null } : null),
  wayWords: 'its web address is',
  noWayWords: 'it has no web address yet, which it gets once what runs there answers',
};
