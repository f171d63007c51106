/** A model that the job may not load, or that does not fit the disk, is named before anything is quoted. */
import assert from 'node:assert/strict';
import { HitchError } from '@hitch/contract';
import { checkTemplate } from '@hitch/contract/src/templates/check.ts';
import type { Template } from '@hitch/contract/src/templates/schema.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { checkModels, type HubParts, type ModelsToLoad } from '../../src/jobs/rented/hub-models.ts';
import { type HttpAnswer, TransportError } from '../../src/providers/http/transport.ts';

const GIB = 1024 ** 3;
const MODEL = 'meta-llama/Llama-3.1-8B';

describe('the models of a template', () => {
  let asked: string[];
  let answer: Partial<HttpAnswer> | TransportError;
  const hub = (more: Partial<HubParts> = {}): HubParts => ({
    send: ({ url }) => {
      asked.push(url);
      return answer instanceof TransportError
        ? Promise.reject(answer)
        : Promise.resolve({ status: 200, headers: {}, text: '{}', ...answer });
    },
    clock: new VirtualClock(),
    endpoint: 'https://hub.example',
    offline: false,
    ...more,
  });
  const template = (size = ''): Template => {
    const { template: read, problems } = checkTemplate(
      [
        'schema: hitch-template/1',
        'name: load',
        'version: 1.0.0',
        'title: Load',
        'description: Loads a model.',
        `parameters: {base: {type: model, default: ${MODEL}${size}}}`,
        'run: {command: [python, train.py, "${{ params.base }}"]}',
      ].join('\n'),
      { names: null, hitch: null },
    );
    assert.deepEqual(problems, []);
    return read ?? assert.fail();
  };
  const check = (
    more: Partial<ModelsToLoad> = {},
    parts: Partial<HubParts> = {},
  ): Promise<readonly string[]> =>
    checkModels(
      hub(parts),
      {
        template: template(),
        values: { base: MODEL },
        resources: [],
        diskGiB: null,
        secrets: [],
        ...more,
      },
      new AbortController().signal,
    );
  const says = (gated: unknown, files: Readonly<Record<string, number>> = {}): Partial<HttpAnswer> => ({
    text: JSON.stringify({
      id: MODEL,
      gated,
      siblings: Object.entries(files).map(([rfilename, size]) => ({ rfilename, size })),
      unknown: { field: 1 },
    }),
  });
  const refused = (promise: Promise<unknown>, pattern: RegExp): Promise<void> =>
    assert.rejects(promise, (error: unknown) => {
      assert.ok(error instanceof HitchError, String(error));
      assert.match(`${error.message} ${error.next ?? ''}`, pattern);
      return true;
    });
  beforeEach(() => {
    asked = [];
    answer = says(false);
  });

  it('that are gated need a token, and are named without one', async () => {
    answer = says('manual');
    await refused(check(), /Llama-3\.1-8B is gated.*https:\/\/hub\.example\/meta-llama.*--secret HF_TOKEN/);
    assert.deepEqual(await check({ secrets: ['HF_TOKEN'] }), []);
    answer = says(false);
    assert.deepEqual(await check(), []);
    assert.equal(asked[0], `https://hub.example/api/models/${MODEL}?blobs=true`);
  });

  it('that are not there, or private, are named too', async () => {
    answer = { status: 401, text: '{}' };
    await refused(check(), /shows no model meta-llama\/Llama-3\.1-8B to somebody without a login/);
    assert.deepEqual(await check({ secrets: ['HF_TOKEN'] }), []);
  });

  it('must fit the disk: their weights once, whatever formats they come in', async () => {
    answer = says(false, {
      'model-1.safetensors': 9 * GIB,
      'model-2.safetensors': 6 * GIB,
      'pytorch_model.bin': 15 * GIB,
      'README.md': 1000,
    });
    const disk = (diskGiB: number) => [{ diskGiB, machine: 'any', spot: 'never' } as const];
    await refused(
      check({ resources: disk(16) }),
      /has 15 GB of weights, and the machine is asked for with a disk of 16 GB\. Ask for at least 18 GB: --disk 18/,
    );
    assert.deepEqual(await check({ resources: disk(18) }), []);
    assert.deepEqual(await check({ resources: disk(16), diskGiB: 40 }), []);
    await refused(check({ resources: disk(100), diskGiB: 10 }), /a disk of 10 GB/);
    assert.deepEqual(
      await check({ resources: [...disk(5), ...disk(100)] }),
      [],
      'one that is large enough is there',
    );
  });

  it('of which nothing can be asked are a note, and their declared size counts', async () => {
    answer = new TransportError('no network', { mayHaveArrived: false });
    const note =
      /could not be asked about meta-llama\/Llama-3\.1-8B: whether you may load it, and its size, are not known/;
    assert.match((await check())[0] ?? '', note);
    assert.match((await check({}, { offline: true }))[0] ?? '', note);
    assert.equal(asked.length, 1, 'who says that there is no network is believed');
    answer = { status: 503 };
    assert.match((await check())[0] ?? '', note);
    answer = { text: 'not JSON' };
    assert.match((await check())[0] ?? '', note);
    await refused(
      check({
        template: template(', sizeGiB: 15'),
        resources: [{ diskGiB: 10, machine: 'any', spot: 'never' }],
      }),
      /has 15 GB of weights/,
    );
  });

  it('that are a folder or the small one of a test are nobody’s business', async () => {
    for (const base of ['tiny', '/models/mine', './mine', 'a/b/c']) {
      assert.deepEqual(await check({ values: { base } }), []);
    }
    assert.deepEqual(asked, []);
  });
});
