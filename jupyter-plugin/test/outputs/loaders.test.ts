import assert from 'node:assert/strict';
import { ClusterComms } from '../../src/outputs/comms.ts';
import { isLoader, Loaders } from '../../src/outputs/loaders.ts';

describe('outputs that others need', () => {
  it('are libraries, and no scripts that do something', () => {
    assert.ok(isLoader({ 'application/javascript': 'x', 'application/vnd.bokehjs_load.v0+json': 'x' }));
    assert.ok(isLoader({ 'text/html': ' <script>x</script><style>b{}</style><link href="x"> ' }));
    assert.ok(isLoader({ 'application/javascript': 'x'.repeat(30_000) }));
    assert.equal(isLoader({ 'application/javascript': 'x' }), false);
    assert.equal(isLoader({ 'text/html': '<b>x</b><script>x</script>' }), false);
    assert.equal(isLoader({ 'text/html': '<!-- a --><SCRIPT>1</script >\n<meta charset="x">' }), true);
    for (const html of [
      '<script>x',
      '<script>x</style>',
      '<!-- <script></script>',
      '<script>1</script><meta',
    ]) {
      assert.equal(isLoader({ 'text/html': html }), false, html);
    }
    assert.equal(
      isLoader({ 'application/javascript': 'x', 'application/vnd.bokehjs_exec.v0+json': '' }),
      false,
    );
  });

  it('are looked for in one pass, however many things in them begin and do not end', () => {
    // Looked for from each beginning anew, each of these takes longer than the whole suite may.
    for (const part of ['<script ', '<style ', '<!--', '<meta ', '<script></script', '<link', '</script ']) {
      assert.equal(isLoader({ 'text/html': `<script>1</script>${part.repeat(1_000_000)}` }), false, part);
    }
    assert.equal(isLoader({ 'text/html': '<script></script>'.repeat(200_000) }), true);
  });

  it('come in their order, once, for their own kernel, as long as there is room', () => {
    const [comms, one, other] = [new ClusterComms(), {}, {}];
    const loaders = new Loaders(comms.restarted);
    const framed = (kernel: string | null, text: string) => ({
      kernel,
      data: { 'application/javascript': text },
      metadata: {},
    });
    assert.ok(loaders.note(framed('k', 'one'), one));
    assert.ok(loaders.note(framed('k', 'two'), one));
    assert.ok(loaders.note(framed('k', 'one'), one));
    assert.deepEqual(loaders.before(framed('k', 'plot'), one), [framed('k', 'one'), framed('k', 'two')]);
    assert.deepEqual(loaders.before(framed('k', 'two'), one), [framed('k', 'one')]);
    assert.deepEqual(loaders.before(framed('other', 'plot'), one), []);
    assert.equal(loaders.note(framed('k', 'x'.repeat(50_000_000)), one), false);
    assert.ok(loaders.note(framed(null, 'saved'), one));
    assert.deepEqual(loaders.before(framed(null, 'plot'), one), [framed(null, 'saved')]);
    assert.deepEqual(loaders.before(framed(null, 'plot'), other), [], 'of another notebook');
    comms.restarted.emit('k');
    assert.deepEqual(loaders.before(framed('k', 'plot'), one), [], 'its kernel is another one');
  });
});
