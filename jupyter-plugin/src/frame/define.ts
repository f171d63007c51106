type Make = (...modules: unknown[]) => Readonly<Record<string, unknown>>;

let made: Make = () => ({});

Reflect.set(globalThis, 'define', (_names: readonly string[], make: Make) => {
  made = make;
});

/** What was defined, and the end of the defining: scripts of outputs look whether there is a `define`. */
export function defined(...modules: unknown[]): Readonly<Record<string, unknown>> {
  Reflect.deleteProperty(globalThis, 'define');
  return made(...modules);
}
