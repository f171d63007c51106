/** The page in which outputs of a cluster's kernel are drawn. It has no origin, so it may as well run what it is given. */
import { draw } from './draw.ts';
import { libraryCame } from './libraries.ts';
import { sendTo, send } from './port.ts';
import { widgetsHeard } from './widgets-way.ts';
import { LONGEST_LINK, type Shown, type ToFrame } from './words.ts';

const shown = new Map<number, HTMLElement>();
const theme = document.createElement('style');
document.head.append(theme);

/** One after the other: what a loader leaves behind is there for what follows. */
let last: Promise<void> = Promise.resolve();

function show({ key, data, metadata, hidden }: Shown): void {
  const node = shown.get(key) ?? document.createElement('div');
  shown.set(key, node);
  node.className = 'output';
  node.hidden = hidden;
  document.body.append(node);
  last = last.then(async () => {
    if (hidden && node.childNodes.length > 0) {
      return;
    }
    node.textContent = '';
    await draw({ data, metadata }, node).catch((error: unknown) => {
      if (!hidden) {
        const problem = document.createElement('pre');
        problem.className = 'problem';
        problem.textContent = String(error);
        node.append(problem);
      }
    });
  });
}

function hear(message: ToFrame): void {
  switch (message.type) {
    case 'show':
      message.outputs.forEach(show);
      void last.then(() => {
        send({ type: 'shown' });
      });
      break;
    case 'drop':
      shown.get(message.key)?.remove();
      shown.delete(message.key);
      break;
    case 'theme':
      theme.textContent = message.style;
      // The widgets' library brings its own values, which these replace.
      document.head.append(theme);
      break;
    case 'library':
      libraryCame(message);
      break;
    default:
      widgetsHeard(message);
  }
}

function tellHeight(): void {
  send({ type: 'height', px: Math.ceil(document.documentElement.getBoundingClientRect().height) });
}

function begin(port: MessagePort): void {
  sendTo(port);
  port.onmessage = ({ data }: MessageEvent<ToFrame>) => {
    hear(data);
  };
  new ResizeObserver(tellHeight).observe(document.documentElement);
  tellHeight();
}

addEventListener('message', function once(event) {
  const [port] = event.ports;
  if (event.source === window.parent && event.data === 'hitch-port' && port !== undefined) {
    removeEventListener('message', once);
    begin(port);
  }
});

addEventListener('securitypolicyviolation', ({ blockedURI }) => {
  send({ type: 'blocked', from: blockedURI.slice(0, 500) });
});

addEventListener('keydown', event => {
  if (event.key === 'Escape' && !event.defaultPrevented) {
    send({ type: 'leave' });
  }
});

addEventListener('click', event => {
  const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
  if (link instanceof HTMLAnchorElement && /^https?:/.test(link.protocol) && !event.defaultPrevented) {
    event.preventDefault();
    // A link that is cut leads elsewhere.
    send({ type: 'link', href: link.href.length > LONGEST_LINK ? null : link.href });
  }
});

window.parent.postMessage('hitch-ready', '*');
