/** What Jupyter Server loads for the hub's sake: the tuned kernel socket, and the settings that name it. */
import { MAX_KERNEL_MESSAGE_BYTES } from '@hitch/contract';
import { HITCH_JUPYTER_SOURCE } from './python-texts.ts';

/** Modules and traitlets settings, in the form that `jupyter/files.ts` takes. */
export const hubExtension = {
  modules: { hitch_jupyter: HITCH_JUPYTER_SOURCE },
  settings: {
    ServerApp: {
      kernel_websocket_connection_class: 'hitch_jupyter.HitchKernelConnection',
      // Tornado closes the socket on a longer message from a client; widgets upload files in one.
      tornado_settings: { websocket_max_message_size: MAX_KERNEL_MESSAGE_BYTES },
    },
    HitchKernelConnection: { longest: MAX_KERNEL_MESSAGE_BYTES },
  },
} as const;
