import assert from 'node:assert/strict';
import { linked } from './asking.ts';
import { features, practiceCluster, standIn, until } from './inside.ts';

export function ending(): void {
  describe('the end of a cluster', () => {
    it('takes it off the kernel picker only when it is confirmed gone', async () => {
      const { host, clusters } = await features();
      const jupyter = await standIn();
      const cluster = await practiceCluster();
      const { model } = host.connection;
      assert.ok(jupyter.serversInUse().includes(cluster.id));
      await model.client.api.clusters.stop({ clusterId: cluster.id, skipSave: true });
      await until('it is gone', () =>
        model.state.clusters?.some(
          ({ id, conditions, phase }) =>
            id === cluster.id && phase === 'stopped' && conditions.cleanup.status === 'yes',
        ),
      );
      await until(
        'Jupyter has let go of it',
        () =>
          !jupyter.serversInUse().includes(cluster.id) &&
          !jupyter.collections().some(({ id }) => id.includes(cluster.id)),
      );
      clusters?.tree.getChildren();
      assert.match(
        String(clusters?.tree.getTreeItem(`cluster:${cluster.id}`).description),
        / total, gone, confirmed /,
      );
    });

    it('neither starts again nor leaves the list because a link says so', async () => {
      const { id } = await practiceCluster();
      const { host } = await features();
      const { api } = host.connection.model.client;
      for (const command of ['hitch.cluster.startAgain', 'hitch.cluster.remove'] as const) {
        await linked(command, [id, true]);
      }
      assert.deepEqual(
        (await api.clusters.list()).map(({ id: there, phase }) => [there, phase]),
        [[id, 'stopped']],
      );
    });
  });
}
