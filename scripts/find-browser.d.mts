/** How to get a browser, for whoever has none. */
export declare const HOW_TO_GET_A_BROWSER: string;
/** What a browser is started with. */
export declare const BROWSER_ARGUMENTS: readonly string[];
/** The path of a Chromium; `undefined` when there is none. */
export declare function findBrowser(): string | undefined;
