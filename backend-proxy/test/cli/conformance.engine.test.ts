/** What `hitch run` saves, against nbclient and nbformat themselves: notebooks of the kinds of nbclient's own tests. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { pythonOrSkip, RunningAgent } from '../agent/running-agent.ts';
import { CliHarness } from './harness.ts';

const JUDGE = fileURLToPath(new URL('nbclient_judge.py', import.meta.url));
const yes = { status: 'yes', reason: '', message: '', sinceMs: 0 } as const;

type Cell = Record<string, unknown>;

const code = (source: string, more: Cell = {}): Cell => ({
  cell_type: 'code',
  metadata: {},
  source,
  outputs: [],
  execution_count: null,
  ...more,
});
const tagged = (tag: string, source: string, more: Cell = {}): Cell =>
  code(source, { ...more, metadata: { tags: [tag] } });

const KERNELSPEC = { name: 'python3', display_name: 'Python 3', language: 'python' };

/** A notebook of these cells, as a file; with ids from nbformat 4.5 on, which has them. */
function file(cells: readonly Cell[], minor = 5, metadata: Cell = { kernelspec: KERNELSPEC }): string {
  const withIds = cells.map((cell, index) => (minor < 5 ? cell : { id: `c${index}`, ...cell }));
  return JSON.stringify({ nbformat: 4, nbformat_minor: minor, metadata, cells: withIds });
}

const SHOWS = 'from IPython.display import clear_output, display, update_display, HTML, SVG, Javascript';
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const NOTEBOOKS: Readonly<Record<string, string>> = {
  displays: file([
    code(`${SHOWS}\ndisplay("first", display_id="one")\ndisplay("second", display_id="two")`),
    code('display("the same in another cell", display_id="one")'),
    code('update_display("updated later", display_id="one")\nprint("beside")'),
    code(
      'update_display(HTML("<b>\\nrich</b>"), display_id="two", metadata={"text/html": {"isolated": True}})',
    ),
    code('handle = display(display_id=True)\nfor i in range(3): handle.update(i)'),
    code('update_display("nobody has it", display_id="none")'),
  ]),
  cleared: file([
    code(`${SHOWS}\nprint("gone")\nclear_output()\nprint("stays")`),
    code('for i in range(5):\n    clear_output(wait=True)\n    print(i)\n    display(i, display_id="i")'),
    code('print("not cleared")\nclear_output(wait=True)'),
    code('print("out", flush=True)'),
    code('import sys\nprint("err", file=sys.stderr, flush=True)\nprint("half a line", end="", flush=True)'),
    code('update_display("later", display_id="i")'),
  ]),
  tags: file([
    tagged('raises-exception', 'raise ValueError("may\\nbe")'),
    tagged('skip-execution', 'raise SystemError("is left out")', {
      outputs: [{ output_type: 'stream', name: 'stdout', text: ['kept\n', 'too'] }],
      execution_count: 7,
    }),
    code('  \n'),
    code('1 + 1'),
    { cell_type: 'raw', metadata: { format: 'text/x-rst' }, source: 'raw\ntext' },
    {
      cell_type: 'markdown',
      metadata: {},
      source: ['# A\n', '![x](attachment:x.svg)'],
      attachments: { 'x.svg': { 'image/svg+xml': ['<svg>\n', '</svg>'], 'image/png': PNG } },
    },
    tagged('raises-exception', 'input("nobody is there")'),
    code('_ + 1', { metadata: { tags: [], collapsed: false } }),
  ]),
  widgets: file([
    code(`${SHOWS}\nimport ipywidgets as w\nslider = w.IntSlider(3, 0, 9, description="n")\nslider`),
    code(
      'label = w.Label("x")\nlink = w.jslink((slider, "value"), (label, "value"))\nw.VBox([slider, label])',
    ),
    code('slider.value = 5'),
    code('picture = w.Image(value=bytes(range(256)), format="png")\npicture'),
    code('picture.value = b"other bytes"'),
    code(
      'out = w.Output()\ndisplay(out)\nwith out:\n    print("a")\n    print("b")\n    display(HTML("<i>c</i>"))\nprint("outside")',
    ),
    code('[o["output_type"] for o in out.outputs], out.outputs[0]["text"]'),
    code('with out:\n    clear_output()\n    print("anew")\n    raise KeyError("taken")'),
    code('len(out.outputs), out.outputs[0]'),
    code('@out.capture(clear_output=True)\ndef f(): print("captured")\nf()'),
    code('inner = w.Output()\nwith out:\n    with inner:\n        print("inside")\n    print("between")'),
    code('gone = w.Text("closed")\ngone.close()'),
  ]),
  numbers: file(
    [
      code(
        'display({"application/json": {"big": 12345678901234567890123, "one": 1.0, "small": 1e-7, "large": 1e16, ' +
          '"huge": 1e22, "zero": -0.0, "tenth": 0.1, "sum": 0.1 + 0.2, "10": 1, "9": [2.50, 1e5, -3], "Z": 1, "a": {}, ' +
          '"\\uff5a": 1, "\\U0001f600": [], "text": "1.0 and 12345678901234567890"}}, raw=True, metadata={"scale": 2.0})',
        { metadata: { zoom: 1.5, mine: { b: 1, a: [1, 2] } } },
      ),
      code('12345678901234567890 * 2.0'),
    ],
    5,
    { kernelspec: KERNELSPEC, theirs: { b: '', a: null, 10: 1, 9: true } },
  )
    .replace('"a":null', '"a":98765432109876543210')
    .replace('"zoom":1.5', '"zoom":100.0,"other":-1e-12'),
  texts: file([
    code('print("ü 日本 🚀 \\u2028 line \\x85 next \\x0c page \\x1d group\\r\\nwindows\\rover\\x1b[31mred")'),
    code(`${SHOWS}\ndisplay({"text/plain": "a\\nb", "text/html": "<p>\\r\\n</p>\\n"}, raw=True)`),
    code('display(SVG("<svg xmlns=\'http://www.w3.org/2000/svg\'>\\n<g/>\\n</svg>"), Javascript("1\\n2"))'),
    code(
      `display({"image/png": "${PNG}\\n", "application/x-tex": "a\\nb", "text/latex": "$a$\\n"}, raw=True)`,
    ),
    code('display({"application/vnd.x+json": ["a\\n", "b"], "application/json": "a\\nb"}, raw=True)'),
    code('print("# not\\n" * 3, end="")\n"result\\nof lines"'),
  ]),
  comms: file([
    code('from comm import create_comm\nc = create_comm(target_name="other", data={"state": {"a": 1}})'),
    code('c.send({"state": {"b": 2}, "method": "update"})\nc.send({"x": 1}, buffers=[b"1"])\nc.close()'),
    code('1\n2'),
    code('%history -n 1-2'),
    code('Out, In[1][:8]'),
  ]),
  old: file(
    [
      code('1.50', { metadata: { collapsed: true, trusted: true } }),
      { cell_type: 'markdown', metadata: {}, source: 'x' },
    ],
    0,
    {
      kernelspec: KERNELSPEC,
      orig_nbformat: 3,
      signature: 'x',
      language_info: { name: 'python', version: '2' },
    },
  ),
  without_ids: file([code('print("of 4.4")'), code('x = 1'), code('x')], 4, {}),
};

describe('what hitch run saves', function () {
  this.timeout(300_000);
  let harness: CliHarness;
  let agent: RunningAgent;
  let python: string;
  let folder: string;
  const down = new AbortController();

  before(async function () {
    python = pythonOrSkip(this);
    folder = mkdtempSync(join(tmpdir(), 'hitch-saved-'));
    agent = await new RunningAgent({ jupyter: true }).start();
    await agent.untilStatus('Jupyter', ({ jupyter }) => jupyter.state === 'running');
    harness = await CliHarness.start();
    const { id } = harness.clusters.add({
      conditions: { kernel: yes, engine: yes, billing: yes, cleanup: yes },
    });
    const address = { socketPath: agent.socketPath };
    harness.clusters.links.set(id, { address, token: agent.token, closed: down.signal });
  });
  after(async () => {
    await harness?.close();
    await agent?.dispose();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  for (const [name, text] of Object.entries(NOTEBOOKS)) {
    it(`runs the notebook "${name}"`, async () => {
      writeFileSync(join(folder, `${name}.ipynb`), text);
      const { code: exit, stderr } = await harness.run(['run', 'llm-dev', `${name}.ipynb`], {
        cwd: folder,
        clock: systemClock,
      });
      assert.equal(exit, 0, stderr);
    });
  }

  it('is what nbclient saves of the same notebooks, and no byte changes when Jupyter saves it again', () => {
    const said = execFileSync(python, [JUDGE, folder], {
      encoding: 'utf8',
      timeout: 230_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    const none = Object.fromEntries(Object.keys(NOTEBOOKS).map(name => [name, []]));
    assert.deepEqual(JSON.parse(said), none);
  });

  it('keeps the digits of every number', () => {
    const saved = readFileSync(join(folder, 'numbers.out.ipynb'), 'utf8');
    for (const text of ['12345678901234567890123', '98765432109876543210', '100.0', '-1e-12', '1e-07']) {
      assert.match(saved, new RegExp(`[ :]${text.replace('.', '\\.')},?\n`));
    }
  });
});
