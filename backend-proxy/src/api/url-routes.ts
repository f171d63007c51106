/** The address that makes a cluster a Jupyter server to other programs. */
import { HitchError } from '@hitch/contract';
import { refusePages, routes } from './implementer.ts';

export const clusterUrls = {
  give: routes.clusterUrls.give.handler(({ context, input: { clusterId } }) => {
    refusePages(context, 'have a token that outlives it', 'Run “hitch url”.');
    const { clusters, urls, origin } = context.parts;
    const { name, phase, endedAtMs } = clusters.get(clusterId);
    if (endedAtMs !== null) {
      throw new HitchError('CONFLICT', `${name} does not run (${phase}).`, { next: 'Start it again first.' });
    }
    return {
      clusterId,
      url: `${origin()}/clusters/${clusterId}/jupyter`,
      token: urls.give(clusterId),
    };
  }),
  revoke: routes.clusterUrls.revoke.handler(({ context, input: { clusterId } }) => ({
    wasGiven: context.parts.urls.revoke(context.parts.clusters.get(clusterId).id),
  })),
};
