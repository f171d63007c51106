/**
 * When a notebook or a console is ready. JupyterLab calls it so also when there is nothing to start; extensions such as
 * ipywidgets look then, and only then, for its kernel. One that waits for its cluster is ready once it has its kernel.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import { isRemoteName } from './names.ts';

type Ready = (context: ISessionContext) => Promise<void>;

let asJupyterLabSays: Ready = context => context.ready;

/** Whatever could be found or started has been. */
export const initialized: Ready = context => asJupyterLabSays(context);

async function withKernel(context: ISessionContext): Promise<void> {
  await initialized(context);
  const waits = (): boolean => context.session === null && isRemoteName(context.kernelPreference.name);
  if (!waits()) {
    return;
  }
  await new Promise<void>(resolve => {
    const look = (): void => {
      if (!waits()) {
        context.sessionChanged.disconnect(look);
        context.kernelPreferenceChanged.disconnect(look);
        resolve();
      }
    };
    context.sessionChanged.connect(look);
    context.kernelPreferenceChanged.connect(look);
  });
}

/**
 * From now on, all of a class are ready only with their kernel.
 * @param prototype of the class, before its first object
 */
export function beReadyWithKernel(prototype: ISessionContext): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, 'ready');
  if (descriptor?.get === undefined) {
    return;
  }
  const promises = new WeakMap<ISessionContext, Promise<void>>();
  asJupyterLabSays = context => descriptor.get?.call(context) as Promise<void>;
  Object.defineProperty(prototype, 'ready', {
    ...descriptor,
    get(this: ISessionContext): Promise<void> {
      const promise = promises.get(this) ?? withKernel(this);
      promises.set(this, promise);
      return promise;
    },
  });
}
