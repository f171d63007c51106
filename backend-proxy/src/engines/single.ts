/** One machine, no Ray to wait for: complete as soon as its notebook server runs. */
import type { Engine } from './engine.ts';

export const single: Engine = {
  kind: 'single',
  needs: { ray: false },
  plan(members) {
    const head = members.find(({ index }) => index === 0);
    const jupyter = head?.status?.jupyter;
    if (head === undefined || jupyter === undefined) {
      return {
        starts: [],
        ready: [],
        failed: [],
        engine: { status: 'unknown', reason: 'no_answer', message: '' },
      };
    }
    if (jupyter.state === 'failed') {
      const sentence = `The notebook server does not start: ${jupyter.message}`;
      const engine = { status: 'no', reason: 'failed', message: sentence } as const;
      return { starts: [], ready: [], failed: [{ nodeId: head.nodeId, sentence }], engine };
    }
    return jupyter.state === 'running'
      ? {
          starts: [],
          ready: [head.nodeId],
          failed: [],
          engine: { status: 'yes', reason: 'complete', message: '' },
        }
      : { starts: [], ready: [], failed: [], engine: { status: 'no', reason: 'starting', message: '' } };
  },
};
