/** What a frame and JupyterLab's page say to each other. The page checks all of it with zod; this is the frame's side. */

export interface Shown {
  readonly key: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Runs for what it leaves behind, and draws nothing. */
  readonly hidden: boolean;
}

export interface ModelState {
  readonly id: string;
  readonly state: Readonly<Record<string, unknown>>;
  /** Another frame has been given it before. */
  readonly known: boolean;
}

export type ToFrame =
  | { readonly type: 'show'; readonly outputs: readonly Shown[] }
  | { readonly type: 'drop'; readonly key: number }
  | { readonly type: 'theme'; readonly style: string }
  | { readonly type: 'library'; readonly name: string; readonly code: string; readonly problem: string }
  | { readonly type: 'models'; readonly models: readonly ModelState[]; readonly root: string }
  | {
      readonly type: 'comm';
      /** Whose change it is. */
      readonly from: 'kernel' | 'frame';
      readonly kind: 'comm_msg' | 'comm_close';
      readonly id: string;
      readonly data: Readonly<Record<string, unknown>>;
      readonly buffers: readonly (ArrayBuffer | ArrayBufferView)[];
    }
  | { readonly type: 'idle'; readonly number: number };

/** Characters of a link that is handed on. */
export const LONGEST_LINK = 4_000;

export type FromFrame =
  | { readonly type: 'height'; readonly px: number }
  | { readonly type: 'need'; readonly name: 'plotly' | 'vega' | 'widgets' }
  | { readonly type: 'models'; readonly root: string }
  | {
      readonly type: 'comm';
      readonly number: number;
      readonly id: string;
      readonly data: Readonly<Record<string, unknown>>;
      readonly buffers: readonly ArrayBuffer[];
    }
  | { readonly type: 'link'; readonly href: string | null }
  | { readonly type: 'blocked'; readonly from: string }
  | { readonly type: 'shown' }
  | { readonly type: 'leave' };

/** What the widgets' library leaves in the frame's page. */
export interface WidgetsLibrary {
  start(ways: {
    readonly send: (message: FromFrame) => void;
    readonly drawOutput: (output: Readonly<Record<string, unknown>>, node: HTMLElement) => void;
  }): {
    take(models: readonly ModelState[]): void;
    comm(message: Extract<ToFrame, { type: 'comm' }>): void;
    idle(number: number): void;
    draw(id: string, node: HTMLElement): Promise<void>;
  };
}

export function isInner(data: unknown): data is { inner: string; title: string } {
  return (
    typeof data === 'object' &&
    data !== null &&
    typeof Reflect.get(data, 'inner') === 'string' &&
    typeof Reflect.get(data, 'title') === 'string'
  );
}
