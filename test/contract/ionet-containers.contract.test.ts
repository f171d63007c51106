/** The contract suite on io.net's containers, as the simulator of them behaves, and what is theirs alone. */
import assert from 'node:assert/strict';
import * as z from 'zod';
import { webDoorCommand } from '../../backend-proxy/src/machines/far/web-door.ts';
import type { FaultRule } from '../simulators/frame/faults.ts';
import { CONTAINER_HARDWARE } from '../simulators/ionet/container-hardware.ts';
import { HARDWARE } from '../simulators/ionet/hardware.ts';
import type { IonetOptions } from '../simulators/ionet/ionet-simulator.ts';
import { withoutContainers } from '../support/container.ts';
import { withoutOpenssh } from '../support/openssh.ts';
import { answering, DEPLOY, ionet, ionetWithContainers, LIST } from './ionet-rig.ts';
import { aRequest, isFailure, type NetworkFault, signal } from './provider-rig.ts';
import { describeProvider } from './provider-suite.ts';

const HOUR_MS = 3_600_000;
const EXTEND = /^POST .*\/extend$/;
const DELETE = /^DELETE /;

const RULES: Partial<Readonly<Record<NetworkFault, FaultRule>>> = {
  reply_lost_after_create: { route: DEPLOY, fault: { does: 'lose-reply' } },
  reply_lost_before_create: { route: DEPLOY, fault: { does: 'before' } },
  outage: { route: /./, fault: answering(503, 'Service Unavailable') },
  list_fails: { route: LIST, fault: answering(500, 'Internal Server Error') },
  destroy_fails: { route: DELETE, times: 2, fault: answering(502, '<html>Bad Gateway</html>') },
  destroy_reply_lost: { route: DELETE, fault: { does: 'lose-reply' } },
  reply_lost_after_more_time: { route: EXTEND, fault: { does: 'lose-reply' } },
  reply_lost_before_more_time: { route: EXTEND, fault: { does: 'before' } },
  slow_reply: { route: /./, fault: { does: 'slow', ms: 60_000 } },
};

const OPTIONS: Partial<Readonly<Record<NetworkFault, Partial<IonetOptions>>>> = {
  // What it always does.
  sold_by_terms: {},
  detail_without_label: {},
  sold_out: { lies: { soldOut: true } },
  dearer: { lies: { dearerPercent: 40 } },
  list_partial: { lies: { withholds: 1 } },
  destroy_slow: { endMs: 600_000 },
  unknown_status: { lies: { word: 'contemplating' } },
  slow_boot: { bootMs: 600_000 },
};

/** It has no virtual machines. */
const ALONE = { hardware: [], containerHardware: CONTAINER_HARDWARE };

describeProvider({
  name: 'io.net’s containers',
  faults: [...Object.keys(RULES), ...Object.keys(OPTIONS)] as NetworkFault[],
  cannotRun: withoutOpenssh() ?? withoutContainers(),
  build: async faults =>
    ionetWithContainers(
      Object.assign({}, ALONE, ...faults.map(fault => OPTIONS[fault] ?? {})) as Partial<IonetOptions>,
      faults.flatMap(fault => RULES[fault] ?? []),
    ),
});

const orderSchema = z.looseObject({
  container_config: z.looseObject({
    traffic_port: z.number(),
    entrypoint: z.array(z.string()),
    env_variables: z.record(z.string(), z.string()),
    secret_env_variables: z.record(z.string(), z.string()),
  }),
  registry_config: z.looseObject({ image_url: z.string() }),
});

describe('a container of io.net', () => {
  const open = (options: Partial<IonetOptions> = {}, rules: readonly FaultRule[] = []) => {
    const subject = ionet({ ...ALONE, ...options }, rules);
    subjects.push(subject);
    return subject;
  };
  const subjects: ReturnType<typeof ionet>[] = [];
  afterEach(async () => {
    for (const subject of subjects.splice(0)) {
      await subject.dispose();
    }
  });

  it('is offered by the hour, paid ahead and not given back; one whose price cannot be asked for is only shown', async () => {
    const { provider } = open();
    const offers = await provider.offers(signal);
    assert.deepEqual(
      offers.map(({ id, gpuModel, gpuCount, vramMiB, stock, notRentable }) => [
        id,
        gpuModel,
        gpuCount,
        vramMiB / 1024,
        stock,
        notRentable === undefined,
      ]),
      [
        ['ionet:container:gpu_1x_l40@US', 'L40', 1, 0, 20, true],
        ['ionet:container:gpu_1x_rtx4000_16@FR', 'RTX 4000', 1, 16, 20, true],
        ['ionet:container:gpu_4x_h100@PL', 'H100', 4, 0, 3, true],
        ['ionet:container:12@US', 'RTX 4090', 1, 0, 20, false],
      ],
    );
    for (const { kind, wayIn, termMs, floorMicroUsd, pricePerHourMicroUsd, refundable, takes } of offers) {
      assert.deepEqual(
        [kind, wayIn, termMs, refundable, takes],
        ['container', 'https', HOUR_MS, undefined, { image: true }],
      );
      assert.equal(floorMicroUsd, pricePerHourMicroUsd);
    }
    assert.match(offers[3]?.notRentable ?? '', /gives no price for this hardware by its API/);
    assert.equal(provider.offersLeftOut(), 'Containers of io.net are left out: 1 without a price.');
    const [, , , numbered] = offers;
    assert.ok(numbered !== undefined);
    await assert.rejects(provider.create(await aRequest(provider, numbered), signal), isFailure('permanent'));
  });

  it('brings what lets the key in, in one request; its secret is told to nobody again', async () => {
    const asked: unknown[] = [];
    const { provider, simulator } = open();
    const real = simulator.handle.bind(simulator);
    simulator.handle = request => {
      asked.push(...(request.method === 'POST' ? [request.body] : []));
      return real(request);
    };
    const request = await aRequest(provider);
    const image = 'docker.io/somebody/image:1';
    const bought = await provider.create({ ...request, terms: { ...request.terms, image } }, signal);
    const [body, ...more] = asked;
    assert.deepEqual(more, []);
    const { container_config: config, registry_config: registry } = orderSchema.parse(body);
    assert.equal(registry.image_url, image);
    const { publicKey = '', proof } = request.letIn ?? {};
    assert.deepEqual(config.env_variables, { SSH_PUBKEY: publicKey });
    assert.deepEqual(config.secret_env_variables, { HITCH_PROOF: proof });
    const [, , program = ''] = config.entrypoint;
    // Nothing in it that a template of the network's could read something into.
    assert.match(program, /^eval "\$\(printf %s [A-Za-z0-9+/=]+ \| base64 -d\)"$/);
    const packed = /printf %s (\S+)/.exec(program)?.[1] ?? '';
    assert.equal(Buffer.from(packed, 'base64').toString(), webDoorCommand(publicKey, proof ?? '').program);
    const details = await simulator.handle({
      method: 'GET',
      path: `/enterprise/v1/io-cloud/caas/deployment/${bought.id.replace('container:', '')}`,
      query: new URLSearchParams(),
      headers: { 'x-api-key': 'io-v2-simulated-0123456789abcdef' },
      body: undefined,
    });
    assert.ok(!JSON.stringify(details.body).includes(proof ?? ''));
  });

  it('is bought by nobody who could not come in', async () => {
    const { provider, simulator } = open();
    const request = await aRequest(provider);
    await assert.rejects(provider.create({ ...request, letIn: null }, signal), isFailure('permanent'));
    assert.deepEqual(simulator.rentals(), []);
  });

  it('costs all that was paid, however early it ends, and as much more as was bought', async () => {
    const { provider, clock, simulator } = open();
    const request = await aRequest(provider);
    const terms = { ...request.terms, termMs: 3 * HOUR_MS };
    const { perHour, floorMicroUsd, dueNowMicroUsd, refundable } = await provider.price(
      request.offer,
      terms,
      signal,
    );
    const hour = perHour[0]?.perHourMicroUsd ?? 0n;
    assert.deepEqual([floorMicroUsd, dueNowMicroUsd, refundable], [3n * hour, 3n * hour, 'no']);
    const { id } = await provider.create({ ...request, terms }, signal);
    clock.jump(600_000);
    const running = await provider.get(id, signal);
    assert.deepEqual([running.floorMicroUsd, running.paidMicroUsd], [3n * hour, 3n * hour]);
    assert.equal(running.members[0]?.ssh?.kind, 'websocket');
    const longer = await provider.buyTime(id, HOUR_MS, signal);
    assert.equal(longer.floorMicroUsd, 4n * hour);
    await provider.destroy(id, signal);
    clock.jump(60_000);
    const [past] = await provider.history(request.ref, signal);
    assert.deepEqual([past?.status, past?.floorMicroUsd], ['gone', 4n * hour]);
    assert.deepEqual(
      simulator.bill().map(({ amountMicroUsd }) => amountMicroUsd),
      [4n * hour],
    );
  });

  it('is known from a virtual machine by its id, and neither hides the other', async () => {
    const subject = open({ hardware: HARDWARE });
    const { provider, clock } = subject;
    const request = await aRequest(open().provider);
    const container = await provider.create(request, signal);
    const machine = (await subject.boughtElsewhere?.()) ?? assert.fail('nobody can');
    clock.jump(600_000);
    const listed = await provider.list(signal);
    assert.deepEqual(listed.map(({ id }) => id).toSorted(), [container.id, machine].toSorted());
    assert.match(container.id, /^container:/);
    const wayOf = async (id: string) => (await provider.get(id, signal)).members[0]?.ssh?.kind;
    assert.deepEqual([await wayOf(machine), await wayOf(container.id)], ['rented', 'websocket']);
    await provider.destroy(container.id, signal);
    clock.jump(600_000);
    assert.deepEqual(
      (await provider.list(signal)).map(({ id }) => id),
      [machine],
    );
  });

  it('has no address before what runs there answers, which a sentence says', async () => {
    const { provider, clock } = open({}, [
      {
        route: /\/containers$/,
        fault: { does: 'answer', answer: { status: 200, body: { data: { total: 0, workers: [] } } } },
      },
    ]);
    const { id } = await provider.create(await aRequest(provider), signal);
    clock.jump(600_000);
    const { status, message } = await provider.get(id, signal);
    assert.equal(status, 'booting');
    assert.equal(
      message,
      'io.net says: running; it has no web address yet, which it gets once what runs there answers.',
    );
  });
});
