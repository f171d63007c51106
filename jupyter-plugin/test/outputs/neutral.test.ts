import assert from 'node:assert/strict';
import { FRAMED, framedSchema, kernelOf } from '../../src/outputs/framed.ts';
import { neutralBundle, neutralContent, neutralNotebook, neutralOutput } from '../../src/outputs/neutral.ts';
import { passiveHtml } from '../../src/outputs/passive-html.ts';

const KERNEL = 'k-1';
const HERE = 'hitch-here--';
const framedOf = (data: unknown) => (data as Record<string, { data: Record<string, unknown> }>)[FRAMED]?.data;

const PANDAS = `<div>
<style scoped>
    .dataframe tbody tr th:only-of-type {
        vertical-align: middle;
    }

    .dataframe tbody tr th {
        vertical-align: top;
    }

    .dataframe thead th {
        text-align: right;
    }
</style>
<table border="1" class="dataframe">
  <thead>
    <tr style="text-align: right;">
      <th></th>
      <th>a &amp; b</th>
    </tr>
  </thead>
  <tbody>
    <tr>
      <th>0</th>
      <td colspan="2">&lt;script&gt;</td>
    </tr>
  </tbody>
</table>
</div>`;

describe('HTML of a cluster that JupyterLab’s own page may show', () => {
  it('is text and tables, as pandas writes them', () => {
    const shown = passiveHtml(PANDAS);
    assert.ok(shown?.includes('<table border="1" class="dataframe">'));
    assert.equal(shown?.includes('<style'), false);
    assert.equal(passiveHtml('<b>bold</b> and <br/>'), '<b>bold</b> and <br/>');
    assert.equal(passiveHtml('<p style="color: #ff0000; text-align: left;">x</p>') === null, false);
  });

  for (const html of [
    '<script>1</script>',
    '<img src=x onerror=alert(1)>',
    '<b onclick="x">b</b>',
    '<b id="x">b</b>',
    '<a href="https://example.org">a</a>',
    '<div class="jp-Dialog">x</div>',
    '<div class="dataframe jp-Dialog">x</div>',
    '<div style="position: fixed">x</div>',
    '<div style="background: url(x)">x</div>',
    '<div style="color: red; position: fixed">x</div>',
    '<style scoped>.dataframe td { position: fixed; } body { display: none; }</style>',
    '<style>b{}</style>',
    '<style scoped>.dataframe td { color: red; }</style><style scoped></style><script>1</script>',
    '<svg><rect/></svg>',
    '<math><mtext></mtext></math>',
    '<template><b></b></template>',
    '<noscript><b></b></noscript>',
    '<!-- c --><b>x</b>',
    '<![CDATA[x]]>',
    '<?x?>',
    '< b>x',
    '<b',
    '<b\u0000>x</b>',
    '<table><tr><td background="x">1</td></tr></table>',
    '<form><input></form>',
    '<iframe></iframe>',
    '<button data-commandlinker-command="x">b</button>',
  ]) {
    it(`is not ${JSON.stringify(html)}`, () => {
      assert.equal(passiveHtml(html), null);
    });
  }
});

describe('the border before JupyterLab', () => {
  it('lets text, pictures and plain tables through as they are', () => {
    const data = {
      'text/plain': 'x',
      'image/png': 'iVBORw0KGgo=\n',
      'text/latex': '$x$',
      'application/json': [1],
    };
    assert.deepEqual(neutralBundle(data, {}, KERNEL), { data, metadata: {} });
    const metadata = {
      'image/png': { width: 3, isolated: true },
      isolated: true,
      'text/html': { isolated: true },
    };
    assert.deepEqual(neutralBundle(data, metadata, KERNEL).metadata, { 'image/png': { width: 3 } });
  });

  for (const type of [
    'application/javascript',
    'text/javascript',
    'image/svg+xml',
    'text/markdown',
    'application/vnd.jupyter.widget-view+json',
    'application/vnd.plotly.v1+json',
    'application/vnd.vegalite.v5+json',
    'application/vnd.holoviews_load.v0+json',
    'application/pdf',
    'text/vnd.mermaid',
    'Text/HTML',
    'toString',
    '__proto__',
    FRAMED,
  ]) {
    it(`moves ${type} under the one type that is drawn in a frame`, () => {
      const given = JSON.parse(`{"text/plain":"x",${JSON.stringify(type)}:"y"}`) as unknown;
      const { data } = neutralBundle(given, {}, KERNEL);
      assert.deepEqual(Object.keys(data).sort(), [FRAMED, 'text/plain'].sort());
      assert.deepEqual(Object.entries(framedOf(data) ?? {}), [[type, 'y']]);
    });
  }

  it('takes a picture that is none, and text that is none, for active', () => {
    assert.ok(framedOf(neutralBundle({ 'image/png': '"><script>' }, {}, KERNEL).data));
    assert.ok(framedOf(neutralBundle({ 'text/plain': { toString: 1 } }, {}, KERNEL).data));
    assert.deepEqual(neutralBundle('nonsense', null, KERNEL), { data: {}, metadata: {} });
  });

  it('looks at every message that brings something to show', () => {
    const evil = { 'application/javascript': 'x', 'text/plain': 'p' };
    for (const type of ['display_data', 'execute_result', 'update_display_data']) {
      assert.ok(
        framedOf(
          neutralContent(type, { data: evil, metadata: {}, transient: { display_id: 'd' } }, KERNEL)['data'],
        ),
      );
    }
    assert.deepEqual(neutralContent('inspect_reply', { data: evil }, KERNEL)['data'], { 'text/plain': 'p' });
    const reply = neutralContent(
      'execute_reply',
      {
        payload: [
          { source: 'page', data: evil },
          { source: 'edit', file: '/etc' },
          { source: 'set_next_input', text: 't' },
        ],
        user_expressions: { a: { status: 'ok', data: evil, metadata: {} } },
      },
      KERNEL,
    );
    const [page, next] = reply['payload'] as Record<string, unknown>[];
    assert.ok(framedOf(page?.['data']));
    assert.equal(next?.['source'], 'set_next_input');
    assert.ok(
      framedOf((reply['user_expressions'] as Record<string, Record<string, unknown>>)['a']?.['data']),
    );
    const links = [{ text: 'a', url: 'javascript:1' }, { text: 'b', url: 'https://docs.python.org' }, 7];
    assert.deepEqual(neutralContent('kernel_info_reply', { help_links: links }, KERNEL)['help_links'], [
      links[1],
    ]);
    const debug = neutralContent('debug_reply', { body: { data: evil, metadata: {} } }, KERNEL);
    assert.ok(framedOf((debug['body'] as Record<string, unknown>)['data']));
  });

  it('leaves a stored output of its own as it is, and moves what a notebook has besides', () => {
    const [moved] = [
      neutralOutput({ output_type: 'display_data', data: { 'text/html': '<img>' }, metadata: {} }, HERE),
    ];
    assert.deepEqual(neutralOutput(moved, HERE), moved);
    const notebook = neutralNotebook(
      {
        metadata: { widgets: { state: 1 }, kernelspec: {} },
        cells: [
          {
            cell_type: 'code',
            metadata: { trusted: true },
            outputs: [moved, { output_type: 'stream', text: 'x' }],
          },
        ],
      },
      HERE,
      true,
    ) as { metadata: object; cells: { metadata: { trusted: boolean }; outputs: unknown[] }[] };
    assert.equal('widgets' in notebook.metadata, false);
    assert.equal(notebook.cells[0]?.metadata.trusted, false);
    assert.deepEqual(notebook.cells[0]?.outputs[0], moved);
    assert.equal(neutralNotebook('x', HERE, true), 'x');
  });

  it('lets a file reach the widgets and libraries of a kernel on its own cluster only', () => {
    const framed = { kernel: KERNEL, data: { 'text/html': '<script>' }, metadata: {} };
    for (const written of [framed, { ...framed, on: 'hitch-other--python3' }]) {
      const stored = neutralOutput({ output_type: 'display_data', data: { [FRAMED]: written } }, HERE);
      const read = framedSchema.parse((stored as { data: Record<string, unknown> }).data[FRAMED]);
      assert.deepEqual(read, { ...framed, on: HERE });
      assert.equal(
        kernelOf(read, (kernel, name) => kernel === KERNEL && name === HERE),
        KERNEL,
      );
      assert.equal(
        kernelOf(read, () => false),
        null,
      );
    }
    assert.equal(
      kernelOf(framed, () => false),
      KERNEL,
      'what the kernel itself has sent',
    );
  });
});
