import assert from 'node:assert/strict';
import { HitchError } from '@hitch/contract';
import {
  checkLanguage,
  chooseKernel,
  kernelspecsSchema,
  wantedBy,
} from '../../src/cli/notebook/choose-kernel.ts';
import { parseNotebook } from '../../src/cli/notebook/format.ts';

const SPECS = kernelspecsSchema.parse({
  default: 'python3',
  kernelspecs: {
    bash: { spec: { display_name: 'Bash', language: 'bash' } },
    'python-ml': { spec: { display_name: 'Python (ml)', language: 'python' } },
    python3: { spec: { display_name: 'Python 3 (ipykernel)', language: 'python' } },
  },
});

const wanted = (metadata: Record<string, unknown>) =>
  wantedBy(
    'n.ipynb',
    parseNotebook('n.ipynb', JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells: [] })),
  );
const choose = (metadata: Record<string, unknown>) => chooseKernel('llm-dev', wanted(metadata), SPECS);

function refusal(metadata: Record<string, unknown>): string {
  try {
    choose(metadata);
  } catch (error) {
    assert.ok(error instanceof HitchError && error.code === 'NOT_FOUND', String(error));
    return error.message;
  }
  return assert.fail('it was not refused');
}

describe('the kernel of a notebook', () => {
  it('is the one it names, or the usual one where it says nothing', () => {
    assert.deepEqual(choose({ kernelspec: { name: 'bash' } }), { name: 'bash', notice: null });
    assert.deepEqual(choose({ kernelspec: { name: 'python-ml', language: 'python' } }).name, 'python-ml');
    for (const metadata of [{}, { kernelspec: {} }, { kernelspec: 7 }, { language_info: 'x' }]) {
      assert.deepEqual(choose(metadata), { name: 'python3', notice: null }, JSON.stringify(metadata));
    }
  });

  it('is another of its language where the named one is not there, which is said', () => {
    const said =
      'n.ipynb names the kernel Python [conda env:x], which llm-dev does not have. It runs with Python 3 (ipykernel).';
    const kernelspec = { name: 'conda-env-x-py', display_name: 'Python [conda env:x]' };
    assert.deepEqual(choose({ kernelspec, language_info: { name: 'python' } }), {
      name: 'python3',
      notice: said,
    });
    assert.equal(choose({ kernelspec }).notice, said, 'also where no language is named');
    for (const name of ['python', 'python2', 'python3.11', 'Python 3', 'py310']) {
      assert.equal(choose({ kernelspec: { name } }).name, 'python3', name);
    }
    assert.deepEqual(choose({ language_info: { name: 'Python' } }), { name: 'python3', notice: null });
  });

  it('hostile: a notebook of another language is refused with the kernels that there are', () => {
    const there = 'There is: Bash, Python (ml), Python 3 (ipykernel).';
    assert.equal(
      refusal({ kernelspec: { name: 'ir', display_name: 'R', language: 'R' }, language_info: { name: 'R' } }),
      `n.ipynb is written in R, and llm-dev has no kernel for it. ${there}`,
    );
    assert.equal(
      refusal({ kernelspec: { name: 'julia-1.11', display_name: 'Julia 1.11' } }),
      `n.ipynb needs the kernel Julia 1.11, and llm-dev has no kernel for it. ${there}`,
    );
    assert.match(refusal({ kernelspec: { name: 'xcpp17', language: 'C++17' } }), /is written in C\+\+17/);
    assert.match(refusal({ language_info: { name: 'scala' } }), /is written in scala/);
    assert.match(refusal({ kernelspec: { name: 'constructor' } }), /needs the kernel constructor/);
  });

  it('hostile: nor does a kernel that runs take a notebook of another language', () => {
    const check = (metadata: Record<string, unknown>, kernel: string) =>
      checkLanguage('llm-dev', wanted(metadata), kernel, SPECS);
    check({ kernelspec: { name: 'conda-x', language: 'python' } }, 'python3');
    check({}, 'bash');
    check({ language_info: { name: 'R' } }, 'a-kernel-nobody-lists');
    assert.throws(
      () => check({ language_info: { name: 'R' } }, 'python3'),
      /is written in R.*There is: Python 3/,
    );
  });
});
