/** What notebooks and people are told: limits, clusters that are away, notices, targets, settings. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Cluster } from '@hitch/contract';
import * as z from 'zod';
import { OFFER_COLUMNS } from '../../shared/views/src/offers/columns.ts';
import { testCluster } from '../../shared/views/test/support/cluster.ts';
import { limitsOf, type Page, serverRunsCells } from '../src/kernels/limits.ts';
import { hasPassed, Occasions, readLastSeen } from '../src/notices/occasions.ts';
import { canRunOn, clusterOfKernel, kernelOn } from '../src/run-on/targets.ts';
import {
  DEFAULT_PREFERENCES,
  firstFilter,
  firstLimits,
  preferencesSchema,
} from '../src/settings/preferences.ts';
import { awayWords } from '../src/waiting/words.ts';
import { trans } from './support.ts';

/** What the settings editor draws a control of; it draws none for what has no type. */
const schemaOfSettings = z.object({
  properties: z.record(
    z.string(),
    z.object({
      type: z.enum(['string', 'number', 'integer', 'boolean', 'array']),
      default: z.unknown(),
      items: z.object({ oneOf: z.array(z.object({ const: z.string() })).optional() }).optional(),
    }),
  ),
});

const NOW = testCluster().phaseSinceMs + 60_000;
const MINUTE = 60_000;

function cluster(phase: Cluster['phase'], changes: Partial<Cluster> = {}): Cluster {
  const plain = testCluster();
  const cleanup = { ...plain.conditions.cleanup, status: 'yes' as const };
  const kernel = { ...plain.conditions.kernel, status: 'no' as const };
  return { ...plain, phase, conditions: { ...plain.conditions, cleanup, kernel }, ...changes };
}

describe('the limits of a JupyterLab', () => {
  const usual: Page = {
    option: () => '',
    plugins: [
      '@jupyterlab/notebook-extension:cell-executor',
      '@jupyter/docprovider-extension:notebook-cell-executor',
    ],
  };

  it('are none as it comes, and none with shared documents alone', () => {
    assert.equal(serverRunsCells(usual), false);
    assert.deepEqual(limitsOf({ runsCells: true, routed: true }, trans), []);
  });

  it('tell that the server runs the cells, however it came to', () => {
    const option = (name: string) => (name === 'serverSideExecution' ? 'true' : '');
    const plugins = [...usual.plugins, '@datalayer/jupyter-server-nbmodel:notebook-cell-executor'];
    assert.equal(serverRunsCells({ ...usual, option }), true);
    assert.equal(serverRunsCells({ ...usual, plugins }), true);
  });

  it('are one sentence, which a notification shows whole, where the page cannot run its cells', () => {
    const [sentence = '', ...more] = limitsOf({ runsCells: false, routed: true }, trans);
    assert.deepEqual(more, []);
    assert.match(sentence, /turn server-side execution off, or use a console\.$/);
    // JupyterLab cuts what is longer.
    assert.ok(sentence.length <= 140);
  });

  it('are one sentence when another extension provides the kernels', () => {
    assert.match(limitsOf({ runsCells: true, routed: false }, trans).join(), /^Another extension provides/);
  });
});

describe('a cluster that a notebook waits for', () => {
  const say = (found: Cluster | undefined) =>
    awayWords('train.ipynb', 'llm-dev', found, { trans, titleOf: id => id, nowMs: NOW, count: 1 });

  it('can be started again when it is over, or its next offer tried when it failed', () => {
    const stopped = say(cluster('stopped'));
    assert.equal(stopped.kind, 'over');
    assert.equal(stopped.again, 'startAgain');
    assert.match(stopped.sentence, /^llm-dev has stopped; train\.ipynb has no kernel\.$/);
    assert.equal(say(cluster('failed')).again, 'nextOffer');
  });

  it('is not rented twice while its end is not confirmed', () => {
    const unclean = testCluster({ phase: 'stopped' });
    assert.equal(say(unclean).again, null);
    assert.match(say(unclean).sentence, /may still bill.*\. train\.ipynb has no kernel\.$/);
  });

  it('says how far it is', () => {
    const coming = say(cluster('bootstrapping', { message: 'Installing packages.' }));
    assert.equal(coming.kind, 'coming');
    assert.match(
      coming.sentence,
      /^llm-dev: Installing packages, 1:00.*\. train\.ipynb is waiting for it\.$/,
    );
    assert.equal(say(cluster('unreachable')).kind, 'silent');
  });

  it('may be on no list any more', () => {
    assert.deepEqual(say(undefined), {
      kind: 'over',
      again: null,
      sentence: 'llm-dev is no longer in the list of clusters; train.ipynb has no kernel.',
    });
  });
});

describe('what a person is told by itself', () => {
  const kinds = (occasions: Occasions, clusters: readonly Cluster[], nowMs = NOW) =>
    occasions.look(clusters, nowMs).map(({ kind }) => kind);

  it('is not what happened before the page was opened, but what is wrong now', () => {
    assert.deepEqual(kinds(new Occasions(), [cluster('ready'), cluster('stopped')]), []);
    assert.deepEqual(kinds(new Occasions(), [cluster('unreachable')]), ['unreachable']);
  });

  it('is what has become of clusters that a page before saw, once', () => {
    const before = new Occasions();
    kinds(before, [cluster('ready')]);
    const occasions = new Occasions(readLastSeen(JSON.stringify(before.lastSeen)));
    assert.deepEqual(kinds(occasions, [cluster('stopped')]), ['gone']);
    assert.deepEqual(readLastSeen('{"a":1,"b":"ready"}'), { b: 'ready' });
    assert.deepEqual(readLastSeen('null'), {});
    assert.deepEqual(kinds(occasions, [cluster('stopped')]), []);
    assert.deepEqual(kinds(new Occasions(before.lastSeen), [cluster('ready')]), []);
    assert.deepEqual(kinds(new Occasions(occasions.lastSeen), [cluster('stopped')]), []);
  });

  it('is each change once', () => {
    const occasions = new Occasions();
    kinds(occasions, [cluster('starting')]);
    assert.deepEqual(kinds(occasions, [cluster('ready')]), ['ready']);
    assert.deepEqual(kinds(occasions, [cluster('ready')]), []);
    assert.deepEqual(kinds(occasions, [cluster('expired')]), ['gone']);
  });

  it('is the end ten minutes before it, once, and again after it was moved', () => {
    const occasions = new Occasions();
    const stops = (afterMinutes: number) =>
      cluster('ready', {
        caps: { totalMicroUsd: '2000000', stopAtMs: NOW + afterMinutes * MINUTE, idleMs: 0 },
        usage: { ...testCluster().usage, capReachedAtMs: null },
      });
    assert.deepEqual(kinds(occasions, [stops(30)]), []);
    assert.deepEqual(kinds(occasions, [stops(9)]), ['stops-soon']);
    assert.deepEqual(kinds(occasions, [stops(10.5)]), []);
    assert.deepEqual(kinds(occasions, [stops(60)]), []);
    assert.deepEqual(kinds(occasions, [stops(5)]), ['stops-soon']);
    assert.equal(hasPassed('stops-soon', stops(9), NOW), false);
    assert.equal(hasPassed('stops-soon', stops(60), NOW), true);
  });

  it('goes once it is not so any more: the cluster answers, is rented anew or is off the list', () => {
    assert.equal(hasPassed('failed', cluster('failed'), NOW), false);
    assert.equal(hasPassed('failed', cluster('requested'), NOW), true);
    assert.equal(hasPassed('unreachable', cluster('unreachable'), NOW), false);
    assert.equal(hasPassed('unreachable', cluster('degraded'), NOW), true);
    assert.equal(hasPassed('failed', undefined, NOW), true);
  });
});

describe('where a notebook can run', () => {
  const named = (...names: string[]) => ({
    default: 'python3',
    kernelspecs: Object.fromEntries(
      names.map(name => [name, { name, display_name: name, language: 'python', argv: [], resources: {} }]),
    ),
  });

  const written = (kernel: string | undefined, language?: string) => ({ kernel, language });

  it('is a cluster with a notebook server that answers', () => {
    assert.equal(canRunOn(testCluster()), true);
    assert.equal(canRunOn(testCluster({ phase: 'unreachable' })), false);
    assert.equal(canRunOn(cluster('ready')), false);
  });

  it('is a kernel of the same kind where there is one, else the usual one', () => {
    const specs = named('python3', 'ir', 'hitch-a--python3', 'hitch-a--ir', 'hitch-b--julia');
    assert.equal(kernelOn('a', written('ir'), specs), 'hitch-a--ir');
    assert.equal(kernelOn('a', written(undefined), specs), 'hitch-a--python3');
    assert.equal(kernelOn('b', written('python3'), specs), 'hitch-b--julia');
    assert.equal(kernelOn(null, written('hitch-a--ir'), specs), 'ir');
    assert.equal(kernelOn('c', written('python3'), specs), undefined);
  });

  it('hostile: is no kernel of another language than the notebook’s', () => {
    const specs = named('python3', 'hitch-a--bash', 'hitch-a--other');
    const bash = { name: 'hitch-a--bash', display_name: 'Bash', language: 'Bash', argv: [], resources: {} };
    specs.kernelspecs['hitch-a--bash'] = bash;
    assert.equal(kernelOn('a', written('sh', 'bash'), specs), 'hitch-a--bash');
    assert.equal(kernelOn('a', written('conda', 'python'), specs), 'hitch-a--other');
    assert.equal(kernelOn('a', written('ir', 'R'), specs), undefined);
    // A kernel of the same name is the notebook's, whatever it calls its language.
    assert.equal(kernelOn('a', written('bash', 'sh'), specs), 'hitch-a--bash');
  });

  it('is read from a kernel’s name', () => {
    assert.equal(clusterOfKernel('hitch-llm-dev--python3'), 'llm-dev');
    assert.equal(clusterOfKernel('python3'), null);
    assert.equal(clusterOfKernel(undefined), null);
  });
});

describe('settings', () => {
  it('are those of the settings editor: its defaults, a type for each control, every column of the table', () => {
    const { properties } = schemaOfSettings.parse(
      JSON.parse(readFileSync(new URL('../schema/settings.json', import.meta.url), 'utf8')),
    );
    const defaults = Object.entries(properties).map(([name, property]) => [name, property.default]);
    assert.deepEqual(Object.fromEntries(defaults), DEFAULT_PREFERENCES);
    assert.deepEqual(
      properties['offerColumns']?.items?.oneOf?.map(({ const: id }) => id),
      OFFER_COLUMNS.map(({ id }) => id),
    );
  });

  it('that do not fit fall back to their defaults, one by one', () => {
    const read = preferencesSchema.parse({ capDollars: 'much', idleMinutes: 5, notify: 'never' });
    assert.deepEqual(read, { ...DEFAULT_PREFERENCES, idleMinutes: 5 });
  });

  it('become limits and filters, and zero means none', () => {
    const free = {
      ...DEFAULT_PREFERENCES,
      stopAfterHours: 0,
      minVramGB: 0,
      gpuCount: 0,
      minDiskGB: 0,
      minDownMbps: 0,
      minReliabilityPercent: 0,
      onlyVerified: false,
      onlyOnDemand: false,
    };
    assert.deepEqual(firstFilter(free, []), { practice: 'only' });
    assert.equal(firstLimits(free, NOW).stopAtMs, null);
    assert.deepEqual(firstLimits(DEFAULT_PREFERENCES, NOW), {
      capMicroUsd: '2000000',
      idleMs: 30 * MINUTE,
      stopAtMs: NOW + 240 * MINUTE,
    });
  });

  it('never put practice offers between real ones', () => {
    const vast = { id: 'vast', kind: 'network', enabled: true, offers: 0, credentials: 'present' } as const;
    const network = [vast];
    assert.equal(firstFilter(DEFAULT_PREFERENCES, network).practice, 'exclude');
    const catalogue = [{ ...vast, credentials: 'absent' as const }];
    assert.equal('practice' in firstFilter(DEFAULT_PREFERENCES, catalogue), false, 'beside a catalogue');
    const own = [{ ...vast, id: 'ssh', kind: 'own' as const, offers: 2, credentials: 'not_needed' as const }];
    assert.equal(firstFilter(DEFAULT_PREFERENCES, own).practice, 'exclude');
    assert.equal(firstFilter({ ...DEFAULT_PREFERENCES, practice: 'first' }, network).practice, 'only');
  });
});
