/**
 * The frame around the frame. A page may always lead itself elsewhere; only the policy of the page around it can forbid
 * that, and JupyterLab's page has none. So a stranger's output lives in a second frame, and this one, which runs nothing
 * but this, holds the policy.
 */
import { isInner } from './words.ts';

const onFirst = (event: MessageEvent<unknown>): void => {
  const { data, ports } = event;
  const [port] = ports;
  if (event.source !== window.parent || port === undefined || !isInner(data)) {
    return;
  }
  removeEventListener('message', onFirst);
  hold(data.inner, data.title, port);
};

function hold(page: string, title: string, port: MessagePort): void {
  const inner = document.createElement('iframe');
  inner.setAttribute('sandbox', 'allow-scripts');
  inner.title = title;
  inner.srcdoc = page;
  let given = false;
  addEventListener('message', event => {
    if (event.source !== inner.contentWindow || event.data !== 'hitch-ready') {
      return;
    }
    if (given) {
      // It has loaded itself anew, and the way to it is gone.
      window.parent.postMessage('hitch-lost', '*');
      return;
    }
    given = true;
    inner.contentWindow?.postMessage('hitch-port', '*', [port]);
  });
  document.body.append(inner);
}

addEventListener('message', onFirst);
window.parent.postMessage('hitch-outer', '*');
