/** What listens on a node, from a made-up /proc; and from the real one where this is Linux. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError, MOST_PORTS } from '@hitch/contract';
import { knownPort } from '../../../src/agent/ports/known.ts';
import { dialledAt, listeningSockets } from '../../../src/agent/ports/listening.ts';
import { NodePorts, type NodePortsOptions } from '../../../src/agent/ports/node-ports.ts';
import { rayPorts } from '../../../src/agent/ray/ports.ts';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const line = (local: string, inode: number, state = '0A'): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode.toString()} 1 0000000000000000 100 0 0 10 0`;
const at = (port: number, address = '0100007F'): string =>
  `${address}:${port.toString(16).toUpperCase().padStart(4, '0')}`;

describe('ports of a node', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hitch-ports-'));
    mkdirSync(join(root, 'net'));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  const listens = (...lines: readonly string[]): void =>
    writeFileSync(join(root, 'net', 'tcp'), [HEAD, ...lines, ''].join('\n'));

  function holds(pid: number, command: readonly string[], ...inodes: readonly number[]): void {
    const folder = join(root, pid.toString());
    mkdirSync(join(folder, 'fd'), { recursive: true });
    writeFileSync(join(folder, 'cmdline'), `${command.join('\0')}\0`);
    inodes.forEach((inode, fd) =>
      symlinkSync(`socket:[${inode.toString()}]`, join(folder, 'fd', fd.toString())),
    );
  }

  const ours = (...processes: readonly (readonly [number, string])[]): NodePortsOptions => ({
    reader: {
      processes: () =>
        processes.map(([pid, name]) => ({ pid, name, key: pid.toString(), cpuMs: 0, diskBytes: 0 })),
    },
    runtimeFolder: join(root, 'runtime'),
    ray: () => null,
    root,
  });

  it('reads addresses of both kinds as Linux writes them', () => {
    const text = [
      HEAD,
      line('0100007F:1F90', 11),
      line('00000000:0016', 12),
      line('01004D7F:1770', 13),
      line('00000000000000000000000000000000:1F40', 14),
      line('00000000000000000000000001000000:1F41', 15),
      line('0000000000000000FFFF00000100007F:1F42', 16),
      line('0100007F:D431', 17, '01'),
    ].join('\n');
    assert.deepEqual(
      listeningSockets(text).map(({ address, port, inode }) => `${address} ${port.toString()} ${inode}`),
      [
        '127.0.0.1 8080 11',
        '0.0.0.0 22 12',
        '127.77.0.1 6000 13',
        ':: 8000 14',
        '::1 8001 15',
        '::ffff:127.0.0.1 8002 16',
      ],
    );
    assert.deepEqual(
      ['0.0.0.0', '::', '::1', '::ffff:127.0.0.1', '::ffff:0.0.0.0', '127.77.0.1'].map(dialledAt),
      [['127.0.0.1'], ['127.0.0.1', '::1'], ['::1'], ['127.0.0.1'], ['127.0.0.1'], ['127.77.0.1']],
    );
  });

  it('lists what the node’s own programs listen on, by port, and nobody else’s', () => {
    listens(line(at(7000), 1), line(at(6006), 2), line(at(22), 3), line(at(9000), 4, '01'));
    holds(10, ['/usr/bin/python3', '-m', 'http.server'], 1, 4);
    holds(11, ['/env/bin/python', '/env/bin/tensorboard', '--logdir', 'secret'], 2);
    holds(12, ['sshd'], 3);
    const ports = new NodePorts(ours([10, 'python3'], [11, 'python tensorboard\u0007']));
    assert.deepEqual(ports.list(), {
      ports: [
        { port: 6006, process: 'python tensorboard?', known: 'tensorboard' },
        { port: 7000, process: 'python3', known: null },
      ],
      more: 0,
    });
    assert.deepEqual(ports.addressesOf(7000), ['127.0.0.1']);
    for (const port of [22, 9000, 8888]) {
      assert.throws(
        () => ports.addressesOf(port),
        (error: unknown) => error instanceof HitchError && error.code === 'NOT_FOUND',
        port.toString(),
      );
    }
  });

  it('leaves out what kernels and Ray are reached at, and keeps the dashboard of a head', () => {
    const ray = rayPorts(20_000);
    const kernel = {
      shell_port: 1001,
      iopub_port: 1002,
      stdin_port: 1003,
      control_port: 1004,
      hb_port: 1005,
    };
    const numbers = [
      ...Object.values(kernel),
      ray.gcs,
      ray.metrics,
      ray.firstWorker + 3,
      ray.dashboard,
      5000,
    ];
    listens(...numbers.map((port, index) => line(at(port), index + 1)));
    holds(10, ['python'], ...numbers.map((_, index) => index + 1));
    mkdirSync(join(root, 'runtime'));
    writeFileSync(join(root, 'runtime', 'kernel-1.json'), JSON.stringify({ ...kernel, key: 'secret' }));
    writeFileSync(join(root, 'runtime', 'kernel-2.json'), '{"shell_port":');
    const listed = (isHead: boolean): unknown =>
      new NodePorts({ ...ours([10, 'python']), ray: () => ({ ports: ray, isHead }) }).list().ports;
    const app = { port: 5000, process: 'python', known: null };
    assert.deepEqual(listed(true), [app, { port: ray.dashboard, process: 'ray', known: 'ray' }]);
    assert.deepEqual(listed(false), [app]);
  });

  it('says how many it does not list', () => {
    const numbers = Array.from({ length: MOST_PORTS + 3 }, (_, index) => 3000 + index);
    listens(...numbers.map((port, index) => line(at(port), index + 1)));
    holds(10, ['python'], ...numbers.map((_, index) => index + 1));
    const { ports, more } = new NodePorts(ours([10, 'python'])).list();
    assert.deepEqual([ports.length, more], [MOST_PORTS, 3]);
    assert.deepEqual(new NodePorts(ours([10, 'python'])).addressesOf(3000 + MOST_PORTS + 2), ['127.0.0.1']);
  });

  it('says so where a system does not show what listens', () => {
    assert.throws(() => new NodePorts({ ...ours(), reader: null }).list(), /only Linux does/);
  });

  it('knows dashboards by their programs, and libraries’ by their usual ports', () => {
    const cases: readonly [string, number, string | null][] = [
      ['/env/bin/python /env/bin/tensorboard --logdir x', 7001, 'tensorboard'],
      ['python -m tensorboard.main --logdir x', 7001, 'tensorboard'],
      ['/env/bin/python /env/bin/streamlit run app.py', 9000, 'streamlit'],
      ['/env/bin/python /env/bin/mlflow ui', 5000, 'mlflow'],
      ['/env/bin/python -m uvicorn mlflow.server.fastapi_app:app', 5001, 'mlflow'],
      ['/env/bin/python /env/bin/dask-scheduler', 8786, 'dask'],
      ['java -cp x org.apache.spark.deploy.SparkSubmit pyspark-shell', 4041, 'spark'],
      ['java -cp x org.apache.spark.deploy.SparkSubmit pyspark-shell', 40_000, null],
      ['/env/bin/python -m ipykernel_launcher -f kernel.json', 7861, 'gradio'],
      ['/env/bin/python -m ipykernel_launcher -f kernel.json', 8787, 'dask'],
      ['node server.js', 7860, null],
      ['/env/bin/python train.py --name tensorboard', 8000, null],
    ];
    for (const [command, port, known] of cases) {
      assert.equal(knownPort(command.split(' '), port), known, command);
    }
  });
});
