/** Templates as the daemon tells of them: the form and its verdicts are the daemon's own functions. */
import type { TemplateDetails, TemplateInfo } from '@hitch/contract';
import { checkTemplate } from '@hitch/contract/src/templates/check.ts';
import { templateForm } from '@hitch/contract/src/templates/form.ts';
import type { TemplateChoice } from '../../src/index.ts';

const TEXT = `schema: hitch-template/1
name: classifier
version: 1.2.0
title: Train a classifier
description: Goes on from its last checkpoint.
license: Apache-2.0
parameters:
  steps: {type: integer, default: 200, min: 1, max: 1000, title: Steps}
  rate: {type: number, default: 0.5, min: 0, max: 1, title: Learning rate, group: Optimiser}
  precision: {type: choice, of: [auto, fp32], default: auto, title: Precision, group: Optimiser}
  mixed: {type: boolean, default: false, title: Mixed precision}
  run_name: {type: text, title: Run name, maxLength: 20}
  seed: {type: integer, default: 7, min: 0, max: 99, title: Seed, advanced: true}
presets:
  smoke: {title: Does it run?, parameters: {steps: 20}}
notebook: explore.ipynb
`;

export const testTemplate = (change: Partial<TemplateInfo> = {}): TemplateInfo => ({
  id: 'classifier',
  source: 'user',
  folder: '/templates/classifier',
  title: 'Train a classifier',
  description: 'Goes on from its last checkpoint.',
  version: '1.2.0',
  tags: ['numpy'],
  engine: 'single',
  minNodes: 1,
  needs: '1× RTX 4090, 24 GB',
  runs: false,
  problems: 0,
  ...change,
});

export function testDetails(
  { preset, values }: TemplateChoice,
  change: Partial<TemplateDetails> = {},
): TemplateDetails {
  const { template } = checkTemplate(TEXT, { names: null, hitch: null });
  if (template === null) {
    throw new Error('the test’s own template is wrong');
  }
  return {
    info: testTemplate(),
    check: { folder: '/templates/classifier', problems: [], notes: [], digest: null, files: 1, bytes: 900 },
    form: templateForm(template, { ...(preset === null ? {} : { preset }), values }),
    machines: [{ words: '1× RTX 4090, 24 GB; 100 GB disk' }, { words: '1× any GPU, 40 GB' }],
    rent: null,
    refusal: null,
    locks: [
      {
        accelerator: 'cuda13',
        file: 'requirements.lock',
        packages: 127,
        needs: 'driver with CUDA 13 or newer',
      },
    ],
    secrets: [{ name: 'HF_TOKEN', why: 'to read gated models', required: false }],
    limits: { perHour: null, total: '$12', time: '12h', idle: null },
    outputs: [{ name: 'adapter', path: 'out/adapter', kind: 'model' }],
    command: 'python train.py --steps ${{ params.steps }}',
    notebook: 'explore.ipynb',
    readme: '# Train a classifier\n\nMore words.',
    ...change,
  };
}

/** The same with a command, and what is asked of a machine for it. */
export const runDetails = (): Partial<TemplateDetails> => ({
  info: testTemplate({ runs: true }),
  rent: {
    filter: { minVramMiB: 24_576 },
    nodes: 1,
    capMicroUsd: '1500000',
    maxNodePricePerHourMicroUsd: null,
    timeMs: 3 * 3_600_000,
    idleMs: null,
    save: ['out/adapter'],
    secrets: [],
  },
  // Of a cluster alone: it is run as a job.
  refusal: { message: 'Renting starts nothing of it.', next: 'Run it as a job.' },
});
