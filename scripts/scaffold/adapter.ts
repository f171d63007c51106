/** The files of a new network's adapter. */
import type { NewNetwork } from '../new-provider.ts';

/** `vast` as a name of classes: `Vast`. */
export const className = (id: string): string => `${id.slice(0, 1).toUpperCase()}${id.slice(1)}`;

const registration = ({ id, title }: NewNetwork): string => `/** ${title}, registered. */
import * as z from 'zod';
import { baseSchema } from '../http/base.ts';
import { defineNetwork } from '../network.ts';
import { ${className(id)}Provider } from './${id}-provider.ts';
import { ID } from './shapes.ts';

export const network = defineNetwork({
  id: ID,
  settings: z.strictObject({
    /** Where its API is asked, such as a simulator of it. */
    url: baseSchema.default('https://api.${id}.example'),
  }),
  environment: { HITCH_${id.toUpperCase()}_URL: value => ({ url: value }) },
  build: ({ url: base }, { transport, login }) => ({
    provider: new ${className(id)}Provider({ base, transport, login }),
  }),
});
`;

const shapes = ({ id, title }: NewNetwork): string => `/** All that is read of ${title}'s answers. */
import * as z from 'zod';

export const ID = '${id}';
export const TITLE = '${title}';

/** TODO: read what is used, tolerantly, and name in a comment where each field was seen. */
export const offersSchema = z.array(z.looseObject({ id: z.string() }));
export type OfferRow = z.infer<typeof offersSchema>[number];
`;

const provider = ({
  id,
  title,
}: NewNetwork): string => `/** ${title}: TODO, one sentence that says what it sells. */
import type { Offer } from '@hitch/contract';
import { asBearer, loginByKey } from '../http/key-login.ts';
import { NetworkHttp } from '../http/network-http.ts';
import type { Transport } from '../http/transport.ts';
import {
  type CreateRequest,
  type Instance,
  type LoginValues,
  type Provider,
  ProviderError,
  type Traits,
} from '../provider.ts';
import { ID, offersSchema, type OfferRow, TITLE } from './shapes.ts';

export interface ${className(id)}Options {
  readonly base: string;
  readonly transport: Transport;
  readonly login: () => Promise<LoginValues | null>;
}

const notWritten = (what: string): ProviderError =>
  new ProviderError('permanent', \`\${TITLE}: \${what} is not written yet.\`);

export class ${className(id)}Provider implements Provider {
  readonly id = ID;
  readonly title = TITLE;
  readonly kind = 'network';
  readonly verifiedLive = false;
  /** TODO: remove it when the contract suite passes. */
  readonly notRentable = 'Its adapter is not finished.';
  readonly login = loginByKey({
    help: 'Make one for Hitch alone.',
    url: 'https://${id}.example/keys',
    variable: '${id.toUpperCase()}_API_KEY',
    offersNeedIt: true,
    scopes: [],
  });
  /** TODO: what the network says of each. */
  readonly capabilities: Traits = {
    refVia: 'label',
    sshKeys: 'perInstance',
    bootSecret: false,
    privateNetwork: false,
    endsBillingAlone: 'never',
    visibilityDelayMs: 60_000,
  };
  readonly #http: NetworkHttp;

  constructor({ base, transport, login }: ${className(id)}Options) {
    this.#http = new NetworkHttp({ title: TITLE, base, transport, login, authorize: asBearer });
  }

  async offers(signal: AbortSignal): Promise<readonly Offer[]> {
    const { value } = await this.#http.ask(
      { method: 'GET', path: '/offers', login: 'needed', changes: false, answer: offersSchema },
      signal,
    );
    return value.map(offerOf);
  }

  create(_request: CreateRequest, _signal: AbortSignal): Promise<Instance> {
    return Promise.reject(notWritten('a purchase'));
  }

  get(_instanceId: string, _signal: AbortSignal): Promise<Instance> {
    return Promise.reject(notWritten('the look at one machine'));
  }

  list(_signal: AbortSignal): Promise<readonly Instance[]> {
    return Promise.reject(notWritten('the list of machines'));
  }

  destroy(_instanceId: string, _signal: AbortSignal): Promise<void> {
    return Promise.reject(notWritten('the end of a machine'));
  }
}

function offerOf(row: OfferRow): Offer {
  throw notWritten(\`the reading of its offer \${row.id}\`);
}
`;

export function adapterFiles(network: NewNetwork): readonly (readonly [string, string])[] {
  const folder = `backend-proxy/src/providers/${network.id}`;
  return [
    [`${folder}/network.ts`, registration(network)],
    [`${folder}/shapes.ts`, shapes(network)],
    [`${folder}/${network.id}-provider.ts`, provider(network)],
  ];
}
