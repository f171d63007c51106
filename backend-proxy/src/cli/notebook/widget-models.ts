/** Widgets as a saved notebook keeps them, and what `Output` widgets take of the outputs: as nbclient does both. */
import type { JsonObject, KernelMessage, NotebookOutput } from '@hitch/contract';
import { OutputFold } from '../../agent/kernels/outputs.ts';
import { outputKindOf, savedOutputs, type OutputKind } from './output-kinds.ts';

interface Model {
  readonly state: Record<string, unknown>;
  /** By their paths. */
  readonly buffers: Map<string, JsonObject>;
  /** Of an `Output` widget: what it shows. */
  fold: OutputFold | null;
}

/** What a kernel is to be told of one of its `Output` widgets. */
export interface TakenOutputs {
  readonly commId: string;
  readonly outputs: readonly NotebookOutput[];
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const WIDGET_STATE = 'application/vnd.jupyter.widget-state+json';

function foldOf(outputs: unknown): OutputFold {
  const fold = new OutputFold(Number.MAX_SAFE_INTEGER);
  for (const output of asArray(outputs).filter(isObject)) {
    fold.add(outputKindOf(text(output['output_type'])) ?? 'other', output);
  }
  return fold;
}

export class WidgetModels {
  readonly #models = new Map<string, Model>();
  /** `Output` widgets that take the outputs of an execution; of two, the one that has begun last. */
  readonly #taking = new Map<string, string>();
  /** `Output` widgets whose outputs the kernel has not been told. */
  readonly #untold = new Set<string>();

  /** A comm message that an execution of ours has sent. */
  take({ header, content, buffers }: KernelMessage): void {
    const { comm_id: id, data } = content;
    if (typeof id !== 'string' || !isObject(data) || !isObject(data['state'])) {
      return;
    }
    const model = this.#modelOf(id, header.msg_type);
    const { state } = data;
    Object.assign(model.state, state);
    asArray(data['buffer_paths']).forEach((path, index) => {
      const buffer = buffers[index];
      if (buffer !== undefined) {
        const kept = { data: Buffer.from(buffer).toString('base64'), encoding: 'base64', path };
        model.buffers.set(JSON.stringify(path), kept);
      }
    });
    if (model.state['_model_name'] === 'OutputModel') {
      this.#look(id, model, state);
    }
  }

  #modelOf(id: string, type: string): Model {
    const known = type === 'comm_open' ? undefined : this.#models.get(id);
    const model = known ?? { state: {}, buffers: new Map(), fold: null };
    this.#models.set(id, model);
    return model;
  }

  /** An `Output` widget begins or ends to take outputs, or its program has set what it shows. */
  #look(id: string, model: Model, change: JsonObject): void {
    if ('outputs' in change || model.fold === null) {
      model.fold = foldOf(change['outputs']);
    }
    if ('msg_id' in change) {
      this.#taking.delete(id);
      this.#taking.set(id, text(change['msg_id']));
    }
  }

  /** @returns whether a widget has taken this output of that execution, which then shows it nowhere else. */
  capture(messageId: string, kind: OutputKind, content: JsonObject): boolean {
    const [id] = [...this.#taking].reverse().find(([, from]) => from === messageId) ?? [];
    if (messageId === '' || id === undefined) {
      return false;
    }
    this.#models.get(id)?.fold?.add(kind, content);
    this.#untold.add(id);
    return true;
  }

  /** What is to be told to the kernel now: its program may ask its widgets for it in the next cell. */
  untold(): readonly TakenOutputs[] {
    const told = [...this.#untold].map(commId => ({ commId, outputs: this.#outputsOf(commId) }));
    this.#untold.clear();
    return told;
  }

  #outputsOf(id: string): readonly NotebookOutput[] {
    const fold = this.#models.get(id)?.fold ?? null;
    return fold === null ? [] : savedOutputs(fold);
  }

  /** For a notebook's `metadata.widgets`; null where nothing has told a state. Comms of other kinds than widgets tell one, too. */
  saved(): JsonObject | null {
    const states = [...this.#models].flatMap(([id, model]) =>
      '_model_name' in model.state ? [[id, this.#saved(id, model)] as const] : [],
    );
    return this.#models.size === 0
      ? null
      : { [WIDGET_STATE]: { version_major: 2, version_minor: 0, state: Object.fromEntries(states) } };
  }

  #saved(id: string, { state, buffers, fold }: Model): JsonObject {
    const { _model_name: name, _model_module: module, _model_module_version: version } = state;
    return {
      model_name: name ?? null,
      model_module: module ?? null,
      model_module_version: version ?? null,
      state: fold === null ? state : { ...state, outputs: this.#outputsOf(id) },
      ...(buffers.size === 0 ? {} : { buffers: [...buffers.values()] }),
    };
  }
}
