/** Locks are read line by line, and say what a machine must have. */
import assert from 'node:assert/strict';
import {
  ceilingNote,
  lockFor,
  lockProblems,
  needsOf,
  readLock,
  type Lock,
} from '../../src/templates/lock.ts';
import { templateProblemLine } from '../../src/templates/problem.ts';

const read = (text: string, file = 'requirements.cpu.lock'): readonly string[] =>
  readLock(file, text).problems.map(templateProblemLine);
const lock = (text: string, file = 'requirements.cuda13.lock'): Lock => {
  const { lock: found, problems } = readLock(file, text);
  assert.deepEqual(problems, []);
  return found;
};
const use = { accelerator: 'cuda13', python: '3.12', needsRay: false, notebook: null } as const;
const CUDA13 = 'numpy==2.5.5\nnvidia-cuda-runtime==13.2.86\ntorch==2.15.0\n';
const CUDA12 = 'nvidia-cuda-runtime-cu12==12.8.90\ntorch==2.9.0\n';

describe('a lock', () => {
  it('is what uv writes: comments, markers, hashes over several lines, options', () => {
    const text = [
      '# uv pip compile --python-version 3.12 requirements.in',
      '--index-url https://pypi.org/simple',
      'Flask_Cors[extra]==5.0.1 ; python_full_version >= "3.10" \\',
      `    --hash=sha256:${'a'.repeat(64)} \\`,
      `    --hash=sha256:${'b'.repeat(64)}`,
      '    # via -r requirements.in',
      `torch==2.9.0+cu128 --hash=sha256:${'c'.repeat(64)}`,
      '',
    ].join('\r\n');
    const { lock: found, problems } = readLock('a.lock', text);
    assert.deepEqual(problems, []);
    assert.equal(found.python, '3.12');
    assert.deepEqual(found.packages, [
      { name: 'flask-cors', version: '5.0.1', line: 3, marker: 'python_full_version >= "3.10"', hashes: 2 },
      { name: 'torch', version: '2.9.0+cu128', line: 7, marker: '', hashes: 1 },
    ]);
  });

  const wrong: readonly (readonly [string, string])[] = [
    [
      '\n\n\n\n\n\ntransformers>=5',
      'requirements.cpu.lock:7  “transformers>=5” is no exact version; run hitch template lock.',
    ],
    ['numpy', 'requirements.cpu.lock:1  “numpy” is no exact version; run hitch template lock.'],
    ['numpy==2.*', 'requirements.cpu.lock:1  “numpy==2.*” is no exact version; run hitch template lock.'],
    [
      '-r other.txt',
      'requirements.cpu.lock:1  “-r other.txt” leads to another file; a lock stands by itself: run hitch template lock.',
    ],
    ['-e .', 'requirements.cpu.lock:1  “-e .” cannot stand in a lock; run hitch template lock.'],
    [
      './wheels/x.whl',
      'requirements.cpu.lock:1  “./wheels/x.whl” is no package with its version; run hitch template lock.',
    ],
    [
      '--index-url https://me:secret@example.org/simple',
      'requirements.cpu.lock:1  “--index-url” needs an address that begins with https:// and holds no name or password.',
    ],
    [
      'x @ https://example.org/x-1.0-py3-none-any.whl',
      'requirements.cpu.lock:1  “x @ https://example.org/x-1.0-py3-none-any.whl” comes from an address without a hash, where other bytes can lie tomorrow. Add #sha256=… to it.',
    ],
    ['a==1\nA==2', 'requirements.cpu.lock:2  a stands here as 2 and on line 1 as 1; keep one.'],
    [
      `a==1\nb==2 --hash=sha256:${'a'.repeat(64)}`,
      'requirements.cpu.lock:1  a has no hash and others have; they are for all packages or for none: run hitch template lock.',
    ],
    ['# nothing', 'requirements.cpu.lock  The lock is empty; run hitch template lock.'],
  ];
  for (const [text, expected] of wrong) {
    it(`is told: ${expected.slice(22, 90)}`, () => assert.deepEqual(read(text), [expected]));
  }
});

describe('a lock beside its template', () => {
  const problems = (
    text: string,
    more: Partial<Parameters<typeof lockProblems>[1]> = {},
  ): readonly string[] => lockProblems(lock(text), { ...use, ...more }).map(templateProblemLine);

  it('needs a Ray that a token closes, on the line where it stands', () => {
    assert.deepEqual(problems('a==1\nray==2.49.2\n'), [
      'requirements.cuda13.lock:2  ray 2.49.2 cannot be closed to strangers by a token; Hitch needs 2.52 or newer.',
    ]);
    assert.deepEqual(problems('ray==2.52.0\n'), []);
    assert.deepEqual(problems('ray==2.100.0\n'), []);
  });

  it('has what engine and notebook need', () => {
    assert.deepEqual(problems(CUDA13, { needsRay: true, notebook: 'explore.ipynb' }), [
      'requirements.cuda13.lock  has no ray, which the engine “ray” needs on every node; run hitch template lock.',
      'requirements.cuda13.lock  has no ipykernel, without which “explore.ipynb” gets no kernel; run hitch template lock.',
    ]);
  });

  it('brings the CUDA that it is named for, and a torch that uses it', () => {
    assert.deepEqual(problems(CUDA12), [
      'requirements.cuda13.lock  is the lock for cuda13 and brings CUDA 12 (nvidia-cuda-runtime-cu12 12.8.90); name it under the CUDA that it brings.',
    ]);
    assert.deepEqual(problems('torch==2.9.0+cpu\n'), [
      'requirements.cuda13.lock:1  torch 2.9.0+cpu uses no GPU, and this is the lock for cuda13; run hitch template lock.',
    ]);
  });

  it('is for the Python of the template', () => {
    assert.deepEqual(problems('# uv pip compile --python-version=3.11\nnumpy==2.5.5\n'), [
      'requirements.cuda13.lock  was made for Python 3.11, and the template names 3.12; run hitch template lock.',
    ]);
  });
});

describe('what a machine must have', () => {
  const card = (cudaMax: string | null) => ({ gpuCount: 1, gpuModel: 'RTX 4090', cudaMax });
  const cpu = { gpuCount: 0, gpuModel: null, cudaMax: null };

  it('is computed from the lock', () => {
    assert.deepEqual(needsOf(lock(CUDA13)), { cudaMajor: 13, because: 'nvidia-cuda-runtime 13.2.86' });
    assert.deepEqual(needsOf(lock(CUDA12)), { cudaMajor: 12, because: 'nvidia-cuda-runtime-cu12 12.8.90' });
    assert.deepEqual(needsOf(lock('numpy==2.5.5\n')), { cudaMajor: null, because: null });
  });

  it('decides which lock an offer takes', () => {
    const both = { cuda13: lock(CUDA13), cuda12: lock(CUDA12), cpu: lock('numpy==2.5.5\n') };
    assert.equal(lockFor(card('13.0'), both), 'cuda13');
    assert.equal(lockFor(card('12.8'), both), 'cuda12');
    assert.equal(lockFor(card('11.8'), both), null);
    assert.equal(lockFor(card(null), both), 'cuda13');
    assert.equal(lockFor(cpu, both), 'cpu');
    assert.equal(lockFor({ ...card('12.8'), gpuModel: 'AMD Instinct MI300X' }, both), null);
    assert.equal(lockFor(card('12.8'), { cuda13: lock(CUDA13) }), null);
  });

  it('says which offers a lock leaves out, before anything is rented', () => {
    const offers = [
      ...Array.from({ length: 31 }, (_, index) => card(`12.${index % 9}`)),
      ...Array.from({ length: 9 }, () => card('13.0')),
      cpu,
    ];
    const note = ceilingNote(offers, { cuda13: lock(CUDA13) });
    assert.equal(
      note === null ? '' : templateProblemLine(note),
      'requirements.cuda13.lock  brings CUDA 13 (nvidia-cuda-runtime 13.2.86); 31 of 40 offers have a driver for CUDA 12.x only. Add a lock for cuda12 to use them.',
    );
    assert.equal(ceilingNote(offers, { cuda13: lock(CUDA13), cuda12: lock(CUDA12) }), null);
  });
});
