/**
 * What the executions of one kernel show, as a notebook keeps it. A later cell may update a display of an earlier one, and
 * a thread may go on printing, so none of them is closed as long as the kernel is there.
 */
import { lostBytesOf, type JsonObject, type KernelMessage, type NotebookOutput } from '@hitch/contract';
import { displayIdOf, OutputFold } from '../../agent/kernels/outputs.ts';
import { outputKindOf, savedOutputs } from './output-kinds.ts';
import { WidgetModels } from './widget-models.ts';

export interface Shown {
  readonly outputs: readonly NotebookOutput[];
  /** Output that did not come, as the machinery said in the cell; null: all of it is here. 0: nobody knows how much. */
  readonly lostBytes: number | null;
}

interface Execution {
  readonly fold: OutputFold;
  isOver: boolean;
  /** Since it was over, and since {@link ShownOutputs.changes} was asked last. */
  hasChanged: boolean;
  lostBytes: number | null;
}

const DISPLAYS: ReadonlySet<string> = new Set(['display_data', 'execute_result', 'update_display_data']);

const shownBy = ({ fold, lostBytes }: Execution): Shown => ({ outputs: savedOutputs(fold), lostBytes });

export class ShownOutputs {
  readonly widgets = new WidgetModels();
  readonly #executions = new Map<string, Execution>();

  begin(messageId: string): void {
    this.#executions.set(messageId, {
      fold: new OutputFold(Number.MAX_SAFE_INTEGER),
      isOver: false,
      hasChanged: false,
      lostBytes: null,
    });
  }

  /** The kernel has answered. @returns what it shows by now */
  end(messageId: string): Shown {
    const execution = this.#executions.get(messageId);
    if (execution === undefined) {
      return { outputs: [], lostBytes: null };
    }
    execution.isOver = true;
    execution.hasChanged = false;
    return shownBy(execution);
  }

  take(message: KernelMessage): void {
    const { content, header } = message;
    const of = message.parentHeader.msg_id ?? '';
    if (DISPLAYS.has(header.msg_type)) {
      this.#update(content);
    }
    this.#noteLoss(message);
    const execution = this.#executions.get(of);
    if (execution === undefined) {
      return;
    }
    const kind = outputKindOf(header.msg_type);
    if (header.msg_type.startsWith('comm_')) {
      this.widgets.take(message);
    } else if (kind !== undefined && !this.widgets.capture(of, kind, content)) {
      execution.fold.add(kind, content);
      execution.hasChanged ||= execution.isOver;
    }
  }

  #update(content: JsonObject): void {
    if (displayIdOf(content) === null) {
      return;
    }
    for (const execution of this.#executions.values()) {
      const isShown = execution.fold.update(content);
      execution.hasChanged ||= isShown && execution.isOver;
    }
  }

  /** Output is missing: of one execution, or where nobody knows of which, maybe of each that runs. */
  #noteLoss(message: KernelMessage): void {
    const lost = lostBytesOf(message);
    const of = message.parentHeader.msg_id;
    if (lost === null) {
      return;
    }
    for (const [id, execution] of this.#executions) {
      if (id === of || (of === undefined && !execution.isOver)) {
        execution.lostBytes = (execution.lostBytes ?? 0) + lost;
        execution.hasChanged ||= execution.isOver;
      }
    }
  }

  /** What executions that are over show now, where that is something else than when it was asked last. */
  changes(): ReadonlyMap<string, Shown> {
    const changed = [...this.#executions].filter(([, { hasChanged }]) => hasChanged);
    changed.forEach(([, execution]) => (execution.hasChanged = false));
    return new Map(changed.map(([id, execution]) => [id, shownBy(execution)]));
  }
}
