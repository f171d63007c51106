/** @returns the file, relative to the repository. */
export declare function packageExtension(): string;
/** What is laid out, relative to the extension's folder; for the test of the list. */
export declare const stagedFiles: () => readonly string[];
