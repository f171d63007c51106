/**
 * What Hitch asks Nosana to run. Source: `DeploymentCreateBody` and `JobDefinition` of `@nosana/api` 2.1.8, and
 * `deploymentCreate.ts` of nosana-ci/nosana-deployment-manager, which takes `autostart`.
 */
import { webDoorCommand, WEB_DOOR_PORT } from '../../machines/far/web-door.ts';
import { type CreateRequest, ProviderError } from '../provider.ts';
import { marketOf } from './offers.ts';

/** PyTorch's own, Ubuntu with a Python that has torch. It has no sshd: the door gets one by apt when it starts. */
const PLAIN_IMAGE = 'docker.io/pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime';
/** Paid with credits a job lasts an hour at least; it is made longer by itself until it is stopped. */
const MINUTES = 60;

/** @throws ProviderError `permanent` for what is no offer of Nosana, or nobody could come in to */
export function orderOf({ ref, offer, terms, letIn }: CreateRequest): object {
  const market = marketOf(offer.id);
  if (market === null) {
    throw new ProviderError('permanent', `${offer.id} is no offer of Nosana.`);
  }
  if (letIn?.proof === undefined || letIn.proof === null) {
    throw new ProviderError(
      'permanent',
      'A machine of Nosana is entered by a key and a secret that it is bought with.',
    );
  }
  const { program, environment } = webDoorCommand(letIn.publicKey, letIn.proof);
  return {
    name: ref,
    market,
    replicas: 1,
    timeout: MINUTES,
    strategy: 'SIMPLE-EXTEND',
    autostart: true,
    // The definition holds the boot secret: on the chain then stands another one, which says nothing.
    confidential: true,
    job_definition: {
      version: '0.1',
      type: 'container',
      meta: { trigger: 'hitch' },
      ops: [
        {
          type: 'container/run',
          id: 'node',
          args: {
            image: terms.image ?? PLAIN_IMAGE,
            entrypoint: ['sh', '-c'],
            cmd: [program],
            env: environment,
            gpu: true,
            expose: WEB_DOOR_PORT,
          },
        },
      ],
    },
  };
}
