/** Values get into arguments and variables, and into nothing that reads them as a command. */
import assert from 'node:assert/strict';
import { checkTemplate } from '../../src/templates/check.ts';
import { parameterVariables, renderCommand } from '../../src/templates/render.ts';

const template = (run: string) => {
  const { template: read, problems } = checkTemplate(
    [
      'schema: hitch-template/1',
      'name: small',
      'version: 1.0.0',
      'title: Small',
      'description: Small.',
      'parameters: {text: {type: text}, rate: {type: number}}',
      'checkpoints: {folder: out}',
      'outputs: {model: {path: out/model.bin}}',
      `run: ${run}`,
      '',
    ].join('\n'),
    { names: null, hitch: null },
  );
  assert.deepEqual(problems, []);
  assert.ok(read?.run !== undefined);
  return { read, run: read.run };
};

describe('what a template runs', () => {
  it('has each value inside the one argument where it stands, whatever it holds', () => {
    const { read, run } = template(
      '{command: [python, a.py, "--text=${{ params.text }}", "${{params.rate}}", "${{ checkpoints.folder }}", "${{ outputs.model }}"], folder: src}',
    );
    const text = 'a b; rm -rf / "$HOME" ${{ params.rate }}';
    assert.deepEqual(renderCommand(read, run, { text, rate: 2e-7 }), {
      work: {
        kind: 'command',
        command: ['python', 'a.py', `--text=${text}`, '2e-7', 'out', 'out/model.bin'],
      },
      folder: 'src',
    });
  });

  it('leaves a script as it is, and gives it variables', () => {
    const { read, run } = template('{script: python a.py "$HITCH_PARAM_TEXT"}');
    assert.deepEqual(renderCommand(read, run, { text: '; true' }).work, {
      kind: 'script',
      script: 'python a.py "$HITCH_PARAM_TEXT"',
    });
    assert.deepEqual(parameterVariables({ text: '; true', rate: 0.5, on: true }), {
      HITCH_PARAM_TEXT: '; true',
      HITCH_PARAM_RATE: '0.5',
      HITCH_PARAM_ON: 'true',
    });
  });
});
