/** The frame's one way to JupyterLab's page. What is said before it is there waits. */
import type { FromFrame } from './words.ts';

let port: MessagePort | null = null;
const waiting: FromFrame[] = [];

export function sendTo(way: MessagePort): void {
  port = way;
  waiting.splice(0).forEach(send);
}

export function send(message: FromFrame): void {
  if (port === null) {
    waiting.push(message);
  } else {
    port.postMessage(message);
  }
}
