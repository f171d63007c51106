/** Widgets: their library comes when the first one is shown, and their models from JupyterLab's page. */
import { draw } from './draw.ts';
import { library } from './libraries.ts';
import { send } from './port.ts';
import type { ToFrame, WidgetsLibrary } from './words.ts';

type Manager = ReturnType<WidgetsLibrary['start']>;
type Models = Extract<ToFrame, { type: 'models' }>;

declare global {
  interface Window {
    hitchWidgets?: WidgetsLibrary;
  }
}

let manager: Promise<Manager> | null = null;
const asked = new Map<string, PromiseWithResolvers<Models['models']>>();

async function start(): Promise<Manager> {
  await library('widgets');
  if (window.hitchWidgets === undefined) {
    throw new Error('The widget library did not load.');
  }
  return window.hitchWidgets.start({ send, drawOutput });
}

function drawOutput(output: Readonly<Record<string, unknown>>, node: HTMLElement): void {
  const { data, text, traceback, ename, evalue } = output;
  if (typeof data === 'object' && data !== null) {
    void draw({ data: { ...data }, metadata: {} }, node);
    return;
  }
  const pre = document.createElement('pre');
  const lines = Array.isArray(traceback) ? traceback.join('\n') : `${String(ename)}: ${String(evalue)}`;
  pre.textContent = withoutColours(typeof text === 'string' ? text : lines);
  node.append(pre);
}

/** The colours of a terminal begin with an escape. */
const withoutColours = (text: string): string =>
  text
    .split('\u001b')
    .map((part, index) => (index === 0 ? part : part.replace(/^\[[0-9;]*m/, '')))
    .join('');

export async function drawWidget(view: Readonly<Record<string, unknown>>, node: HTMLElement): Promise<void> {
  const root = String(view['model_id']);
  manager ??= start();
  const widgets = await manager;
  const wanted = asked.get(root) ?? Promise.withResolvers<Models['models']>();
  asked.set(root, wanted);
  send({ type: 'models', root });
  const models = await wanted.promise;
  asked.delete(root);
  if (models.length === 0) {
    throw new Error('This widget no longer exists in its kernel. Run its cell again.');
  }
  await widgets.draw(root, node);
}

export function widgetsHeard(message: Extract<ToFrame, { type: 'models' | 'comm' | 'idle' }>): void {
  void manager?.then(widgets => {
    switch (message.type) {
      case 'models':
        widgets.take(message.models);
        asked.get(message.root)?.resolve(message.models);
        break;
      case 'comm':
        widgets.comm(message);
        break;
      case 'idle':
        widgets.idle(message.number);
        break;
    }
  });
}
