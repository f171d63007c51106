/** What a cluster at io.net is counted to cost, beside io.net's own bill, with the cluster side and its records in between. */
import assert from 'node:assert/strict';
import { type Cluster, type ClusterId, isOver } from '@hitch/contract';
import { Practice } from '../../backend-proxy/test/clusters/practice.ts';
import { IonetProvider } from '../../backend-proxy/src/providers/ionet/ionet-provider.ts';
import { type FaultRule, Faults } from '../simulators/frame/faults.ts';
import { transportTo } from '../simulators/frame/transport.ts';
import { IONET_KEY } from '../simulators/ionet/door.ts';
import { type IonetOptions, IonetSimulator } from '../simulators/ionet/ionet-simulator.ts';
import { DEPLOY } from './ionet-rig.ts';

const MINUTE_MS = 60_000;
/** What is rented here stays on its way: nothing is behind it. */
const NEVER_MS = 24 * 60 * MINUTE_MS;

describe('what a machine at io.net costs', () => {
  let simulator: IonetSimulator;
  let world: Practice;

  const open = async (options: Partial<IonetOptions> = {}, rules: readonly FaultRule[] = []) => {
    world = await new Practice({
      others: clock => {
        simulator = new IonetSimulator({ clock, bootMs: NEVER_MS, endMs: 0, ...options });
        const transport = transportTo(simulator, { clock, faults: new Faults(rules, () => 1) });
        const login = () => Promise.resolve({ apiKey: IONET_KEY });
        const provider = new IonetProvider({ base: 'https://api.io.solutions', transport, login, clock });
        // Nobody comes in here: there are no keys in this world.
        Object.assign(provider, { capabilities: { ...provider.capabilities, sshKeys: 'none' } });
        return [provider];
      },
    }).open();
  };
  afterEach(async () => {
    world.close();
    await simulator.close();
    assert.deepEqual(simulator.complaints, []);
  });

  const rent = () => world.rent({ filter: { providers: ['ionet'] }, engine: 'single' });
  const bought = ({ nodes }: Cluster) => nodes[0]?.attempts[0]?.instanceId ?? null;
  const untilBought = (id: ClusterId) => world.until(() => bought(world.service.get(id)) !== null);
  const stop = async (id: ClusterId): Promise<Cluster> => {
    await world.pass(world.service.stop(id, { skipSave: true }));
    await world.until(() => isOver(world.service.get(id)));
    return world.service.get(id);
  };
  const billed = () => simulator.bill().reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n);

  it('is an hour where it ends after five minutes, as the bill says, and not an hour and five minutes', async () => {
    await open();
    const { id } = await rent();
    await untilBought(id);
    await world.run(5 * MINUTE_MS);
    const { usage } = await stop(id);
    assert.equal(usage.accruedMicroUsd, '450001');
    assert.equal(usage.accruedMicroUsd, billed().toString());
  });

  for (const [title, options, rules] of [
    ['is empty', { lies: { emptyDeploy: true } }, []],
    ['is empty, and the list shows it late', { lies: { emptyDeploy: true, listedAfterMs: 45_000 } }, []],
    ['has an id whose page is not found yet', { lies: { hiddenMs: 45_000 } }, []],
    ['is lost', {}, [{ route: DEPLOY, nth: 1, fault: { does: 'lose-reply' } }]],
  ] as readonly (readonly [string, Partial<IonetOptions>, readonly FaultRule[]])[]) {
    it(`is that of one machine where the answer to its order ${title}`, async () => {
      await open(options, rules);
      const { id } = await rent();
      await untilBought(id);
      await world.run(5 * MINUTE_MS);
      assert.equal(simulator.rentals().length, 1);
      assert.equal(bought(world.service.get(id)), simulator.rentals()[0]?.id);
      const { usage } = await stop(id);
      assert.equal(usage.accruedMicroUsd, billed().toString());
      assert.ok(simulator.rentals().every(({ endedAtMs }) => endedAtMs !== null));
    });
  }
});
