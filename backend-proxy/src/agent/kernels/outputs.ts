/** Folds a kernel's messages into a cell's outputs, as a notebook would hold them (nbformat 4). */
import type { JsonObject, NotebookOutput } from '@hitch/contract';
import type { RecordType } from './journal/record.ts';

interface Folded {
  readonly output: NotebookOutput;
  readonly displayId: string | null;
  /** A stream's text in pieces, joined when asked for. */
  readonly text: string[] | null;
}

const DEFAULT_MAX_TEXT_BYTES = 8 * 1024 * 1024;

const asObject = (value: unknown): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};

const asText = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The `display_id` under which an output can be updated, or null. */
export function displayIdOf(content: JsonObject): string | null {
  const id = asObject(content['transient'])['display_id'];
  return typeof id === 'string' && id !== '' ? id : null;
}

export class OutputFold {
  #items: Folded[] = [];
  #clearNext = false;
  #textBytes = 0;
  #droppedBytes = 0;
  readonly #maxTextBytes: number;

  constructor(maxTextBytes = DEFAULT_MAX_TEXT_BYTES) {
    this.#maxTextBytes = maxTextBytes;
  }

  /** Stream text left out because the cell printed more than an answer carries. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  /** Takes a message that belongs to the cell. Types that are no output are passed over. */
  add(type: RecordType, content: JsonObject): void {
    switch (type) {
      case 'clear_output':
        if (content['wait'] === true) {
          this.#clearNext = true;
        } else {
          this.#clear();
        }
        return;
      case 'stream':
        this.#clearIfAsked();
        this.#addStream(asText(content['name']) || 'stdout', asText(content['text']));
        return;
      case 'display_data':
      case 'execute_result':
        this.#clearIfAsked();
        this.#items.push({
          output: {
            output_type: type,
            data: asObject(content['data']),
            metadata: asObject(content['metadata']),
            ...(type === 'execute_result' ? { execution_count: content['execution_count'] ?? null } : {}),
          },
          displayId: displayIdOf(content),
          text: null,
        });
        this.update(content);
        return;
      case 'error':
        this.#clearIfAsked();
        this.#items.push({
          output: {
            output_type: 'error',
            ename: asText(content['ename']),
            evalue: asText(content['evalue']),
            traceback: Array.isArray(content['traceback']) ? content['traceback'].map(String) : [],
          },
          displayId: null,
          text: null,
        });
        return;
      default:
    }
  }

  /**
   * An `update_display_data` (or a second display of the same id), of this cell or of any other.
   * @returns whether the cell shows such a display
   */
  update(content: JsonObject): boolean {
    const displayId = displayIdOf(content);
    if (displayId === null || !this.#items.some(item => item.displayId === displayId)) {
      return false;
    }
    this.#items = this.#items.map(item =>
      item.displayId === displayId
        ? {
            ...item,
            output: {
              ...item.output,
              data: asObject(content['data']),
              metadata: asObject(content['metadata']),
            },
          }
        : item,
    );
    return true;
  }

  outputs(): NotebookOutput[] {
    return this.#items.map(({ output, text, displayId }) => ({
      ...output,
      ...(text === null ? {} : { text: text.join('') }),
      ...(displayId === null ? {} : { transient: { display_id: displayId } }),
    }));
  }

  #clear(): void {
    this.#items = [];
    this.#textBytes = 0;
    this.#clearNext = false;
  }

  #clearIfAsked(): void {
    if (this.#clearNext) {
      this.#clear();
    }
  }

  /** Carriage returns stay as they are: the client that shows them knows what they mean. */
  #addStream(name: string, text: string): void {
    const last = this.#items.at(-1);
    if (last !== undefined && last.text !== null && last.output['name'] === name) {
      last.text.push(text);
    } else {
      this.#items.push({ output: { output_type: 'stream', name }, displayId: null, text: [text] });
    }
    this.#textBytes += text.length;
    while (this.#textBytes > this.#maxTextBytes && this.#dropOldestText()) {
      // Each round takes one piece.
    }
  }

  #dropOldestText(): boolean {
    const oldest = this.#items.findIndex(({ text }) => text !== null && text.length > 0);
    const pieces = this.#items[oldest]?.text;
    const newest = this.#items.findLastIndex(({ text }) => text !== null && text.length > 0);
    if (pieces === undefined || pieces === null || (oldest === newest && pieces.length === 1)) {
      return false;
    }
    const dropped = pieces.shift() ?? '';
    this.#textBytes -= dropped.length;
    this.#droppedBytes += Buffer.byteLength(dropped);
    if (pieces.length === 0) {
      this.#items.splice(oldest, 1);
    }
    return true;
  }
}
