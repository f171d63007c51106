import assert from 'node:assert/strict';
import type { Cluster, ClusterPorts } from '@hitch/contract';
import { parsePortRow, portRowId, PortRows } from '../src/ports/rows.ts';
import { cluster } from './sample.ts';

describe('ports below a cluster', () => {
  const ready: Cluster = cluster();
  const found: ClusterPorts = {
    ports: [
      { nodeIndex: 0, port: 5000, process: 'python app.py', known: null },
      { nodeIndex: 0, port: 6006, process: 'tensorboard', known: 'tensorboard' },
    ],
    missing: ['Node 1: no answer.'],
  };

  function rowsOf(list: () => Promise<ClusterPorts>) {
    const changed = Promise.withResolvers<undefined>();
    const rows = new PortRows({
      list,
      find: id => (id === ready.id ? ready : null),
      now: () => 0,
      changed: () => changed.resolve(undefined),
    });
    const [top] = rows.rows(ready);
    return { rows, top: top?.id ?? '', changed: changed.promise };
  }

  it('are listed when the row is opened: dashboards first, and what is missing', async () => {
    const { rows, top, changed } = rowsOf(() => Promise.resolve(found));
    assert.deepEqual(
      rows.below(top).map(({ description }) => description),
      ['Loading…'],
    );
    await changed;
    assert.deepEqual(
      rows.below(top).map(({ label, description, command }) => [label, description, command?.id]),
      [
        ['TensorBoard', 'port 6006', 'hitch.ports.open'],
        ['python app.py', 'port 5000', 'hitch.ports.open'],
        ['', 'Node 1: no answer.', undefined],
      ],
    );
  });

  it('say why they cannot be listed, and that there are none', async () => {
    const none = rowsOf(() => Promise.resolve({ ports: [], missing: [] }));
    none.rows.below(none.top);
    await none.changed;
    assert.equal(none.rows.below(none.top)[0]?.description, 'Nothing on this cluster listens on a port.');
    const broken = rowsOf(() => Promise.reject(new Error('no way there')));
    broken.rows.below(broken.top);
    await broken.changed;
    assert.match(broken.rows.below(broken.top)[0]?.description ?? '', /no way there/);
  });

  it('are not there where nothing can run', () => {
    const { rows } = rowsOf(() => Promise.resolve(found));
    assert.deepEqual(rows.rows(cluster({ phase: 'stopped' })), []);
    assert.deepEqual(rows.below('below:clu_other:ports:'), []);
  });

  it('are told apart by cluster, node and port', () => {
    const row = { clusterId: ready.id, nodeIndex: 1, port: 6006 };
    assert.deepEqual(parsePortRow(portRowId(row)), row);
    assert.equal(parsePortRow(`below:${ready.id}:file:port:1:2`), null);
  });
});
