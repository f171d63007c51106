/**
 * The border: a message of a cluster's kernel, and a notebook with such a kernel's outputs, without anything active.
 * What is active moves under one MIME type of ours, so whatever shows a message later (output areas, consoles, logs, the
 * debugger, other extensions, a notebook that is opened again and trusted) has nothing else to run.
 */
import { type Bundle, FRAMED, framedSchema, isBundle, textOf } from './framed.ts';
import { passiveHtml } from './passive-html.ts';

const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp'];
/** JupyterLab sets these as text, also when it trusts them; MathJax is in its safe mode. */
const TEXTS = [
  'text/plain',
  'text/latex',
  'application/vnd.jupyter.stdout',
  'application/vnd.jupyter.stderr',
];
const BASE64 = /^[A-Za-z0-9+/=\s]*$/;

/** The value as JupyterLab's page may draw it; undefined for what belongs into the frame. */
function passive(type: string, value: unknown): unknown {
  if (type === 'application/json' || type === 'application/vnd.jupyter.error') {
    return value;
  }
  const text = textOf(value);
  if (text === null) {
    return undefined;
  }
  if (TEXTS.includes(type)) {
    return value;
  }
  if (PICTURES.includes(type)) {
    return BASE64.test(text) ? value : undefined;
  }
  return type === 'text/html' ? (passiveHtml(text) ?? undefined) : undefined;
}

/** How large a picture is drawn, and on what. Other metadata would put its output into a frame of JupyterLab's origin. */
function pictureMetadata(metadata: Bundle): Bundle {
  const kept = PICTURES.flatMap(type => {
    const found = metadata[type];
    if (!isBundle(found)) {
      return [];
    }
    const { width, height, needs_background: background, unconfined } = found;
    const size = Object.entries({ width, height }).filter(([, value]) => typeof value === 'number');
    const ground = background === 'light' || background === 'dark' ? [['needs_background', background]] : [];
    const free = unconfined === true ? [['unconfined', true]] : [];
    return [[type, Object.fromEntries([...size, ...ground, ...free])]];
  });
  return Object.fromEntries(kept) as Bundle;
}

export interface MimeBundle {
  readonly data: Bundle;
  readonly metadata: Bundle;
}

/**
 * What an earlier page has moved. Whoever wrote the file may have named any kernel, and would reach its widgets by that.
 * @returns undefined where it is something else of that type
 */
function moved(value: unknown, on: string): unknown {
  const { success, data } = framedSchema.safeParse(value);
  if (!success) {
    return undefined;
  }
  const { kernel, data: active, metadata } = data;
  return { kernel, ...(kernel === null ? {} : { on }), data: active, metadata };
}

/**
 * @param on for what a notebook's file holds: the name of a kernel on the cluster that may have made it. Null for what a
 * kernel sends: its own word for what has been moved counts nothing
 */
export function neutralBundle(
  bundle: unknown,
  metadata: unknown,
  kernel: string | null,
  on: string | null = null,
): MimeBundle {
  const given = isBundle(bundle) ? bundle : {};
  const about = isBundle(metadata) ? metadata : {};
  const shown = Object.entries(given).map(([type, value]) => {
    const stored = on !== null && type === FRAMED ? moved(value, on) : undefined;
    return { type, value, quiet: stored ?? passive(type, value) };
  });
  // As entries: a type may be called `__proto__`.
  const active = shown.filter(({ quiet }) => quiet === undefined).map(({ type, value }) => [type, value]);
  const quiet = shown.filter(({ quiet }) => quiet !== undefined).map(({ type, quiet }) => [type, quiet]);
  const framed = { kernel, data: Object.fromEntries(active) as Bundle, metadata: about };
  const entries: unknown[][] = active.length === 0 ? quiet : [...quiet, [FRAMED, framed]];
  const data = Object.fromEntries(entries) as Bundle;
  return { data, metadata: pictureMetadata(about) };
}

type Content = Record<string, unknown>;

/** Text of the pager, and what to put into the next cell; everything else a payload can ask for is left out. */
function neutralPayload(payload: unknown, kernel: string): readonly unknown[] {
  return (Array.isArray(payload) ? payload : []).flatMap(item => {
    if (!isBundle(item)) {
      return [];
    }
    if (item['source'] === 'page') {
      return [{ source: 'page', start: 0, ...neutralBundle(item['data'], {}, kernel) }];
    }
    return item['source'] === 'set_next_input' && typeof item['text'] === 'string' ? [item] : [];
  });
}

function neutralExpressions(expressions: unknown, kernel: string): unknown {
  return Object.fromEntries(
    Object.entries(isBundle(expressions) ? expressions : {}).map(([name, value]) => [
      name,
      isBundle(value) && 'data' in value
        ? { ...value, ...neutralBundle(value['data'], value['metadata'], kernel) }
        : value,
    ]),
  );
}

/** JupyterLab's help menu opens these. */
function neutralLinks(links: unknown): readonly unknown[] {
  return (Array.isArray(links) ? links : []).filter(
    link => isBundle(link) && typeof link['url'] === 'string' && link['url'].startsWith('https://'),
  );
}

/** The content of one message, by the message's type. Types that show nothing rich pass as they are. */
export function neutralContent(type: string, content: Content, kernel: string): Content {
  switch (type) {
    case 'display_data':
    case 'execute_result':
    case 'update_display_data':
      return { ...content, ...neutralBundle(content['data'], content['metadata'], kernel) };
    case 'inspect_reply':
      // The inspector, tooltips and the completer show documentation; a frame in them would have no place.
      return { ...content, data: withoutFrame(neutralBundle(content['data'], {}, kernel)), metadata: {} };
    case 'execute_reply':
      return {
        ...content,
        payload: neutralPayload(content['payload'], kernel),
        user_expressions: neutralExpressions(content['user_expressions'], kernel),
      };
    case 'kernel_info_reply':
      return { ...content, help_links: neutralLinks(content['help_links']) };
    case 'debug_reply':
    case 'debug_event': {
      const { body } = content;
      return isBundle(body) && isBundle(body['data'])
        ? { ...content, body: { ...body, ...neutralBundle(body['data'], body['metadata'], kernel) } }
        : content;
    }
    default:
      return content;
  }
}

function withoutFrame({ data }: MimeBundle): Bundle {
  return Object.fromEntries(Object.entries(data).filter(([type]) => type !== FRAMED));
}

/** One output as notebooks keep it. */
export function neutralOutput(output: unknown, on: string): unknown {
  if (!isBundle(output) || !('data' in output)) {
    return output;
  }
  return { ...output, ...neutralBundle(output['data'], output['metadata'], null, on) };
}

/**
 * A notebook's content. Outputs only, and the widgets' state, from which an extension would make widgets in the page.
 * @param on the name of a kernel on the cluster whose kernels' outputs these may be
 * @param distrust also takes back what the place it came from says about trust
 */
export function neutralNotebook(content: unknown, on: string, distrust: boolean): unknown {
  if (!isBundle(content)) {
    return content;
  }
  const { widgets, ...metadata } = isBundle(content['metadata']) ? content['metadata'] : {};
  const cells = Array.isArray(content['cells']) ? content['cells'] : [];
  return {
    ...content,
    metadata: widgets === undefined ? metadata : { ...metadata, hitch_widgets: widgets },
    cells: cells.map(cell => neutralCell(cell, on, distrust)),
  };
}

function neutralCell(cell: unknown, on: string, distrust: boolean): unknown {
  if (!isBundle(cell)) {
    return cell;
  }
  const { outputs, metadata } = cell;
  return {
    ...cell,
    ...(Array.isArray(outputs) ? { outputs: outputs.map(output => neutralOutput(output, on)) } : {}),
    ...(distrust && isBundle(metadata) ? { metadata: { ...metadata, trusted: false } } : {}),
  };
}
