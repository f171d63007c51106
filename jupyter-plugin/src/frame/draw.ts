/** One output, by the richest of its types that can be drawn here. */
import { choose, type Kind, scriptAmong } from './kinds.ts';
import { library } from './libraries.ts';
import { runScript, runScriptsOf } from './scripts.ts';
import { drawWidget } from './widgets-way.ts';

type Bundle = Readonly<Record<string, unknown>>;
export interface Output {
  readonly data: Bundle;
  readonly metadata: Bundle;
}
type Draw = (output: Output, node: HTMLElement, type: string) => Promise<void>;

/** A notebook file keeps long texts as lists of lines. */
const text = (value: unknown): string => (Array.isArray(value) ? value.join('') : String(value));
const record = (value: unknown): Bundle => (typeof value === 'object' && value !== null ? { ...value } : {});

async function drawPlotly({ data }: Output, node: HTMLElement, type: string): Promise<void> {
  await library('plotly');
  const { data: traces, layout, config, frames } = record(data[type]);
  await window.Plotly.newPlot(node, {
    data: traces ?? [],
    layout: record(layout),
    frames: frames ?? [],
    config: { responsive: true, ...record(config) },
  });
}

async function drawVega({ data, metadata }: Output, node: HTMLElement, type: string): Promise<void> {
  await library('vega');
  const given = record(record(metadata[type])['embed_options']);
  // Both would open a page elsewhere, which a frame cannot.
  await window.vegaEmbed(node, record(data[type]), { actions: false, ...given });
}

const drawScript: Draw = ({ data }, node, type) => {
  // Such a script finds the node that it may fill under this name.
  window.hitchElement = node;
  runScript(`(function (element) {${text(data[type])}\n}).call(window, window.hitchElement);`);
  return Promise.resolve();
};

async function drawHtml({ data }: Output, node: HTMLElement): Promise<void> {
  node.innerHTML = text(data['text/html']);
  await runScriptsOf(node);
}

const drawSvg: Draw = async ({ data }, node) => {
  const image = new Image();
  const source = text(data['image/svg+xml']);
  const named = /<svg[^>]+xmlns=/.test(source)
    ? source
    : source.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"');
  image.src = `data:image/svg+xml,${encodeURIComponent(named)}`;
  node.append(image);
  await image.decode().catch(() => undefined);
};

async function drawBoth(output: Output, node: HTMLElement): Promise<void> {
  if ('text/html' in output.data) {
    await drawHtml(output, node);
  }
  const script = scriptAmong(Object.keys(output.data));
  if (script !== undefined) {
    await drawScript(output, node, script);
  }
}

async function drawPicture({ data }: Output, node: HTMLElement, type: string): Promise<void> {
  const image = new Image();
  image.src = `data:${type};base64,${text(data[type])}`;
  node.append(image);
  await image.decode().catch(() => undefined);
}

function drawText({ data }: Output, node: HTMLElement): Promise<void> {
  const pre = document.createElement('pre');
  pre.textContent = text(data['text/plain']);
  node.append(pre);
  return Promise.resolve();
}

const DRAWS: Readonly<Record<Kind, Draw>> = {
  widget: ({ data }, node, type) => drawWidget(record(data[type]), node),
  plotly: drawPlotly,
  vega: drawVega,
  both: drawBoth,
  script: drawScript,
  html: drawHtml,
  svg: drawSvg,
  picture: drawPicture,
  text: drawText,
};

/** @throws what the output itself throws. */
export async function draw(output: Output, node: HTMLElement): Promise<void> {
  const choice = choose(Object.keys(output.data));
  if (choice !== null) {
    await DRAWS[choice.kind](output, node, choice.type);
  }
}

declare global {
  interface Window {
    hitchElement?: HTMLElement;
    Plotly: { newPlot(node: HTMLElement, plot: unknown): Promise<unknown> };
    vegaEmbed: (node: HTMLElement, spec: unknown, options: unknown) => Promise<unknown>;
  }
}
