import assert from 'node:assert/strict';
import type { TemplateInfo } from '@hitch/contract';
import { asWritten as t } from '../src/base/translate.ts';
import { deprecatedWords, sourceWords } from '../src/templates/list.ts';

const info: TemplateInfo = {
  id: 'hf-lora',
  source: 'user',
  folder: '/home/me/.hitch/shared-templates/0',
  title: 'Fine-tune with LoRA',
  description: '',
  version: '1.2.0',
  tags: [],
  engine: 'single',
  minNodes: 1,
  needs: 'any machine',
  runs: true,
  problems: 0,
};
const shared = {
  source: 'git+https://git.example/team/lora#v1.2.0',
  kind: 'tag',
  commit: '0'.repeat(40),
  digest: `sha256:${'0'.repeat(64)}`,
  signedBy: null,
  addedAtMs: 0,
} as const;

describe('where a template comes from', () => {
  it('is its source, and who signed it', () => {
    assert.equal(sourceWords(info, t), 'your own');
    assert.equal(
      sourceWords({ ...info, shared }, t),
      'from git+https://git.example/team/lora#v1.2.0, not signed by anybody you know',
    );
    assert.equal(
      sourceWords({ ...info, shared: { ...shared, signedBy: 'ml@example.org' } }, t),
      'from git+https://git.example/team/lora#v1.2.0, signed by ml@example.org',
    );
  });
});

describe('a template that another takes the place of', () => {
  it('says why, and which', () => {
    assert.equal(deprecatedWords(info, t), null);
    const why = 'It is slower.';
    assert.equal(
      deprecatedWords({ ...info, deprecated: { why, use: null } }, t),
      'Deprecated: It is slower.',
    );
    assert.equal(
      deprecatedWords({ ...info, deprecated: { why, use: 'hf-lora-2' } }, t),
      'Deprecated: It is slower. Use hf-lora-2.',
    );
  });
});
