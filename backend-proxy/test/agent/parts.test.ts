import assert from 'node:assert/strict';
import { engineConfigSchema } from '@hitch/contract';
import { jupyterPath } from '../../src/agent/jupyter/rest.ts';
import { checkRayVersion, rayArguments, rayClientEnvironment } from '../../src/agent/ray/command.ts';
import { rayPorts } from '../../src/agent/ray/ports.ts';
import { rayTrouble } from '../../src/agent/ray/trouble.ts';
import { cpuCores } from '../../src/agent/signals/host.ts';
import { parseGpus, queryOf } from '../../src/agent/signals/gpus.ts';

const engine = engineConfigSchema.parse({
  kind: 'ray',
  role: 'head',
  rayVersion: null,
  headAddress: null,
  nodeAddress: '10.0.0.1',
  portBase: 20_000,
  numCpus: 7.6,
  numGpus: 2,
  gpuModel: 'RTX 4090 (24 GB)',
  labels: { region: 'eu west/1' },
  token: 'never-in-argv',
});

describe('How Ray is started', () => {
  it('keeps all ports of a node inside its block, each once', () => {
    const { firstWorker, lastWorker, ...single } = rayPorts(20_000);
    const used = Object.values(single);
    assert.equal(new Set(used).size, used.length);
    assert.ok(used.every(port => port >= 20_000 && port < firstWorker));
    assert.equal(lastWorker, 20_149);
  });

  it('names the head’s own ports, resources and labels, and no secret', () => {
    const args = rayArguments(engine, rayPorts(20_000), '/tmp/ht-x/ray');
    for (const wanted of [
      '--head',
      '--port=20000',
      '--dashboard-host=127.0.0.1',
      '--node-ip-address=10.0.0.1',
      '--temp-dir=/tmp/ht-x/ray',
      '--num-cpus=7',
      '--num-gpus=2',
      '--resources={"accelerator_type:RTX-4090-24-GB":1}',
      '--labels=region=eu-west-1',
      '--block',
    ]) {
      assert.ok(args.includes(wanted), wanted);
    }
    assert.ok(!args.join(' ').includes(engine.token));
  });

  it('keeps what has a loopback address on it, drivers too, and lets anything else reach other machines', () => {
    const inside = { ...engine, nodeAddress: '127.0.0.1' };
    const variable = 'RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER';
    const [flag, program = ''] = rayArguments(inside, rayPorts(20_000), '/t');
    assert.equal(flag, '-c');
    assert.match(program, /get_node_ip_address = lambda address=None: "127\.0\.0\.1"/);
    assert.equal(rayClientEnvironment(inside, rayPorts(20_000), '/t')[variable], '0');
    assert.deepEqual(rayArguments(engine, rayPorts(20_000), '/t').slice(0, 2), ['-m', 'ray.scripts.scripts']);
    assert.equal(rayClientEnvironment(engine, rayPorts(20_000), '/t')[variable], undefined);
  });

  it('lets a worker join its head and nothing else', () => {
    const worker = { ...engine, role: 'worker', headAddress: '10.0.0.9:6379' } as const;
    const args = rayArguments(worker, rayPorts(null), '/tmp/ht-x/ray');
    assert.ok(args.includes('--address=10.0.0.9:6379'));
    assert.ok(!args.some(arg => arg.startsWith('--head') || arg.startsWith('--dashboard-port')));
    assert.equal(rayClientEnvironment(worker, rayPorts(null), '/t')['RAY_ADDRESS'], '10.0.0.9:6379');
  });

  it('lets nodes join whose Pythons differ in their last number alone', () => {
    const level = 'RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL';
    assert.equal(rayClientEnvironment(engine, rayPorts(20_000), '/t')[level], 'minor');
  });

  it('has failed as soon as its log says so, with the reason that stands there', () => {
    const log = [
      'Local node IP: 10.0.0.1',
      '2026-11-29 18:00:01,123 ERROR services.py:1420 -- Failed to start the dashboard , return code 1',
      "2026-11-29 18:00:01,123 ERROR services.py:1445 -- Error should be written to 'dashboard.log' or",
      'The last 20 lines of /tmp/ht-x/ray/session/logs/dashboard.log (it contains the error message from the dashboard): ',
      'OSError: [Errno 98] error while attempting to bind: address already in use',
      '',
    ].join('\n');
    assert.equal(
      rayTrouble(log),
      'its dashboard did not start: OSError: [Errno 98] error while attempting to bind: address already in use',
    );
    assert.equal(
      rayTrouble('Some Ray subprocesses exited unexpectedly:\n  gcs_server [exit code=-9]\n'),
      'one of its programs ended: gcs_server [exit code=-9]',
    );
    assert.equal(
      rayTrouble(`Failed to start the dashboard\nOSError: ${'x'.repeat(400)}`),
      `its dashboard did not start: OSError: ${'x'.repeat(291)}… (109 more characters)`,
    );
    assert.equal(rayTrouble('Failed to start the dashboard'), 'its dashboard did not start');
    const nothingLeft = [
      '2026-11-29 18:00:01,123 ERROR services.py:1431 -- Failed to start the dashboard , return code 3',
      "ERROR services.py:1463 -- Couldn't read dashboard.log file. Error: [Errno 2] No such file or directory: 'dashboard.log'.",
      'Traceback (most recent call last):',
      "FileNotFoundError: [Errno 2] No such file or directory: 'dashboard.err'",
      'During handling of the above exception, another exception occurred:',
      "Exception: Failed to read dashboard.err file: [Errno 2] No such file or directory: 'dashboard.err'. It is unexpected.",
    ];
    for (const lines of [1, 2, 3, 6]) {
      assert.equal(
        rayTrouble(nothingLeft.slice(0, lines).join('\n')),
        'its dashboard did not start: return code 3',
        'however much of it has been written',
      );
    }
    assert.equal(rayTrouble('Local node IP: 10.0.0.1\nRay runtime started.\n'), null);
  });

  it('leaves room for Ray’s own socket names behind its folder', () => {
    const folder = '/tmp/ht-0123456789/ray';
    const longest = `${folder}/session_2026-11-22_13-01-01_123456_4194304/sockets/plasma_store.1`;
    assert.ok(longest.length <= 103, longest.length.toString());
  });

  it('refuses Ray before 2.52 with a sentence', () => {
    for (const old of ['2.51.9', '2.9.0', '1.13.0', 'nonsense']) {
      assert.throws(() => checkRayVersion(old), /is too old/, old);
    }
    for (const fit of ['2.52.0', '2.58.0', '3.0.0', '2.52.0rc1']) {
      assert.doesNotThrow(() => checkRayVersion(fit), fit);
    }
  });
});

describe('What nvidia-smi says', () => {
  it('asks for the GPUs that the node has, and of no others', () => {
    assert.equal(queryOf('GPU-aa,GPU-bb')[0], '--id=GPU-aa,GPU-bb');
    assert.equal(queryOf('0,1')[0], '--id=0,1');
    for (const visible of [undefined, '', 'MIG-aa', '0,-1', '--help']) {
      assert.match(queryOf(visible)[0] ?? '', /^--query-gpu=/);
    }
  });

  it('is read line by line, what it does not know as null', () => {
    const csv = '0, NVIDIA GeForce RTX 4090, 87, 19456, 24564\n1, NVIDIA A100, MIG 1g.5gb, [N/A], 10, 4864\n';
    assert.deepEqual(parseGpus(csv), [
      {
        index: 0,
        name: 'NVIDIA GeForce RTX 4090',
        utilizationPercent: 87,
        vramUsedMiB: 19456,
        vramTotalMiB: 24564,
      },
      {
        index: 1,
        name: 'NVIDIA A100, MIG 1g.5gb',
        utilizationPercent: null,
        vramUsedMiB: 10,
        vramTotalMiB: 4864,
      },
    ]);
  });

  it('is no GPU when it is an error or an empty answer', () => {
    for (const text of [
      '',
      '\n',
      'No devices were found\n',
      'NVIDIA-SMI has failed because it couldn’t communicate',
    ]) {
      assert.deepEqual(parseGpus(text), [], text);
    }
  });
});

describe('A control group’s CPU quota', () => {
  it('is the number of cores, unless there is none or more than the machine has', () => {
    assert.equal(cpuCores('50000 100000'), 0.5);
    assert.equal(cpuCores('max 100000'), cpuCores(''));
    assert.equal(cpuCores('99999999 100000'), cpuCores(''));
  });
});

describe('A path for Jupyter Server', () => {
  const of = (path: string): string => jupyterPath(new URL(path, 'http://agent'));

  it('keeps its query but no token', () => {
    assert.equal(of('/jupyter/api/contents/a%20b?content=1&token=x'), '/api/contents/a%20b?content=1');
    assert.equal(of('/jupyter/api/kernels?token=x'), '/api/kernels');
  });

  it('is one of kernels, sessions, kernelspecs, contents, whatever its encoding', () => {
    for (const path of [
      '/jupyter/api/shutdown',
      '/jupyter/api/kernels/%2e%2e/x',
      '/jupyter/api/contents/%zz',
      '/jupyter/api/kernels/x/channels',
    ]) {
      assert.throws(() => of(path), /does not pass/, path);
    }
  });
});
