import { IServerSettings, ServerConnection, type ServiceManagerPlugin } from '@jupyterlab/services';
import { IHitch } from '../tokens.ts';
import { Hitch } from './hitch.ts';
import { thisPage } from './page.ts';
import { asWebSocket, kernelSocketClass } from './sockets.ts';

export const clusters: ServiceManagerPlugin<IHitch> = {
  id: 'jupyterlab-hitch:clusters',
  description: 'Knows the clusters that Hitch has rented, and the way to its daemon.',
  autoStart: true,
  provides: IHitch,
  optional: [IServerSettings],
  activate: (_: null, settings: ServerConnection.ISettings | null): IHitch => {
    const serverSettings = settings ?? ServerConnection.makeSettings();
    const sockets = kernelSocketClass((url, protocols) => new serverSettings.WebSocket(url, protocols));
    const hitch = new Hitch({
      serverSettings,
      page: thisPage,
      now: Date.now,
      webSocket: asWebSocket(sockets),
    });
    hitch.start();
    return hitch;
  },
};
