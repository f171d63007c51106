/** An element's width, for pictures that are drawn in pixels. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';

export class WidthObserver implements ReactiveController {
  readonly #host: ReactiveControllerHost & Element;
  #observer: ResizeObserver | null = null;
  #px: number;

  /** @param px what to assume before it is known */
  constructor(host: ReactiveControllerHost & Element, px: number) {
    this.#host = host;
    this.#px = px;
    host.addController(this);
  }

  get px(): number {
    return this.#px;
  }

  hostConnected(): void {
    this.#observer = new ResizeObserver(() => {
      const px = this.#host.clientWidth;
      if (px > 0 && px !== this.#px) {
        this.#px = px;
        this.#host.requestUpdate();
      }
    });
    this.#observer.observe(this.#host);
  }

  hostDisconnected(): void {
    this.#observer?.disconnect();
  }
}
