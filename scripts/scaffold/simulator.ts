/** The files that a new network's adapter is tested with. */
import type { NewNetwork } from '../new-provider.ts';
import { className } from './adapter.ts';

const simulator = ({
  id,
  title,
}: NewNetwork): string => `/** ${title}, as it was seen to behave. TODO: name where, at each behaviour. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { SimAnswer, SimBill, SimRental, SimRequest, Simulator } from '../frame/simulator.ts';

export const ${id.toUpperCase()}_KEY = '${id}_simulated-key-0123456789';

export class ${className(id)}Simulator implements Simulator {
  readonly id = '${id}';
  /** What Hitch sent that may not be sent. */
  readonly complaints: string[] = [];
  readonly #clock: Clock;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  handle({ method, path }: SimRequest): Promise<SimAnswer> {
    const what = \`\${method} \${path}\`;
    this.complaints.push(\`\${what} is not simulated yet\`);
    const at = new Date(this.#clock.now()).toUTCString();
    return Promise.resolve({
      status: 501,
      headers: { date: at },
      body: { error: \`\${what} is not simulated yet\` },
    });
  }

  rentals(): readonly SimRental[] {
    return [];
  }

  bill(): readonly SimBill[] {
    return [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
`;

const suite = ({
  id,
  title,
}: NewNetwork): string => `/** The contract suite on ${title}'s adapter, over the simulator of that network. */
import { ${className(id)}Provider } from '../../backend-proxy/src/providers/${id}/${id}-provider.ts';
import { ${id.toUpperCase()}_KEY, ${className(id)}Simulator } from '../simulators/${id}/simulator.ts';
import { describeProvider } from './provider-suite.ts';
import { subjectOver } from './simulated-rig.ts';

describeProvider({
  name: '${title}',
  // TODO: those of provider-rig.ts that this network can have.
  faults: [],
  build: () =>
    Promise.resolve(
      subjectOver({
        simulator: clock => new ${className(id)}Simulator({ clock }),
        adapter: ({ transport }) =>
          new ${className(id)}Provider({
            base: 'https://api.${id}.example',
            transport,
            login: () => Promise.resolve({ apiKey: ${id.toUpperCase()}_KEY }),
          }),
        rules: [],
        leadsNowhere: 'its machines are records',
        boughtElsewhere: () => Promise.reject(new Error('TODO: rent one as somebody else does')),
      }),
    ),
});
`;

export const simulatorFiles = (network: NewNetwork): readonly (readonly [string, string])[] => [
  [`test/simulators/${network.id}/simulator.ts`, simulator(network)],
  [`test/contract/${network.id}-provider.contract.test.ts`, suite(network)],
];
