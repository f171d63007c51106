/** A template's mistakes are marked where they stand. */
import assert from 'node:assert/strict';
import { isTemplateText, marksOf } from '../src/templates/marks.ts';

const problem = (file: string, line: number | null, column: number | null, sentence = 'Wrong.') => ({
  file,
  line,
  column,
  sentence,
});

describe('the marks of a template', () => {
  it('cover the word or the quoted text that a sentence is about', () => {
    const text = 'schema: hitch-template/1\nlimits: {total: "$ 12", idle: 20}\n';
    const [quoted, bare] = marksOf(
      { problems: [problem('hitch.yaml', 2, 17), problem('hitch.yaml', 2, 31)], notes: [] },
      () => text,
    );
    assert.deepEqual([quoted?.line, quoted?.from, quoted?.to], [1, 16, 22]);
    assert.deepEqual([bare?.from, bare?.to], [30, 32]);
  });

  it('cover the line where no column is known, and the first line where none is', () => {
    const [line, file, folder] = marksOf(
      {
        problems: [problem('a.lock', 7, null), problem('a.lock', null, null), problem('', null, null)],
        notes: [],
      },
      () => undefined,
    );
    assert.deepEqual([line?.line, line?.from, line?.to], [6, 0, null]);
    assert.deepEqual([file?.line, file?.to], [0, null]);
    assert.equal(folder?.file, 'hitch.yaml');
  });

  it('tell what is only worth knowing from what has to be mended', () => {
    const marks = marksOf({ problems: [], notes: [problem('a.lock', null, null)] }, () => undefined);
    assert.deepEqual(
      marks.map(({ isNote }) => isNote),
      [true],
    );
  });

  it('are made for files that say they are templates, and for no other hitch.yaml', () => {
    assert.ok(isTemplateText('# mine\n\nschema: hitch-template/1\n'));
    assert.ok(isTemplateText('\uFEFFschema: "hitch-template/2"\r\n'));
    assert.ok(!isTemplateText('trailer:\n  hitch: ball\n'));
  });
});
