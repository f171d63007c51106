export * from './output.ts';
export * from './places.ts';
export * from './terminal-guard.ts';
export * from './text.ts';
